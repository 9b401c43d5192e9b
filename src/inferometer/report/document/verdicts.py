"""Verdicts, and what is behind them, as tables of a report and as lines of a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.catalogue import UNSEEN
from inferometer.core.record import Record
from inferometer.report.document import marks
from inferometer.report.document.fields import Fields, done, rows, text
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import few


def verdict_table(grid: Grid) -> Table:
    """Each verdict, what it means, and the workloads that have it."""
    groups: dict[str, list[str]] = {}
    for (shape, column), record in grid.cells.items():
        verdict = record.figures.get("verdict")
        if record.status == "ok" and verdict:
            groups.setdefault(str(verdict), []).append(f"{column.label} {shape.label}")
    lines = [
        [verdict, marks.verdict_meaning(verdict), units.count(len(labels)), few(labels)]
        for verdict, labels in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
    return table(["verdict", "meaning", "workloads", "which"], lines, left=4)


def cause_table(grid: Grid) -> Table:
    """What was seen behind each verdict; a workload of which nothing was seen has no row."""
    fields: Fields = {"verdict": text("verdict"), "why": lambda record: "; ".join(_seen(record))}
    places = [place for column in grid.columns for place in done(grid, column)]
    found = rows([place for place in places if _seen(place[2])], fields)
    return table(found.heads, found.rows, left=len(found.heads))


def verdict_lines(records: Iterable[Record]) -> list[str]:
    """Every verdict with its causes: `contended: unet 224/8: another program used …`.

    What could not be observed comes last, each once.
    """
    measured = [record for record in records if record.status == "ok"]
    groups: dict[tuple[str, str], list[str]] = {}
    for record in measured:
        key = (str(record["verdict"]), "; ".join(_seen(record)))
        groups.setdefault(key, []).append(record.workload.label)
    ordered = sorted(groups.items(), key=lambda group: group[0][0])
    return [
        f"{verdict}: {', '.join(labels)}{': ' * bool(listed)}{listed}"
        for (verdict, listed), labels in ordered
    ] + unseen(measured)


def unseen(records: Sequence[Record]) -> list[str]:
    """What could not be observed, each once, with the number of workloads where not of all."""
    causes = (one for record in records for one in record.causes if one.code in UNSEEN)
    found = Counter(map(str, causes))
    total = len(records)
    return [
        cause if number == total else f"{number} of {total} workloads: {cause}"
        for cause, number in found.items()
    ]


def _seen(record: Record) -> list[str]:
    return [str(cause) for cause in record.causes if cause.code not in UNSEEN]
