"""Draws latency, temperature and clock against time, for workloads under continuous load."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from inferometer.core import units
from inferometer.report.document.sustained import Curve, Window
from inferometer.report.plots.figures import COLOURS, DASHES, FAINT, legend_label, saved, settings

_MINUTES_FROM_S = 180.0
_INCHES = (7.0, 2.1)  # of one pair of axes
_LABEL_LENGTH = 60


def draw_derating(curves: Sequence[Curve], name: str) -> dict[str, bytes]:
    """A figure of all curves in each format, by file name.

    The latency is shown as a share of that at the beginning, so that workloads of any duration fit
    the same axes; the legend has that of the beginning itself. What nobody could observe has no
    axes.

    Args:
        curves: at least one.
        name: of the files, without a suffix.
    """
    with settings():
        return saved(_figure(curves), name)


def _figure(curves: Sequence[Curve]) -> Figure:
    values = _observed(curves)
    figure = Figure(layout="constrained")
    FigureCanvasAgg(figure)
    rows = len(curves)
    figure.set_size_inches(_INCHES[0], _INCHES[1] * len(values) + 0.5 + 0.2 * rows)
    stack: list[Axes] = list(figure.subplots(len(values), 1, sharex=True, squeeze=False).flat)
    span_s = max(curve.windows[-1].at_s for curve in curves)
    scale_s, unit = (60.0, "min") if span_s >= _MINUTES_FROM_S else (1.0, "s")
    for axes, (label, parts) in zip(stack, values.items(), strict=True):
        _lines(axes, curves, parts, scale_s)
        axes.set_ylabel(label)
    stack[0].axhline(100, color="#888888", linewidth=0.6)
    stack[-1].set_xlabel(f"time since the workload began, {unit}")
    stack[0].legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.2)
    return figure


def _observed(curves: Sequence[Curve]) -> dict[str, list[list[float]]]:
    """The values of each curve by the label of their axis; without what was not observable."""
    found = {
        "latency, % of beginning": [
            [100 * one.latency_s / curve.first_s for one in curve.windows] for curve in curves
        ],
        "temperature, °C": [[_degrees(one) for one in curve.windows] for curve in curves],
        "clock, GHz": [[_clock(one) for one in curve.windows] for curve in curves],
    }
    return {
        label: parts
        for label, parts in found.items()
        if not all(math.isnan(value) for part in parts for value in part)
    }


def _lines(
    axes: Axes, curves: Sequence[Curve], parts: Sequence[Sequence[float]], scale_s: float
) -> None:
    for number, (curve, values) in enumerate(zip(curves, parts, strict=True)):
        axes.plot(
            [window.at_s / scale_s for window in curve.windows],
            values,
            color=COLOURS[number % len(COLOURS)],
            linestyle=DASHES[number // len(COLOURS) % len(DASHES)],
            marker="o",
            markersize=2.5,
            linewidth=1.2,
            label=_named(curve),
        )
    axes.grid(visible=True, color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _named(curve: Curve) -> str:
    label = legend_label(curve.label, _LABEL_LENGTH)
    return f"{label}: 100 % is {units.seconds(curve.first_s)}"


def _degrees(window: Window) -> float:
    return float("nan") if window.temperature_c is None else window.temperature_c


def _clock(window: Window) -> float:
    return float("nan") if window.frequency_hz is None else window.frequency_hz / 1e9
