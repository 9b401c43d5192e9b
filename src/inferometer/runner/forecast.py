"""What a workload will cost, judged by smaller shapes of the same variant."""

from __future__ import annotations

from collections.abc import Iterable

from inferometer.core.procedure import Procedure
from inferometer.core.workload import Workload
from inferometer.runner.task import Task, owed_s

WARMUP_CALLS = 2
"""Calls that a warm-up of a slow workload takes, the first included."""


def work(workload: Workload) -> float:
    """A number that grows with the cost of a call, among shapes of one model: pixels, mostly."""
    return float(workload.batch_size * (workload.input_size or 1) ** 2)


def forecast_s(workload: Workload, tasks: Iterable[Task]) -> float | None:
    """Seconds of a call, in proportion to the largest shape of its variant that is known.

    Returns:
        The forecast, or None where no shape of the variant is known.
    """
    known = [task for task in tasks if _comparable(task.workload, workload)]
    if not known:
        return None
    nearest = max(known, key=lambda task: work(task.workload))
    return nearest.call_s * work(workload) / work(nearest.workload)


def needed_s(call_s: float, procedure: Procedure) -> float:
    """Estimated seconds of a warm-up and the least number of timed calls."""
    return WARMUP_CALLS * call_s + owed_s(call_s, procedure)


def _comparable(one: Workload, other: Workload) -> bool:
    own_sizes = (one.input_size is None) == (other.input_size is None)
    return one.variant == other.variant and own_sizes
