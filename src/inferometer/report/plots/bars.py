"""Bars of a point: thin for its interval, thick for the one that holds within its run.

A point without any interval would look like the surest of all: its marker is hollow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from inferometer.analysis.series import Point
from inferometer.report.plots.choice import BARS, HOLLOW, Panel

THIN, THICK = 1.0, 3.5
_GREY = "#666666"


def draw_bars(axes: Axes, points: Sequence[Point], colour: str) -> None:
    """The intervals of points, without the points; an end that is unknown has no bar."""
    wholes = _lengths(points, lambda point: (point.low, point.high))
    relatives = _lengths(points, lambda point: (point.relative_low, point.relative_high))
    for lengths, width, cap in ((wholes, THIN, 2.5), (relatives, THICK, 0.0)):
        if not any(map(any, lengths)):
            continue
        axes.errorbar(
            [point.x for point in points],
            [point.y for point in points],
            yerr=lengths,
            fmt="none",
            ecolor=colour,
            elinewidth=width,
            capsize=cap,
        )


def hollow(points: Sequence[Point]) -> list[Point]:
    """Those that have no interval."""
    return [
        point
        for point in points
        if (point.low, point.high, point.relative_low, point.relative_high) == (None,) * 4
    ]


def bar_keys(panels: Sequence[Panel]) -> list[Line2D]:
    """What the legend says of the bars, where there are two kinds, and of points without any."""
    points = [point for panel in panels for one in panel.series for point in one.points]
    keys = []
    if any(point.relative_low is not None for point in points):
        kinds = zip((THICK, THIN), BARS, strict=True)
        keys = [Line2D([], [], color=_GREY, linewidth=width, label=label) for width, label in kinds]
    if hollow(points):
        keys.append(Line2D([], [], color=_GREY, linestyle="none", label=HOLLOW, **hollow_marker()))
    return keys


def hollow_marker(marker: str = "o") -> dict[str, Any]:
    """Keywords of matplotlib for a marker without an interval."""
    return {"marker": marker, "markersize": 5, "markerfacecolor": "white"}


def _lengths(
    points: Sequence[Point], ends: Callable[[Point], tuple[float | None, float | None]]
) -> list[list[float]]:
    """Lengths of the bars below and above each point; 0 where an end is unknown."""
    found = [(point.y, *ends(point)) for point in points]
    below = [0.0 if low is None else max(0.0, y - low) for y, low, _ in found]
    above = [0.0 if high is None else max(0.0, high - y) for y, _, high in found]
    return [below, above]
