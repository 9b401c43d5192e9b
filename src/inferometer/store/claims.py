"""Which process measures a run, and whether it is still alive.

A process number alone is used again sooner or later, so the start of the process goes with it, in
seconds after the machine's start: the wall clock of a board without a battery jumps when it finds
the network, and would make a live process look like another one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

_SAME_START_S = 0.5
"""The kernel counts starts in hundredths of a second; the sums that lead here round."""

_MOST_PIDS = 2**31


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process of this machine.

    Attributes:
        pid: its number.
        started_s: its start, seconds after that of the machine.
    """

    pid: int
    started_s: float

    def is_same(self, other: Owner) -> bool:
        """Whether both are one process."""
        return self.pid == other.pid and abs(self.started_s - other.started_s) < _SAME_START_S


def owner_of(row: Mapping[str, Any]) -> Owner | None:
    """The process that a row of `claims` names; None where the row is damaged and names none."""
    pid, started_s = row["pid"], row["started_s"]
    if not isinstance(pid, int) or not 0 < pid < _MOST_PIDS or not isinstance(started_s, float):
        return None
    return Owner(pid=pid, started_s=started_s)


def this_process() -> Owner:
    """The process that calls."""
    return _owner(psutil.Process(os.getpid()))


def is_running(owner: Owner) -> bool:
    """Whether that process lives; one that has ended and was not yet collected does not."""
    try:
        process = psutil.Process(owner.pid)
        return owner.is_same(_owner(process)) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _owner(process: psutil.Process) -> Owner:
    return Owner(pid=process.pid, started_s=process.create_time() - psutil.boot_time())
