"""A worker for one purpose: started, asked and ended by one command, while no run goes on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from inferometer.core.errors import WorkloadError
from inferometer.core.workload import Variant
from inferometer.host.memory import available_bytes
from inferometer.runner.workers.parent import WorkerFailed, WorkerProcess
from inferometer.runner.workers.pool import USABLE, Clock


@contextmanager
def worker_alone(
    variant: Variant,
    *,
    device: str = "cpu",
    threads: int,
    seed: int = 0,
    memory_limit_bytes: int | None = None,
) -> Iterator[WorkerProcess]:
    """A worker that ends with the context.

    Args:
        variant: what it may load.
        device: where that runs.
        threads: of the process.
        seed: of random weights.
        memory_limit_bytes: most that it may use; None is what the machine can give.

    Raises:
        WorkloadError: what was asked of it failed, or it died, was too slow or took too much.
    """
    worker = WorkerProcess(
        variant,
        device=device,
        threads=threads,
        seed=seed,
        memory_limit_bytes=memory_limit_bytes or int(USABLE * available_bytes()),
    )
    try:
        yield worker
    except WorkerFailed as failed:
        raise WorkloadError(failed.failure.kind, failed.failure.message) from None
    finally:
        worker.kill()


def patience(timeout_s: float) -> Clock:
    """The clock of a command: no budget, but a limit to the silence of its worker."""
    return Clock(end=math.inf, timeout_s=timeout_s)
