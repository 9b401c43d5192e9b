"""Draws workloads with the intervals of both figures, and the front among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from inferometer.analysis.recommend.points import Figure as Known
from inferometer.analysis.recommend.points import Name
from inferometer.core import units
from inferometer.report.document.tradeoff import NAME, FrontPlot, Spot
from inferometer.report.plots.bars import hollow_marker
from inferometer.report.plots.choice import HOLLOW
from inferometer.report.plots.drawing import round_ticks, set_ticks
from inferometer.report.plots.figures import COLOURS, FAINT, saved, settings
from inferometer.report.plots.names import Named, name_points

_INCHES = (6.4, 4.6)
_ROOM = 0.06  # beyond the outermost ends, as a share of the axis
_FAR = 3.0  # an interval that reaches further than this times its figure ends at the edge
_LINE, _BEHIND = "#444444", "#8a8a8a"
_MOST_NAMED = 24
MIB = 2.0**20
_TEXTS: dict[Name, Callable[[float], str]] = {
    "latency": units.round_seconds,
    "accuracy": units.round_number,
    "energy": units.joules,
    "memory": units.byte_count,
}


def draw_front(plot: FrontPlot) -> dict[str, bytes]:
    """The plot in each format, by file name."""
    with settings():
        return saved(_figure(plot), NAME)


def _figure(plot: FrontPlot) -> Figure:
    figure = Figure(layout="constrained", figsize=_INCHES)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    is_log = plot.y.name != "accuracy"
    axes.set_xscale("log")
    axes.set_yscale("log" if is_log else "linear")
    _limits(axes, plot, is_log=is_log)
    _draw_line(axes, plot)
    for spot in sorted(plot.spots, key=lambda spot: spot.is_on_front):
        _draw_spot(axes, spot)
    axes.set_xlabel("latency per call (bars: intervals)")
    metric = f" ({plot.metric})" if plot.y.name == "accuracy" and plot.metric else ""
    axes.set_ylabel(f"{plot.y.words}{metric}")
    axes.grid(visible=True, color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    figure.legend(handles=_keys(plot), loc="outside lower center", ncols=2, frameon=False)
    named = [spot for spot in plot.spots if spot.is_on_front or len(plot.spots) <= _MOST_NAMED]
    name_points(figure, axes, [Named(s.label, s.x.value, s.y.value, _colour(s)) for s in named])
    return figure


def _colour(spot: Spot) -> str:
    return COLOURS[0] if spot.is_on_front else _BEHIND


def _draw_spot(axes: Axes, spot: Spot) -> None:
    """A cross of the intervals and a marker; hollow where there is no interval at all."""
    colour = _colour(spot)
    axes.errorbar(
        [spot.x.value],
        [spot.y.value],
        xerr=_lengths(spot.x),
        yerr=_lengths(spot.y),
        fmt="none",
        ecolor=colour,
        elinewidth=1.0,
        capsize=2.5,
    )
    looks = hollow_marker() if _is_bare(spot) else {"marker": "o", "markersize": 5}
    axes.plot([spot.x.value], [spot.y.value], color=colour, linestyle="none", **looks)


def _is_bare(spot: Spot) -> bool:
    return spot.x.low is None and spot.y.low is None


def _lengths(figure: Known) -> list[list[float]]:
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    return [[max(figure.value - low, 0.0)], [max(high - figure.value, 0.0)]]


def _draw_line(axes: Axes, plot: FrontPlot) -> None:
    """Steps from corner to corner, to the edges of the plot: what is beyond them is reached."""
    (_, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    xs = [x for x, _ in plot.line]
    ys = [y for _, y in plot.line]
    start = bottom if plot.y.higher else top
    axes.plot(
        [xs[0], *xs, right],
        [start, *ys, ys[-1]],
        color=_LINE,
        linewidth=1.0,
        linestyle="dashed",
        drawstyle="steps-post",
    )


def _limits(axes: Axes, plot: FrontPlot, *, is_log: bool) -> None:
    left, right = _range([spot.x for spot in plot.spots], is_log=True)
    axes.set_xlim(left, right)
    set_ticks(axes, "x", round_ticks(left, right), units.round_seconds)
    bottom, top = _range([spot.y for spot in plot.spots], is_log=is_log)
    axes.set_ylim(bottom, top)
    if is_log:
        unit = MIB if plot.y.name == "memory" else 1.0  # values that are round in their unit
        ticks = [unit * value for value in round_ticks(bottom / unit, top / unit)]
        set_ticks(axes, "y", ticks, _TEXTS[plot.y.name])


def _range(figures: Sequence[Known], *, is_log: bool) -> tuple[float, float]:
    """Room for all figures and, where they are not absurd, their intervals."""
    lows = [figure.value if figure.low is None else figure.low for figure in figures]
    highs = [figure.value if figure.high is None else figure.high for figure in figures]
    if not is_log:
        room = _ROOM * (max(highs) - min(lows)) or 0.01
        return min(lows) - room, max(highs) + room
    values = [figure.value for figure in figures]
    low = min(max(end, value / _FAR) for end, value in zip(lows, values, strict=True))
    high = max(min(end, value * _FAR) for end, value in zip(highs, values, strict=True))
    more = max(1.1, (high / low) ** _ROOM)
    return low / more, high * more


def _keys(plot: FrontPlot) -> list[Line2D]:
    """What the legend says."""
    dot: dict[str, Any] = {"marker": "o", "markersize": 5, "linestyle": "none"}
    keys = [
        Line2D([], [], color=COLOURS[0], label="may be on the front by all criteria", **dot),
        Line2D([], [], color=_LINE, linestyle="dashed", label="front of these two figures"),
    ]
    if not all(spot.is_on_front for spot in plot.spots):
        keys.append(Line2D([], [], color=_BEHIND, label="dominated", **dot))
    if any(map(_is_bare, plot.spots)):
        bare = {**dot, **hollow_marker()}
        keys.append(Line2D([], [], color=COLOURS[0], label=HOLLOW, **bare))
    return keys
