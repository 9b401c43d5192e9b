"""Sentences that the terminal and the page share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from inferometer.analysis.findings import Tested
from inferometer.analysis.grid import Column, FailureGroup, Grid
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.workload import Shape
from inferometer.report.document.marks import MARKS, MEANINGS, NOT_TRIED, Spread, spread_of

ELSEWHERE = frozenset({"forecast_lower_bound", "peaks_apart"})
"""Notes of one figure, which stand with it in the page and in results.csv."""
_FIGURES = re.compile(r"(?<![\w.])[0-9][0-9.,]*")


def local_time(at: float) -> str:
    """A Unix time for people, in the local time zone: `2026-11-23 15:02`."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")


def target_of(run: Run | None) -> float | None:
    """Relative half-width at which a workload of the run was done; None where there was none."""
    procedure = run.document.get("procedure") if run else None
    target = procedure.get("target") if isinstance(procedure, dict) else None
    return float(target) if isinstance(target, int | float) else None


def what_cells_show(records: Sequence[Record], target: float | None) -> str:
    """What the figures of the latency table are."""
    if all(record.latency is None for record in records):
        return "No latency was measured."
    spread: Spread = spread_of(records)
    if spread == "std":
        return "Mean time per call of one batch ± standard deviation."
    if spread == "none":
        return "Mean time per call of one batch; no deviations are known."
    levels = [level for record in records if (level := record.number("latency_confidence"))]
    if not levels:
        return "Median time per call of one batch; too few calls for an interval."
    aim = f" (target ± {units.percent(target)})" if target else ""
    confidence = units.percent(min(levels))
    shown = [record.latency for record in records]
    if spread == "relative":
        shown = [latency and latency.compared() for latency in shown]
    compared = " for comparisons within the run" * (spread == "relative")
    means = any(r.latency and r.number("latency_median_s") is None for r in records)
    also = " Where only a mean is known, it is shown." * means
    return (
        f"Median time per call of one batch ± half of its {confidence} interval{compared}{aim}."
        f"{_exceptions(shown)}{also}"
    )


def what_they_are_worth(records: Sequence[Record]) -> str:
    """What is common to all figures of a joint fit, and what they can be used for."""
    return " ".join(part for part in (common_part(records), uses(records)) if part)


def _exceptions(latencies: Sequence[Estimate | None]) -> str:
    """Which figures do not stand with half of an interval: lopsided ones, and those without one."""
    known = [one for one in latencies if one is not None]
    pairs = [(one.value, one.low, one.high) for one in known]
    lopsided = any(
        units.is_lopsided(value, low, high)
        for value, low, high in pairs
        if low is not None and high is not None
    )
    without = sum(low is None or high is None for _, low, high in pairs)
    told = " In square brackets: both ends, where half of the interval would mislead." * lopsided
    return told + f" {without} of {len(known)} have no interval." * bool(without)


def common_part(records: Sequence[Record]) -> str:
    """What is common to all figures of a joint fit; empty without one."""
    halves = [half for one in records if (half := one.number("latency_state_half_width"))]
    if not halves:
        return ""
    return (
        f"Common to all figures, and in no comparison: the device's own speed moved, which leaves "
        f"their level uncertain by ± {units.half_width(max(halves))}."
    )


def uses(records: Sequence[Record]) -> str:
    """What the latencies may be used for, with why not for more; empty where nobody judged."""
    found = Counter(
        str(use) for one in records if one.latency and (use := one.figures.get("usable_for"))
    )
    if not found:
        return ""
    total = sum(found.values())
    if found["absolute"] == total:
        return "All of them can be used for absolute claims."
    parts = [f"{count} of {total} {what}" for use, what in USES.items() if (count := found[use])]
    held = [one for one in records if one.latency and one.figures.get("usable_for") != "absolute"]
    verdicts = Counter(str(one.figures.get("verdict")) for one in held)
    why = ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())
    return f"Usable for: {'; '.join(parts)} (verdicts of those: {why})."


USES = {
    "absolute": "for absolute claims and ranking",
    "ranking": "for ranking within the run alone",
    "none": "for neither",
}
"""What a latency may be used for, in words."""


def outcome(run: Run, records: Sequence[Record]) -> str:
    """How far the run came: `44 workloads: 40 ok, 3 failed, 1 not reached`."""
    counts = {s: sum(r.status == s for r in records) for s in ("ok", "failed", "skipped")}
    total = max(run.planned, len(records))
    counts["not reached"] = total - len(records)
    parts = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    return f"{plural(total, 'workload')}: {parts or 'none measured'}"


def shapes(group: FailureGroup, most: int = 6) -> str:
    """The cells of a group: `unet at 448/8, 448/16`."""
    return f"{group.column.label} at {shape_list(group.shapes, most)}"


def shape_list(found: Sequence[Shape], most: int = 6) -> str:
    """Shapes, the first few of them: `224/1, 224/2 and 9 more`."""
    return few([shape.label for shape in found], most)


def few(names: Sequence[str], most: int = 6) -> str:
    """The first of many: `a, b and 9 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def headline(group: FailureGroup) -> str:
    """What happened to a group of cells, without the message."""
    meaning = MEANINGS[group.kind]
    return NOT_TRIED.get(group.kind, meaning) if group.skipped else meaning


def message(group: FailureGroup) -> str:
    """What was said of a group of cells, without the mark that stands before it."""
    return group.message.removeprefix(f"{MARKS[group.kind]}: ")


def notes(grid: Grid) -> list[str]:
    """What the records say should be known; each with its variants where not all say it.

    Notes that differ in their figures alone are told once, with the first of them.
    """
    texts: dict[str, list[str]] = {}
    cells: dict[str, list[tuple[Column, Shape]]] = {}
    for column in grid.columns:
        for shape in grid.shapes:
            record = grid.cell(shape, column)
            told = [one for one in (record.notes if record else ()) if one.code not in ELSEWHERE]
            for text in dict.fromkeys(map(str, told)):
                like = _FIGURES.sub("#", text)
                texts.setdefault(like, []).append(text)
                cells.setdefault(like, []).append((column, shape))
    return [_note(grid, said, cells[like]) for like, said in texts.items()]


def _note(grid: Grid, said: Sequence[str], cells: Sequence[tuple[Column, Shape]]) -> str:
    columns, text = list(dict.fromkeys(column for column, _ in cells)), said[0]
    if len(set(said)) > 1:
        column, shape = cells[0]
        others = plural(len(cells) - 1, "other workload")
        return f"{column.label} {shape.label}: {text}; likewise, with other figures, {others}"
    return text if len(columns) == len(grid.columns) else f"{_who(grid, columns)}: {text}"


def _who(grid: Grid, columns: Sequence[Column]) -> str:
    """Variants by name; by their settings alone where all variants under these are meant."""
    names: dict[str, None] = {}
    for column in columns:
        alike = [other for other in grid.columns if other.details == column.details]
        whole = column.details and all(other in columns for other in alike)
        names[", ".join(column.details) if whole else column.label] = None
    return joined(list(names))


def evidence(one: Tested) -> tuple[str, str]:
    """The answer of a hypothesis in two: its strongest evidence in a line, and what follows it."""
    _, _, told = one.sentence.partition(": ")
    short, _, rest = (told or one.sentence).partition(". ")
    return short.rstrip("."), rest


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def plural(n: int, noun: str, several: str = "") -> str:
    """`1 workload`, `2 workloads`; the plural where an s does not make it."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {several or f'{noun}s'}"


def sentence(text: str) -> str:
    """A message as a sentence: a capital first, a full stop last."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
