"""Bars of a point: thin for its interval, thick for the one that holds within its run.

A point without any interval would look like the surest of all: its marker is hollow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from inferometer.analysis.series import Point
from inferometer.report.plots.choice import BARS, HOLLOW

THIN, THICK = 1.0, 3.5
_GREY = "#666666"


def draw_bars(axes: Axes, points: Sequence[Point], colours: Sequence[str]) -> None:
    """The intervals of points, without the points; an end that is unknown has no bar.

    The bars of a kind and a colour are one line with holes, and so are their caps: an object of
    matplotlib for each series or bar takes most of the time that a plot of many variants takes.

    Args:
        axes: where.
        points: of all series.
        colours: of each point.
    """
    for relative, width, cap in ((False, THIN, 5.0), (True, THICK, 0.0)):
        bars: dict[str, list[tuple[float, float, float]]] = {}
        for point, colour in zip(points, colours, strict=True):
            x, low, high = _ends(point, relative=relative)
            if low < high:
                bars.setdefault(colour, []).append((x, low, high))
        for colour, ends in bars.items():
            xs = [value for x, _, _ in ends for value in (x, x, math.nan)]
            ys = [value for _, low, high in ends for value in (low, high, math.nan)]
            looks: dict[str, Any] = {"marker": "_", "markersize": cap} if cap else {}
            below: dict[str, Any] = {"zorder": 1, "color": colour, "solid_capstyle": "butt"}
            axes.plot(xs, ys, linewidth=width, **below, **looks)


def hollow(points: Sequence[Point]) -> list[Point]:
    """Those that have no interval."""
    return [
        point
        for point in points
        if (point.low, point.high, point.relative_low, point.relative_high) == (None,) * 4
    ]


def bar_keys(points: Sequence[Point]) -> list[Line2D]:
    """What the legend says of the bars, where there are two kinds, and of points without any."""
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


def _ends(point: Point, *, relative: bool) -> tuple[float, float, float]:
    """Where the bar of a point is, and its ends; at the point itself where one is unknown."""
    low, high = (point.relative_low, point.relative_high) if relative else (point.low, point.high)
    return (
        point.x,
        point.y if low is None else min(low, point.y),
        point.y if high is None else max(high, point.y),
    )
