"""Verdicts, and what is behind them, as tables of a report and as lines of a terminal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.catalogue import UNSEEN
from inferometer.core.record import Record
from inferometer.core.statement import TEXT
from inferometer.report.document import marks
from inferometer.report.document.fields import Fields, done, rows, text
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import few

_NUMBER = re.compile(r"\d[\d.,]*( [µm]?s)?")


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
    """Every verdict with its causes, each once: `contended: 12 workloads: unet 224/8: another …`.

    Of several workloads with a cause of one kind the first is told. What could not be observed
    comes last.
    """
    measured = [record for record in records if record.status == "ok"]
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for record in measured:
        causes = [cause for cause in record.causes if cause.code not in UNSEEN]
        for code, sentence in [(one.code, str(one)) for one in causes] or [("", "")]:
            # Those of earlier versions have no code: sentences that differ in their numbers alone.
            kind = code if code != TEXT else _NUMBER.sub("#", sentence)
            group = groups.setdefault((str(record["verdict"]), kind), [])
            group.append((record.workload.label, sentence))
    ordered = sorted(groups.items(), key=lambda group: group[0][0])
    return [_line(verdict, found) for (verdict, _), found in ordered] + unseen(measured)


def _line(verdict: str, found: Sequence[tuple[str, str]]) -> str:
    """A verdict and one kind of cause, with the workloads that have it."""
    labels = [label for label, _ in found]
    sentences = list(dict.fromkeys(sentence for _, sentence in found))
    if len(sentences) == 1:
        told = sentences[0]
        return f"{verdict}: {few(labels)}{': ' * bool(told)}{told}"
    return f"{verdict}: {len(found)} workloads, such as {labels[0]}: {sentences[0]}"


def unseen(records: Sequence[Record], least: float = 0.0) -> list[str]:
    """What could not be observed, each once, with the number of workloads where not of all.

    Args:
        records: of the workloads.
        least: share of the workloads below which it is not told.
    """
    causes = (one for record in records for one in record.causes if one.code in UNSEEN)
    found = Counter(map(str, causes))
    total = len(records)
    return [
        cause if number == total else f"{number} of {total} workloads: {cause}"
        for cause, number in found.items()
        if number >= least * total
    ]


def _seen(record: Record) -> list[str]:
    return [str(cause) for cause in record.causes if cause.code not in UNSEEN]
