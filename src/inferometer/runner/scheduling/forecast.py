"""How long the calls of a workload will take, judged by smaller shapes of the same variant."""

from __future__ import annotations

from inferometer.core.procedure import Procedure
from inferometer.core.workload import Variant, Workload
from inferometer.runner.scheduling.task import owed_s

WARMUP_CALLS = 2
"""Calls that a warm-up of a slow workload takes, the first included."""


class CallTimes:
    """Seconds of a call: those that were seen, and what follows from them for other shapes."""

    def __init__(self) -> None:
        self._seen: dict[Workload, float] = {}
        self._largest: dict[tuple[Variant, bool], Workload] = {}

    def learn(self, workload: Workload, call_s: float) -> None:
        """Take what a call of a workload took into account."""
        self._seen[workload] = call_s
        largest = self._largest.setdefault(_line(workload), workload)
        if work(workload) > work(largest):
            self._largest[_line(workload)] = workload

    def of(self, workload: Workload) -> float | None:
        """What was seen, else in proportion to the largest shape of the variant that was seen.

        Returns:
            Seconds, or None where no shape of the variant is known.
        """
        largest = self._largest.get(_line(workload))
        if largest is None or workload in self._seen:
            return self._seen.get(workload)
        return self._seen[largest] * work(workload) / work(largest)


def work(workload: Workload) -> float:
    """A number that grows with the cost of a call, among shapes of one model: pixels, mostly."""
    return float(workload.batch_size * (workload.input_size or 1) ** 2)


def needed_s(call_s: float, procedure: Procedure) -> float:
    """Estimated seconds of a warm-up and the least number of timed calls."""
    return WARMUP_CALLS * call_s + owed_s(call_s, procedure)


def _line(workload: Workload) -> tuple[Variant, bool]:
    """What workloads have in common that can be compared: a model's own size has no number."""
    return workload.variant, workload.input_size is None
