"""Where the time of each model goes by kind of operator: a table, sentences, and its bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.analysis.findings import TimeShares
from inferometer.analysis.grid import Grid
from inferometer.analysis.operators import time_shares
from inferometer.core import units
from inferometer.core.operators import DEPTHWISE, OTHER, OUTSIDE
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import joined

NAME = "operators"
"""Of the plot's files."""
TITLE = "Where the time goes, by kind of operator"
KINDS = (
    "convolution",
    DEPTHWISE,
    "matrix product",
    "attention",
    "normalisation",
    "element-wise",
    OTHER,
    OUTSIDE,
)
"""Parts of a bar, from the left; rarer kinds are among `OTHER`."""
LEAST = 0.1
"""Kinds with less of a call have no row of their own."""
MOST_LINES = 8


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A model in the plot.

    Attributes:
        label: of the variant and its shape.
        parts: shares of the call by kind, in the order of `KINDS`.
        bound: of all kinds that have one, as a share of the latency; None without a roofline.
    """

    label: str
    parts: tuple[float, ...]
    bound: float | None


def bars(found: Sequence[TimeShares]) -> list[Bar]:
    """The bars of the plot, as the models stand in the table."""
    return [
        Bar(label=f"{one.model} {one.shape}", parts=tuple(parts(one).values()), bound=bound(one))
        for one in found
    ]


def parts(found: TimeShares) -> dict[str, float]:
    """Shares of a call by `KINDS`."""
    sums = dict.fromkeys(KINDS, 0.0)
    for one in found.kinds:
        sums[one.kind if one.kind in sums else OTHER] += one.share
    return sums


def bound(found: TimeShares) -> float | None:
    """The roofline bounds of all kinds together, as a share of the latency."""
    bounds = [one.bound_seconds for one in found.kinds if one.bound_seconds is not None]
    return sum(bounds) / found.latency_s if bounds else None


def operator_table(grid: Grid) -> Table:
    """The kinds that take most of each variant's time."""
    rows = [
        [
            f"{found.model} {found.shape}",
            one.kind,
            units.percent(one.share),
            units.seconds(one.seconds),
            units.ratio(one.times_bound) if one.times_bound else "",
        ]
        for found in time_shares(grid)
        for one in found.kinds
        if one.share >= LEAST
    ]
    return table(["model", "operators", "share", "time", "times the bound"], rows, left=2)


def operator_lines(grid: Grid) -> list[str]:
    """What sets operators of a variant apart, and what the profiles are worth."""
    found = time_shares(grid)
    if not found:
        return []
    lines = [one.sentence for one in found if one.is_contrast][:MOST_LINES]
    added = [max(one.profiler_share, 0.0) for one in found]
    slowed = " to ".join(dict.fromkeys(map(units.percent, (min(added), max(added)))))
    lines.append(
        f"Profiling slowed the calls by {slowed}; the shares are of the profiled calls, and the "
        "times these shares of the latency."
    )
    off = [one.model for one in found if not one.comparable]
    if off:
        are = "profile of {} is" if len(off) == 1 else "profiles of {} are"
        lines.append(
            f"The {are.format(joined(off))} too far from the latency to compare models by: measure "
            "again on a quiet device."
        )
    return lines
