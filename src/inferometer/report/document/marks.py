"""What stands in a cell of the lab's table: a figure with its spread, or a mark for its absence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from inferometer.core import units
from inferometer.core.record import FailureKind, Record
from inferometer.core.shown import visible

Spread = Literal["relative", "interval", "std", "none"]
"""What follows a figure; `relative` is the interval for comparisons within a run."""

MARKS: dict[FailureKind, str] = {
    "out_of_memory": "OOM",
    "timeout": "timeout",
    "crash": "crash",
    "unsupported": "n/a",
    "bad_model": "raised",
    "non_finite_output": "NaN",
    "budget": "cut",
    "unknown": "none",
}

MEANINGS: dict[FailureKind, str] = {
    "out_of_memory": "ran out of memory",
    "timeout": "took longer than its time limit",
    "crash": "the worker process died",
    "unsupported": "this shape, precision or device is not supported",
    "bad_model": "the model raised an error",
    "non_finite_output": "the output holds NaN or infinity",
    "budget": "not measured: the time budget was spent",
    "unknown": "no figure, and nobody tells why",
}

NOT_TRIED: dict[FailureKind, str] = {
    "out_of_memory": "not tried: memory was not expected to hold it",
    "timeout": "not tried: a smaller batch did not answer in time",
    "unsupported": "not tried: this input size would change nothing in the model's inputs",
}
"""What a mark in brackets means: that of a workload which was skipped."""

WIDE = "*"
"""Follows a latency whose interval is wider than the target."""

VERDICTS: dict[str, tuple[str, str]] = {
    "noisy": (WIDE, "noisy: the interval is wider than the target"),
    "contended": ("c", "contended: something else used the device"),
    "throttled": ("t", "throttled: the device lowered its clock"),
    "swapped": ("s", "swapped: memory was short"),
    "drifting": ("d", "drifting: the latency was still changing"),
    "unstable": ("u", "unstable: the latency had no single level"),
}
"""Verdict → the mark that follows a figure, and what it means; a trusted one has none."""

UNFIT = "x"
"""Follows a latency of a joint fit that is fit for no use."""
USES = {
    UNFIT: "fit for no comparison: its relative interval is too wide, or it moved alone",
    VERDICTS["drifting"][0]: "it alone changed during the run, while the others did not",
}
"""Marks in a table of relative intervals, where what is common to all has no mark."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The text of a cell, and what a legend must explain.

    Attributes:
        text: the figure or the mark.
        legend: meaning of the mark; empty for a figure.
        mark: one character after the figure, as `VERDICTS` explains it.
    """

    text: str
    legend: str = ""
    mark: str = ""

    @property
    def tail(self) -> str:
        """What the text ends with: the mark; a letter stands apart from the unit."""
        return f" {self.mark}" if self.mark.isalpha() else self.mark


def cell(record: Record | None, spread: Spread) -> Cell:
    """The median latency of a record, or the mark of what it has instead."""
    if record is None:
        return Cell(text=units.ABSENT, legend="not in the study, or not reached yet")
    if record.failure is not None:
        return _mark(record.failure.kind, skipped=record.status == "skipped")
    latency = record.latency
    if latency is None:
        return Cell(text="?", legend="no latency in the record")
    if spread in ("relative", "interval"):
        if spread == "relative":
            latency = latency.compared()
        mark = use_mark(record) if spread == "relative" else verdict_mark(record)
        cell = Cell(text=units.latency(latency), mark=mark)
        return replace(cell, text=cell.text + cell.tail)
    std = record.number("latency_std_s") if spread == "std" else None
    mean = record.number("latency_mean_s")  # a deviation goes with the mean
    return Cell(text=units.plus_minus(latency.value if mean is None else mean, std))


def use_mark(record: Record) -> str:
    """The mark of what a latency of a joint fit is not usable for; none where it can be ranked."""
    if any(cause.code == "moved_alone" for cause in record.causes):
        return VERDICTS["drifting"][0]
    return UNFIT if record.figures.get("usable_for") == "none" else ""


def verdict_mark(record: Record) -> str:
    """The mark of a record's verdict; none where it is trusted or nobody knows."""
    verdict = str(record.figures.get("verdict"))
    if verdict in VERDICTS:
        return VERDICTS[verdict][0]
    return WIDE if record.figures.get("latency_target_met") is False else ""


def verdict_meaning(verdict: str) -> str:
    """What a verdict says; empty for one that nobody knows."""
    plain_words = {
        "trusted": "nothing that could be observed speaks against it",
        "unknown": "there is nothing to judge it by",
    }
    known = VERDICTS[verdict][1].partition(": ")[2] if verdict in VERDICTS else ""
    return plain_words.get(verdict, known)


def meanings(cells: Iterable[Cell], spread: Spread = "interval") -> dict[str, str]:
    """What the marks of some cells mean."""
    seen = {cell.mark for cell in cells}
    known = USES if spread == "relative" else dict(VERDICTS.values())
    return {mark: meaning for mark, meaning in known.items() if mark in seen}


def spread_of(records: Iterable[Record]) -> Spread:
    """What the cells of a table can show: one kind for all, never a mixture.

    Where figures were judged, medians are shown with their intervals and marks, also where none was
    reached: a deviation beside the mean would hide the verdict.
    """
    fields = {name for record in records for name, value in record.figures.items() if value}
    if "latency_relative_ci_low_s" in fields:
        return "relative"
    if {"latency_ci_low_s", "latency_ci_high_s"} <= fields:
        return "interval"
    if {"latency_median_s", "verdict"} <= fields:
        return "interval"
    return "std" if "latency_std_s" in fields else "none"


def plain(text: str) -> str:
    """One line without anything that a terminal would obey, or that turns how text is read."""
    return visible(re.sub(r"\s+", " ", text).strip())


def shorten(text: str, length: int) -> str:
    """One line of at most so many characters, cut at the end with an ellipsis."""
    line = plain(text)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _mark(kind: FailureKind, *, skipped: bool) -> Cell:
    if skipped and kind in NOT_TRIED:
        return Cell(text=f"({MARKS[kind]})", legend=NOT_TRIED[kind])
    return Cell(text=MARKS[kind], legend=MEANINGS[kind])
