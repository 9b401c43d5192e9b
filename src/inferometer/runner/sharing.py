"""A device that several people share: one measurement at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from inferometer.core.errors import FleetError
from inferometer.host.lease import LeaseHeldError, take, this_person, who_measures
from inferometer.runner.events import Listener, Notice

WAIT_S = 0.1
"""For somebody who only looks whether the lease is held."""


@contextmanager
def alone_here(listener: Listener, run_id: str | None) -> Iterator[None]:
    """Hold the lease of this device, so that jobs of a fleet wait; go on without where none can be.

    Args:
        listener: is told where somebody else measures by hand.
        run_id: of the run that goes on, by which the process of a job knows its own lease.

    Raises:
        LeaseHeldError: a job of a fleet measures here.
    """
    lease = None
    try:
        lease = take(this_person(), wait_s=WAIT_S)
    except LeaseHeldError as error:
        if error.holder.job and error.holder.job != run_id:
            raise
        if not error.holder.job:
            listener(Notice(message=f"{who_measures(error.holder)} too: both are slower for it"))
    except FleetError:
        pass  # nobody can hold a lease that cannot be used
    try:
        yield
    finally:
        if lease is not None:
            os.close(lease)
