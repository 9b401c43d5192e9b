"""Profiles each variant at one shape, after all latencies, to tell where the time of a call goes.

The profiler slows a call down and stays in its process, so each variant gets a process of its own,
which ends afterwards: no instance that is timed was ever profiled.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from inferometer.backends import backend
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.operators import to_text
from inferometer.core.procedure import Procedure
from inferometer.core.protocols import MayProfile
from inferometer.core.record import Record
from inferometer.core.roofline import Roofline, roofline_for
from inferometer.core.sections import OperatorTimes
from inferometer.core.statement import Statement
from inferometer.core.workload import CONTROL, Shape, Variant
from inferometer.figures.operators import operator_times
from inferometer.runner.journal import Journal
from inferometer.runner.phases.roofline import rates_of
from inferometer.runner.profile import Profiled, ProfileRequest, profile_of
from inferometer.runner.progress import ProgressReporter
from inferometer.runner.workers.pool import CLOSING_S

OPERATORS = "operators"
"""Name of the phase."""
MOST_SHARE = 0.15
"""Of the budget, kept for it at the most."""
SECONDS = 2.0
"""Of profiling one variant."""
EACH_S = 8.0
"""What one variant takes, about: most of it is to start a process and to load the model."""
LEAST_LEFT_S = 5.0
"""Of the budget; with less, no process is started."""


@dataclass(kw_only=True)
class OperatorMeasurement:
    """Profiles variants whose records lack it, those of the quickest calls first.

    Attributes:
        procedure: whose budget begins now.
        journal: where records go.
        rooflines: what the device attains at best.
    """

    procedure: Procedure
    journal: Journal
    rooflines: Sequence[Roofline]

    def execute(self, records: Sequence[Record]) -> None:
        """Profile what of a run lacks it and fits into the time; the others say why not."""
        budget_s = self.procedure.budget_s
        self._end = float("inf") if budget_s is None else time.monotonic() + budget_s - CLOSING_S
        self._progress = ProgressReporter(self.journal.listener)
        chosen = {one.workload for one in profiled_records(records)}
        for record in sorted(lacking(records), key=_latency_s):
            # the other shapes of a variant are told by the record of the common one
            is_chosen = record.workload in chosen
            self._amend(record, self._times(record) if is_chosen else OperatorTimes())

    def _times(self, record: Record) -> OperatorTimes:
        """Where the time of a workload goes, or why that is not known."""
        workload = record.workload
        if not may_profile(workload.variant):
            seen = {"backend": workload.variant.backend}
            return OperatorTimes(operator_times_reason=Statement("operators_no_profiler", seen))
        if self._end - time.monotonic() < LEAST_LEFT_S:
            return OperatorTimes(operator_times_reason=Statement("operators_no_time"))
        self._progress.doing("profiling", workload)
        request = ProfileRequest(
            workload=workload,
            seconds=SECONDS,
            seed=self.procedure.seed,
            timeout_s=self.procedure.timeout_s,
            end=self._end,
            memory_limit_bytes=self.procedure.memory_limit_bytes,
        )
        try:
            return times_of(profile_of(request), roofline_for(workload, self.rooflines))
        except WorkloadError as error:
            seen = {"message": str(error), "kind": error.kind}
            return OperatorTimes(operator_times_reason=Statement("operators_failed", seen))

    def _amend(self, record: Record, found: OperatorTimes) -> None:
        figures = {**record.reached(OPERATORS).figures, **found.figures()}
        self.journal.amend(replace(record, figures=figures, rounds=()))


def times_of(found: Profiled, roofline: Roofline | None) -> OperatorTimes:
    """The fields of the record that a profile tells."""
    profile = found.profile
    rates = None if roofline is None else rates_of(roofline)
    return OperatorTimes(
        operator_times=to_text(operator_times(profile.tree, found.cost, rates)),
        operator_times_latency_s=profile.plain.value,
        operator_times_added=profile.added.value,
    )


def may_profile(variant: Variant) -> bool:
    """Whether the backend of a variant has a profiler for it."""
    try:
        found = backend(variant.backend)
    except InputError:
        return False
    return variant.model != CONTROL and isinstance(found, MayProfile) and found.profiles(variant)


def share_kept(variants: Sequence[Variant], budget_s: float | None) -> float:
    """Of the budget, what is kept for those that can be profiled."""
    planned_s = EACH_S * sum(map(may_profile, variants))
    return min(planned_s / budget_s, MOST_SHARE) if budget_s else 0.0


def lacking(records: Iterable[Record]) -> list[Record]:
    """Records with latencies, to which it did not come."""
    return [one for one in records if one.status == "ok" and one.lacks(OPERATORS)]


def profiled_records(records: Iterable[Record]) -> list[Record]:
    """One record of each variant: at the smallest shape that most variants were measured at."""
    by_variant: dict[object, dict[Shape, Record]] = defaultdict(dict)
    for record in (one for one in records if one.status == "ok"):
        by_variant[_variant(record)][record.workload.shape] = record
    shapes = [shape for found in by_variant.values() for shape in found]
    order = partial(_order, shapes=shapes)
    return [found[min(found, key=order)] for found in by_variant.values()]


def _latency_s(record: Record) -> float:
    return record.number("latency_median_s") or 0.0


def _variant(record: Record) -> object:
    workload = record.workload
    return workload.variant, workload.device, workload.threads


def _order(shape: Shape, shapes: Sequence[Shape]) -> tuple[int, int, int]:
    """The shapes that most variants have come first, then the smaller."""
    return -shapes.count(shape), shape.input_size or 0, shape.batch_size
