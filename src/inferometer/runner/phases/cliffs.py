"""Measures further batch sizes of a run until it is known where throughput collapses or ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from inferometer.core.lines import attempt, call_limit_s, lines
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.sweep import Study
from inferometer.core.workload import Variant, Workload
from inferometer.runner.events import Notice
from inferometer.runner.journal import Journal
from inferometer.runner.workers.pool import CLOSING_S, clock_of
from inferometer.stats.cliffs import search

BEGINS = (
    "the study is measured; further batch sizes follow, to find where throughput or memory ends"
)
NO_TIME = "the budget ended before every cliff was found; --resume goes on with it"

Measure = Callable[[Procedure, Sequence[Workload]], None]


def next_workloads(
    study: Study, records: Sequence[Record], *, but: Collection[Workload] = ()
) -> list[Workload]:
    """What to measure next: one batch size of each variant at the most, so that its worker is new.

    It follows from the records alone: a run that was interrupted goes on as if it had not been.

    Args:
        study: with its procedure.
        records: of the study's workloads, and of what was measured beyond.
        but: leave these out.
    """
    if study.procedure.find_cliff is None:
        return []
    chosen: dict[Variant, Workload] = {}
    for line, found in lines(records).items():
        if line.is_control:
            continue
        points = [point for one in found if (point := attempt(one)) is not None]
        if not points:
            continue
        for batch in search(points, most_s=call_limit_s(study.procedure)).next:
            wanted = line.at(batch)
            if wanted not in but:
                chosen.setdefault(line.variant, wanted)
    return list(chosen.values())


def find_cliffs(study: Study, journal: Journal, measure: Measure, *, begin: float) -> None:
    """Measure further batch sizes until nothing is left to find, or the time is over.

    None is refused because of what is foreseen of it: where memory ends is what is looked for.

    Args:
        study: all its workloads have records.
        journal: where the records are.
        measure: measures workloads under a procedure, in fresh workers.
        begin: reading of `time.monotonic` at which the budget began.
    """
    clock, asked = clock_of(study.procedure, begin), set[Workload]()
    while wanted := next_workloads(study, journal.store.records(journal.run.id), but=asked):
        left_s = clock.left_s
        if left_s <= CLOSING_S:
            break
        if not asked:
            journal.listener(Notice(message=BEGINS))
        _plan(journal, wanted)
        budget_s = None if study.procedure.budget_s is None else left_s
        measure(replace(study.procedure, budget_s=budget_s, skip_larger=False), wanted)
        asked |= set(wanted)  # what a budget cut would be wanted again
    if next_workloads(study, journal.store.records(journal.run.id)):
        journal.listener(Notice(message=NO_TIME))


def _plan(journal: Journal, wanted: Sequence[Workload]) -> None:
    """Count what is measured beyond the study; what has a record already is open once more."""
    records = journal.store.records(journal.run.id)
    again = len({record.workload for record in records} & set(wanted))
    journal.run = replace(journal.run, planned=journal.run.planned + len(wanted) - again)
    journal.done -= again
