"""Draws the ratios of devices to the first one, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from inferometer.core import units
from inferometer.report.document.devices import NAME, Bar, RatioPlot
from inferometer.report.document.marks import shorten
from inferometer.report.plots.bars import hollow_marker
from inferometer.report.plots.choice import HOLLOW
from inferometer.report.plots.drawing import round_ticks, set_ticks
from inferometer.report.plots.figures import COLOURS, FAINT, MARKERS, legend_label, saved, settings

_WIDTH, _ROW = 7.0, 0.17  # inches
_LABEL_LENGTH = 44
_SPREAD = 0.6  # of a row, over which its devices are spread
_FAR = 4.0  # an interval that reaches further than this times its figure ends at the edge


def draw_ratios(plot: RatioPlot) -> dict[str, bytes]:
    """The plot in each format, by file name."""
    with settings():
        return saved(_figure(plot), NAME)


def _figure(plot: RatioPlot) -> Figure:
    workloads = list(dict.fromkeys(bar.workload for bar in plot.bars))
    devices = list(dict.fromkeys(bar.device for bar in plot.bars))
    rows = len(workloads) * max(1.0, 0.6 * len(devices))
    figure = Figure(layout="constrained", figsize=(_WIDTH, 1.4 + _ROW * rows))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_xscale("log")
    for number, device in enumerate(devices):
        offset = _SPREAD * ((number + 0.5) / len(devices) - 0.5)
        mine = [bar for bar in plot.bars if bar.device == device]
        _draw(axes, mine, [workloads.index(bar.workload) + offset for bar in mine], number)
    axes.axvline(1, color="#444444", linewidth=0.8)
    _dress(axes, plot, workloads)
    handles = _keys(plot.bars, devices)
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _draw(axes: Axes, bars: Sequence[Bar], heights: Sequence[float], number: int) -> None:
    """Markers with their intervals; hollow where there is none."""
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    for bar, height in zip(bars, heights, strict=True):
        known = bar.low is not None and bar.high is not None
        if bar.low is not None and bar.high is not None:
            axes.plot([max(bar.low, 1e-12), bar.high], [height] * 2, color=colour, linewidth=1.2)
        looks = {"marker": marker, "markersize": 4} if known else hollow_marker(marker)
        axes.plot([bar.ratio], [height], color=colour, linestyle="none", **looks)


def _dress(axes: Axes, plot: RatioPlot, workloads: Sequence[str]) -> None:
    low = min(max(bar.low or bar.ratio, bar.ratio / _FAR) for bar in plot.bars)
    high = max(min(bar.high or bar.ratio, bar.ratio * _FAR) for bar in plot.bars)
    low, high = min(low, 1.0), max(high, 1.0)
    room = max(1.04, (high / low) ** 0.05)
    axes.set_xlim(low / room, high * room)
    set_ticks(axes, "x", round_ticks(low / room, high * room), units.round_number)
    axes.set_yticks(range(len(workloads)), [shorten(name, _LABEL_LENGTH) for name in workloads])
    axes.set_ylim(len(workloads) - 0.5, -0.5)  # the first at the top
    base = legend_label(plot.baseline, _LABEL_LENGTH)
    axes.set_xlabel(f"latency over that on {base} (bars: 95 % intervals); right of 1 is slower")
    axes.grid(visible=True, axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    if math.isclose(low, high):
        axes.set_xlim(low / 2, high * 2)


def _keys(bars: Sequence[Bar], devices: Sequence[str]) -> list[Line2D]:
    """What the legend says."""
    keys = [
        Line2D(
            [],
            [],
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4,
            linewidth=1.2,
            label=legend_label(device, _LABEL_LENGTH),
        )
        for number, device in enumerate(devices)
    ]
    if any(bar.low is None for bar in bars):
        grey = {"color": "#666666", "linestyle": "none", "label": HOLLOW}
        keys.append(Line2D([], [], **grey, **hollow_marker()))  # type: ignore[arg-type]
    return keys
