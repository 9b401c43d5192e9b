"""How long the calls of a workload will take, judged by smaller shapes of the same variant."""

from __future__ import annotations

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.workload import Variant, Workload
from inferometer.runner.scheduling.task import owed_s

FORETELLING = 3
"""Shapes by which a larger one is foretold."""
WARMUP_CALLS = 2
"""Calls that a warm-up of a slow workload takes, the first included."""


class CallTimes:
    """Seconds of a call: those that were seen, and what follows from them for other shapes."""

    def __init__(self) -> None:
        self._seen: dict[Workload, float] = {}

    def learn(self, workload: Workload, call_s: float) -> None:
        """Take what a call of a workload took into account."""
        # One call that somebody disturbed shall not set the forecast.
        self._seen[workload] = min(call_s, self._seen.get(workload, call_s))

    def of(self, workload: Workload) -> float | None:
        """What was seen, else in proportion to the largest shapes of the variant that were seen.

        The least of three: a call that somebody disturbed foretells nothing.

        Returns:
            Seconds, or None where no shape of the variant is known.
        """
        if workload in self._seen:
            return self._seen[workload]
        known = [one for one in self._seen if _line(one) == _line(workload)]
        largest = sorted(known, key=work, reverse=True)[:FORETELLING]
        return min((self._seen[one] * work(workload) / work(one) for one in largest), default=None)


def work(workload: Workload) -> float:
    """A number that grows with the cost of a call, among shapes of one model: pixels, mostly."""
    return float(workload.batch_size * (workload.input_size or 1) ** 2)


def needed_s(call_s: float, procedure: Procedure, least: int | None = None) -> float:
    """Estimated seconds of a warm-up and the least number of timed calls."""
    return WARMUP_CALLS * call_s + owed_s(call_s, procedure, least=least)


def _line(workload: Workload) -> tuple[Variant, bool]:
    """What workloads have in common that can be compared: a model's own size has no number."""
    return workload.variant, workload.input_size is None


def call_s(record: Record) -> float:
    """Seconds of a call, as measured."""
    return record.latency.value if record.latency else 0.0
