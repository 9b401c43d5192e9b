"""Workloads that are not worth trying, given what happened to others."""

from __future__ import annotations

from inferometer.core.record import Failure, Status
from inferometer.core.workload import Variant, Workload

Verdict = tuple[Status, Failure]


class Exclusions:
    """Learns from failures which of the workloads to come need not be tried, and says why.

    Args:
        skip_larger_after_oom: whether larger batches of a shape that ran out of memory are skipped.
    """

    def __init__(self, *, skip_larger_after_oom: bool) -> None:
        self.skip_larger = skip_larger_after_oom
        self._broken: dict[Variant, tuple[Workload, Failure]] = {}
        self._full: dict[tuple[Variant, int | None], int] = {}
        self._own_shape: dict[tuple[Variant, int], Workload] = {}

    def learn(self, workload: Workload, failure: Failure) -> None:
        """Take a failure into account."""
        if failure.kind == "budget":
            return
        if failure.stage in ("prepare", "load"):
            self._broken[workload.variant] = (workload, failure)
        elif failure.kind == "out_of_memory" and self.skip_larger:
            shape = (workload.variant, workload.input_size)
            self._full[shape] = min(workload.batch_size, self._full.get(shape, 1 << 62))

    def learn_own_shape(self, workload: Workload) -> None:
        """The asked-for input size had no effect: other sizes would measure the same again."""
        self._own_shape.setdefault((workload.variant, workload.batch_size), workload)

    def verdict(self, workload: Workload) -> Verdict | None:
        """Status and reason for a workload that need not be tried; None where it is to be tried."""
        if workload.variant in self._broken:
            first, failure = self._broken[workload.variant]
            message = f"{failure.message} (seen with {first.label}, not tried again)"
            return "failed", Failure(stage=failure.stage, kind=failure.kind, message=message)
        full = self._full.get((workload.variant, workload.input_size))
        if full is not None and workload.batch_size > full:
            message = (
                f"batch {full} of this shape ran out of memory "
                "(--try-larger measures larger batches all the same)"
            )
            return "skipped", Failure(stage="warmup", kind="out_of_memory", message=message)
        same = self._own_shape.get((workload.variant, workload.batch_size))
        if same is not None and same != workload:
            message = (
                "the model's inputs have a shape of their own, which an input size does not "
                f"change: see {same.label}"
            )
            return "skipped", Failure(stage="warmup", kind="unsupported", message=message)
        return None
