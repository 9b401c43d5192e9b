"""Draws the latency of each variant at one shape, the fastest first."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D

from inferometer.analysis.facts import Ranked
from inferometer.core import units
from inferometer.report.plots.bars import THICK, THIN, hollow_marker
from inferometer.report.plots.choice import BARS, HOLLOW, Ranking
from inferometer.report.plots.drawing import round_ticks, set_ticks
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
    for place, one in enumerate(plot.ranked):
        _row(axes, place, one)
    axes.set(xscale="log", xlabel=f"latency per call, {plot.where}")
    axes.set_xlim(*_range(plot))
    axes.set_ylim(len(plot.ranked) - 0.5, -0.5)
    labels = [legend_label(one.column.label, _LONGEST) for one in plot.ranked]
    axes.set_yticks(range(len(labels)), labels=labels)
    set_ticks(axes, "x", round_ticks(*axes.get_xlim()), units.round_seconds)
    axes.grid(visible=True, axis="x", color=FAINT, linewidth=0.6)
    keys = _keys(plot)
    if keys:
        figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return figure


def _row(axes: Axes, place: int, one: Ranked) -> None:
    """A variant's point with its intervals."""
    latency, colour = one.latency, COLOURS[0]
    compared = latency.compared()
    for interval, width in ((latency, THIN), (compared, THICK)):
        if interval.low is not None and interval.high is not None:
            axes.hlines(place, interval.low, interval.high, color=colour, linewidth=width)
    axes.plot(latency.value, place, "o", color=colour, markersize=5)
    if latency.low is None and compared.low is None:
        axes.plot(latency.value, place, color=colour, **hollow_marker())


def _range(plot: Ranking) -> tuple[float, float]:
    """A range that holds all points and, where they are not absurd, their intervals."""
    found = [one.latency for one in plot.ranked]
    low = min(max(one.low or one.value, one.value / 3) for one in found)
    high = max(min(one.high or one.value, one.value * 3) for one in found)
    room = max(1.15, (high / low) ** 0.05)
    return low / room, high * room


def _keys(plot: Ranking) -> list[Line2D]:
    """What the bars are, where there are two kinds, and points without any."""
    found, grey = [one.latency for one in plot.ranked], "#666666"
    keys = []
    if any(one.compared().low is not None for one in found):
        kinds = zip((THICK, THIN), BARS, strict=True)
        keys = [Line2D([], [], color=grey, linewidth=width, label=label) for width, label in kinds]
    if any(one.low is None and one.compared().low is None for one in found):
        keys.append(Line2D([], [], color=grey, linestyle="none", label=HOLLOW, **hollow_marker()))
    return keys
