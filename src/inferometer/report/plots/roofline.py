"""Draws workloads under the rooflines of their device (Williams, Waterman and Patterson, 2009)."""

from __future__ import annotations

from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from inferometer.core import units
from inferometer.core.roofline import Attained, Roofline
from inferometer.report.document.roofline import RooflinePlot, Spot
from inferometer.report.plots.figures import (
    COLOURS,
    DASHES,
    FAINT,
    MARKERS,
    legend_label,
    saved,
    settings,
)

_INCHES = (6.6, 4.4)
_LEGEND_ROW = 0.2
_LABEL_LENGTH = 50
_ROOFLINE = "#444444"
_CACHE = "#999999"
_FEW_DECADES = 300  # a range in which decades alone would be too few ticks
_ROOM = 2.0  # beyond the outermost figures, as a factor


def draw_roofline(plot: RooflinePlot) -> dict[str, bytes]:
    """The plot in each format, by file name."""
    with settings():
        return saved(_figure(plot), plot.name)


def _figure(plot: RooflinePlot) -> Figure:
    figure = Figure(layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    left, right = _range(plot)
    for number, roofline in enumerate(plot.rooflines):
        _draw_roofline(axes, roofline, number, left, right)
    for number, (_, spots) in enumerate(groupby(plot.spots, key=lambda spot: spot.column)):
        _draw_spots(axes, list(spots), number)
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=_vertical(plot, left))
    axes.set_xlabel("operations for each byte that operators move, FLOP/B")
    axes.set_ylabel("operations per second, FLOP/s")
    axes.xaxis.set_major_formatter(lambda value, _position: units.round_number(value))
    axes.yaxis.set_major_formatter(lambda value, _position: units.round_count(value))
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < _FEW_DECADES else (1,)))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    _legend(figure, axes)
    return figure


def _range(plot: RooflinePlot) -> tuple[float, float]:
    """From the lowest intensity to the highest; the ridges of the rooflines are inside."""
    xs = [spot.intensity for spot in plot.spots]
    xs += [roofline.flops.best / roofline.memory.best for roofline in plot.rooflines]
    return min(xs) / _ROOM, max(xs) * _ROOM


def _vertical(plot: RooflinePlot, left: float) -> tuple[float, float]:
    rates = [spot.flops_per_s for spot in plot.spots]
    lows = [min(roofline.memory.best * left, roofline.flops.best) for roofline in plot.rooflines]
    highs = [roofline.flops.best for roofline in plot.rooflines]
    return min([*rates, *lows]) / _ROOM, max([*rates, *highs]) * _ROOM


def _draw_roofline(axes: Axes, roofline: Roofline, number: int, left: float, right: float) -> None:
    """Memory and caches up to the ridge, where they meet the arithmetic, and that from there on."""
    dash = DASHES[number % len(DASHES)]
    name = f"{roofline.device} {roofline.precision}"
    best = roofline.flops.best
    flat = f"{name}: {units.quantity(best, 'FLOP/s')}, memory {_bytes(roofline.memory)}"
    ridge = best / roofline.memory.best
    xs = [left, ridge, right]
    ys = [min(left * roofline.memory.best, best), best, best]
    axes.plot(xs, ys, color=_ROOFLINE, linestyle=dash, linewidth=1.4, label=flat)
    if roofline.cache is not None and roofline.cache.best > roofline.memory.best:
        meets = best / roofline.cache.best
        if meets > left:
            label = f"{name}: caches {_bytes(roofline.cache)}"
            ys = [left * roofline.cache.best, best]
            axes.plot([left, meets], ys, color=_CACHE, linestyle=dash, linewidth=1, label=label)
            axes.plot([meets, ridge], [best, best], color=_CACHE, linestyle=dash, linewidth=1)


def _draw_spots(axes: Axes, spots: list[Spot], number: int) -> None:
    """The shapes of one variant, joined in their order; the largest is filled."""
    colour = COLOURS[number % len(COLOURS)]
    marker = MARKERS[number % len(MARKERS)]
    axes.plot(
        [spot.intensity for spot in spots],
        [spot.flops_per_s for spot in spots],
        color=colour,
        marker=marker,
        markerfacecolor="white",
        markersize=5,
        linewidth=0.6,
        label=_named(spots),
    )
    last = spots[-1]
    axes.plot([last.intensity], [last.flops_per_s], color=colour, marker=marker, markersize=5)


def _named(spots: list[Spot]) -> str:
    """The name, and the filled shape."""
    name = legend_label(spots[0].column.label, _LABEL_LENGTH)
    filled = f" (filled: {spots[-1].label})" if len(spots) > 1 else f" {spots[-1].label}"
    return f"{name}{filled}"


def _bytes(attained: Attained) -> str:
    return units.quantity(attained.best, "B/s")


def _legend(figure: Figure, axes: Axes) -> None:
    """Below the axes, where it covers no figure."""
    handles, labels = axes.get_legend_handles_labels()
    across = 2 if max(map(len, labels)) <= _LABEL_LENGTH else 1
    rows = -(-len(labels) // across)
    figure.set_size_inches(_INCHES[0], _INCHES[1] + _LEGEND_ROW * rows)
    figure.legend(handles, labels, loc="outside lower center", ncols=across, frameon=False)
