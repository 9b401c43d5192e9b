"""Draws the latency of each variant at one shape, the fastest first."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from inferometer.analysis.series import Point, point_of
from inferometer.core import units
from inferometer.report.plots.bars import THICK, THIN, bar_keys, hollow, hollow_marker
from inferometer.report.plots.choice import Ranking
from inferometer.report.plots.drawing import round_ticks, set_ticks, value_range
from inferometer.report.plots.figures import (
    COLOURS,
    FAINT,
    Drawing,
    legend_label,
    saved,
    settings,
)

_WIDTH, _ROW, _REST = 6.0, 0.3, 1.1
_LONGEST = 40
"""Letters of a name."""


def draw_ranking(plot: Ranking) -> dict[str, bytes]:
    """The plot in each format, by file name."""
    with settings():
        return saved(figure_of(plot), plot.name)


def figure_of(plot: Ranking) -> Drawing:
    """The plot as a figure, within `settings`."""
    figure = Drawing(figsize=(_WIDTH, _REST + _ROW * len(plot.ranked)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    points = [point_of(one.latency, place) for place, one in enumerate(plot.ranked)]
    for place, point in enumerate(points):
        _row(axes, place, point)
    axes.set(xscale="log", xlabel=f"latency per call, {plot.where}")
    axes.set_xlim(*value_range(points))
    axes.set_ylim(len(plot.ranked) - 0.5, -0.5)
    labels = [legend_label(one.column.label, _LONGEST) for one in plot.ranked]
    axes.set_yticks(range(len(labels)), labels=labels)
    set_ticks(axes, "x", round_ticks(*axes.get_xlim()), units.round_seconds)
    axes.grid(visible=True, axis="x", color=FAINT, linewidth=0.6)
    keys = bar_keys(points)
    if keys:
        figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return figure


def _row(axes: Axes, place: int, point: Point) -> None:
    """A variant's point with its intervals."""
    colour = COLOURS[0]
    ends = ((point.low, point.high, THIN), (point.relative_low, point.relative_high, THICK))
    for low, high, width in ends:
        if low is not None or high is not None:  # an end that is unknown has no bar
            begin, end = (point.y if one is None else one for one in (low, high))
            axes.hlines(place, begin, end, color=colour, linewidth=width)
    axes.plot(point.y, place, "o", color=colour, markersize=5)
    if hollow([point]):
        axes.plot(point.y, place, color=colour, **hollow_marker())
