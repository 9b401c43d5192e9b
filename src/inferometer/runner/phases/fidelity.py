"""Compares what the variants of a run give with their reference, after their latencies are known.

A variant is judged once at each input size, at the smallest batch size of the run; its fidelity
does not depend on the batch size, and all records of it say the same.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from inferometer.core.errors import InputError
from inferometer.core.record import Failure, Record
from inferometer.core.sections import Fidelity
from inferometer.core.statement import Statement
from inferometer.core.workload import Variant
from inferometer.runner.comparing import MOST_S, Comparer, Reference, reference_of, variant_label
from inferometer.runner.journal import Journal
from inferometer.runner.phases.accuracy import LEAST_LEFT_S, sample_s
from inferometer.runner.progress import ProgressReporter
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import WorkerPool

FIDELITY = "fidelity"
"""Name of the phase."""
SHARE = 0.1
"""Of the budget, kept for fidelity where variants have a reference."""

Group = Sequence[Record]


class FidelityMeasurement:
    """Judges variants whose records lack it, those of the quickest models first.

    Args:
        data: reference of labelled data of which the samples are; None makes inputs up.
        journal: where records go.
        pool: workers; gone when `execute` returns.
    """

    def __init__(self, data: str | None, journal: Journal, pool: WorkerPool) -> None:
        self._data = data
        self._journal = journal
        self._pool = pool
        self._progress = ProgressReporter(journal.listener)
        self._waiting = 0
        pool.on_wait = self._progress.tell

    def execute(self, records: Group) -> None:
        """Judge what fits into the time; the other records say why not."""
        cases = _cases(records)
        self._waiting = sum(len(_by_variant(group)) for _, group in cases)
        try:
            with tempfile.TemporaryDirectory() as folder:
                comparer = Comparer(self._pool, Path(folder), data=self._data)
                for reference, group in cases:
                    self._case(comparer, reference, group)
        finally:
            self._pool.end_all()

    def _case(self, comparer: Comparer, variant: Variant | None, group: Group) -> None:
        """Judge the variants of one model at one input size."""
        mine = [one for one in group if one.workload.variant == variant or variant is None]
        self._amend(mine, Fidelity())
        others = [one for one in group if one not in mine]
        if not others or variant is None:
            return
        if self._pool.clock.left_s < LEAST_LEFT_S:
            self._amend(others, Fidelity(fidelity_reason=Statement("fidelity_no_time")))
            return
        smallest = min(group, key=lambda one: one.workload.batch_size)
        self._progress.doing("comparing", smallest.workload)
        try:
            reference = comparer.reference(variant, smallest.workload, seconds=self._allowed_s())
        except WorkerFailed as failed:
            seen = {"reference": variant_label(variant), "message": failed.failure.message}
            reason = Statement("fidelity_no_reference", seen)
            self._amend(others, Fidelity(fidelity_reason=reason))
            return
        for alike in _by_variant(others):
            self._judge(comparer, reference, alike)

    def _judge(self, comparer: Comparer, reference: Reference, alike: Group) -> None:
        """Judge records that differ in their batch size alone."""
        workload, seconds = alike[0].workload, self._allowed_s()
        self._waiting -= 1
        if self._pool.clock.left_s < LEAST_LEFT_S:
            found = Fidelity(fidelity_reason=Statement("fidelity_no_time"))
        else:
            self._progress.doing("comparing", workload)
            try:
                found = comparer.against(
                    reference, workload.variant, workload.device, seconds=seconds
                )
            except WorkerFailed as failed:
                found = Fidelity(fidelity_reason=_why(failed.failure))
        self._amend(alike, found)

    def _allowed_s(self) -> float:
        """For the outputs of one variant; what is not used goes to others."""
        return min(MOST_S, max(self._pool.clock.left_s, 0.0) / (self._waiting + 1))

    def _amend(self, records: Iterable[Record], found: Fidelity) -> None:
        for record in records:
            figures = {**record.reached(FIDELITY).figures, **found.figures()}
            self._journal.amend(replace(record, figures=figures, rounds=()))


def lacking(records: Iterable[Record]) -> list[Record]:
    """Records with latencies, whose fidelity was not reached."""
    return [one for one in records if one.status == "ok" and one.lacks(FIDELITY)]


def _cases(records: Group) -> list[tuple[Variant | None, Group]]:
    """Records with one reference at one input size, those of the quickest models first."""
    found: dict[tuple[Variant | None, int | None], list[Record]] = defaultdict(list)
    for record in sorted(records, key=sample_s):
        found[_reference(record.workload.variant), record.workload.input_size].append(record)
    return [(reference, group) for (reference, _), group in found.items()]


def _reference(variant: Variant) -> Variant | None:
    try:
        return reference_of(variant)
    except InputError:  # it was there when it was timed
        return None


def _by_variant(group: Group) -> list[Group]:
    """Records that differ in their batch size alone."""
    found: dict[object, list[Record]] = defaultdict(list)
    for record in group:
        found[record.workload.variant, record.workload.target].append(record)
    return list(found.values())


def _why(failure: Failure) -> Statement:
    return Statement("fidelity_failed", {"message": failure.message, "kind": failure.kind})
