"""Draws workloads over time: runs, levels with their intervals, and changes with their causes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from inferometer.analysis.history.course import History, Marked
from inferometer.report.document.history import (
    cells,
    change_text,
    difference_text,
    shown_values,
)
from inferometer.report.document.marks import shorten
from inferometer.report.plots.figures import COLOURS, FAINT, saved, settings

MOST = 12
"""Workloads of a figure; more would be too small to see."""
_INCHES = (7.0, 2.2)
_TITLE, _LINE, _LINES = 90, 40, 3
DAY_S, HALF_DAY = 86400.0, 0.5
_TICKS = 5
_ROOM = 0.3  # share of the width that words need
_TAIL = 0.4  # in logarithms: what is further from the levels is drawn at the edge


def draw_histories(found: Sequence[History], name: str) -> dict[str, bytes]:
    """A figure of the first workloads in each format, by file name.

    Args:
        found: at least one with a run.
        name: of the files, without a suffix.
    """
    with settings():
        return saved(_figure([one for one in found if one.series.points][:MOST]), name)


def _figure(found: Sequence[History]) -> Figure:
    figure = Figure(layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_size_inches(_INCHES[0], _INCHES[1] * len(found) + 0.3)
    stack: list[Axes] = list(figure.subplots(len(found), 1, squeeze=False).flat)
    for axes, one in zip(stack, found, strict=True):
        _panel(axes, one)
    return figure


def _panel(axes: Axes, one: History) -> None:
    """Runs of a workload as a share of its first level."""
    values, levels = shown_values(one), one.course.levels
    base = levels[0].mean if levels else sorted(values)[len(values) // 2]
    times = [point.run.created_at / DAY_S for point in one.series.points]
    _runs(axes, one, times, [_percent(value - base) for value in values])
    for level in levels:
        ends = (times[level.first] - HALF_DAY, times[level.last] + HALF_DAY)
        low, high = (level.mean - base + sign * 1.96 * level.standard for sign in (-1, 1))
        axes.fill_between(ends, _percent(low), _percent(high), color=FAINT)
        axes.plot(ends, [_percent(level.mean - base)] * 2, color=COLOURS[1], linewidth=1.2)
    for marked in one.changes:
        _change(axes, marked, times)
    axes.set_title(shorten(cells(one)[0], _TITLE))
    what = "over the control, " if one.is_told_apart else ""
    axes.set_ylabel(f"latency {what}\n% of {'first level' if levels else 'median'}")
    ticks = [times[0] + part * (times[-1] - times[0]) / _TICKS for part in range(_TICKS + 1)]
    axes.xaxis.set_major_locator(FixedLocator(list(dict.fromkeys(ticks))))
    axes.xaxis.set_major_formatter(lambda day, _position: _date(day))
    axes.grid(visible=True, color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _runs(axes: Axes, one: History, times: Sequence[float], shares: Sequence[float]) -> None:
    """Runs as points, outliers as crosses."""
    outliers = set(one.course.outliers)
    for is_outlier, marker, colour in ((False, "o", COLOURS[0]), (True, "x", "#888888")):
        mine = [number for number in range(len(shares)) if (number in outliers) is is_outlier]
        axes.plot(
            [times[number] for number in mine],
            [shares[number] for number in mine],
            marker,
            color=colour,
            markersize=3,
        )


def _change(axes: Axes, marked: Marked, times: Sequence[float]) -> None:
    """A change: its place, the places that it may have, by how much, and what changed with it."""
    change = marked.change
    axes.axvspan(
        times[change.earliest] - HALF_DAY,
        times[change.latest] - HALF_DAY,
        color=COLOURS[1],
        alpha=0.15,
        linewidth=0,
    )
    axes.axvline(times[change.at] - HALF_DAY, color=COLOURS[1], linewidth=0.8, linestyle="dashed")
    lines = [change_text(change.shift), *map(difference_text, marked.differences)]
    early = times[change.at] - times[0] < _ROOM * (times[-1] - times[0])
    left = marked.is_slower and not early  # where there are no runs
    axes.annotate(
        "\n".join(shorten(line, _LINE) for line in lines[:_LINES]),
        (times[change.at] - HALF_DAY, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if left else 3, -2),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        fontsize=7,
    )


def _percent(log_ratio: float) -> float:
    return 100 * math.exp(min(max(log_ratio, -_TAIL), _TAIL))


def _date(day: float) -> str:
    """Of days since 1970, in the local time zone."""
    return f"{datetime.fromtimestamp(day * DAY_S).astimezone():%Y-%m-%d}"
