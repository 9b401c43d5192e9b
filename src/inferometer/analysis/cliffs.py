"""Records → what is known of the batch sizes at which throughput collapses or memory runs out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.analysis.grid import Grid
from inferometer.core.lines import Attempt, attempt, call_limit_s, lines
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.sweep import study_of
from inferometer.core.workload import size_label
from inferometer.stats.cliffs import DROP, Search, search

CERTAIN = ("trusted", "noisy")
"""Verdicts under which a fall that its interval shows is one; another may be the neighbours'."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One variant at one input size.

    Attributes:
        label: for people: `resnet18 at 224`.
        search: what is known, and what is still to be tried.
        doubt: the verdict of the first batch size after a collapse where it is in doubt; or empty.
        unproven: relative fall from the best batch size to the largest that worked, where it is as
            deep as a collapse and yet none, since noise or neighbours may explain it; else None.
        procedure: with the limits that ended the search.
    """

    label: str
    search: Search
    doubt: str
    unproven: float | None
    procedure: Procedure


def cliffs(grid: Grid, run: Run) -> list[Line]:
    """The lines of a run that looked for cliffs, in the order of the columns; none of another run.

    Args:
        grid: the records of the run, perhaps among others.
        run: the run.
    """
    study = study_of(run)
    if study is None or study.procedure.find_cliff is None:
        return []
    found = []
    for column in grid.columns:
        if column.run_id == run.id:
            for workload, records in lines(grid.records(column)).items():
                if workload.is_control:
                    continue
                label = f"{column.label} at {size_label(workload.input_size)}"
                found += _line(label, records, study.procedure)
    return found


def _line(label: str, records: Sequence[Record], procedure: Procedure) -> list[Line]:
    points = [point for record in records if (point := attempt(record)) is not None]
    if not points:
        return []
    known = search(points, most_s=call_limit_s(procedure))
    return [
        Line(
            label=label,
            search=known,
            doubt=_doubt(known, records),
            unproven=_unproven(known, points),
            procedure=procedure,
        )
    ]


def _doubt(known: Search, records: Sequence[Record]) -> str:
    if known.collapse is None:
        return ""
    bad = next(one for one in records if one.workload.batch_size == known.collapse.bad)
    verdict = str(bad.figures.get("verdict") or "")
    return "" if verdict in CERTAIN else verdict


def _unproven(known: Search, points: Sequence[Attempt]) -> float | None:
    rates = {point.at: point.rate for point in points if point.rate is not None}
    if known.collapse is not None or known.best_rate is None:
        return None
    fall = 1 - rates[max(rates)] / known.best_rate
    return fall if fall >= DROP else None
