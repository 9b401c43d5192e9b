"""Workloads that are not worth trying, given what happened to others."""

from __future__ import annotations

from inferometer.core.record import Failure, FailureKind, Status
from inferometer.core.workload import Variant, Workload

Outcome = tuple[Status, Failure]

HOPELESS: dict[FailureKind, str] = {
    "out_of_memory": "ran out of memory",
    "timeout": "did not answer in time",
}
"""Failures that larger batches would only repeat, at the price of memory or of another wait."""


class Exclusions:
    """Learns from failures which of the workloads to come need not be tried, and says why.

    Args:
        skip_larger: whether larger batches are skipped after one that ran out of memory or time.
    """

    def __init__(self, *, skip_larger: bool) -> None:
        self.skip_larger = skip_larger
        self._broken: dict[Variant, tuple[Workload, Failure]] = {}
        self._too_large: dict[tuple[Variant, int | None], tuple[int, FailureKind]] = {}
        self._own_shape: dict[tuple[Variant, int], Workload] = {}

    def learn(self, workload: Workload, failure: Failure) -> None:
        """Take a failure into account."""
        if failure.kind == "budget":
            return
        if failure.stage in ("prepare", "load"):
            self._broken[workload.variant] = (workload, failure)
        elif failure.kind in HOPELESS and self.skip_larger:
            shape = (workload.variant, workload.input_size)
            smallest = self._too_large.get(shape)
            if smallest is None or workload.batch_size < smallest[0]:
                self._too_large[shape] = (workload.batch_size, failure.kind)

    def learn_own_shape(self, workload: Workload) -> None:
        """The asked-for input size had no effect: other sizes would measure the same again."""
        self._own_shape.setdefault((workload.variant, workload.batch_size), workload)

    def outcome(self, workload: Workload) -> Outcome | None:
        """Status and reason for a workload that need not be tried; None where it is to be tried."""
        if workload.variant in self._broken:
            first, failure = self._broken[workload.variant]
            message = f"{failure.message} (seen with {first.label}, not tried again)"
            return "failed", Failure(stage=failure.stage, kind=failure.kind, message=message)
        limit = self._too_large.get((workload.variant, workload.input_size))
        if limit is not None and workload.batch_size > limit[0]:
            batch, kind = limit
            message = (
                f"batch {batch} of this input size {HOPELESS[kind]} "
                "(--try-larger measures larger batches all the same)"
            )
            return "skipped", Failure(stage="warmup", kind=kind, message=message)
        same = self._own_shape.get((workload.variant, workload.batch_size))
        if same is not None and same != workload:
            message = (
                "the model's inputs have a shape of their own, which an input size does not "
                f"change: see {same.label}"
            )
            return "skipped", Failure(stage="warmup", kind="unsupported", message=message)
        return None
