"""Draws where the time of each variant goes: a bar of shares, with the roofline bound on it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from inferometer.report.document.operators import KINDS, NAME, Bar
from inferometer.report.plots.figures import COLOURS, FAINT, legend_label, saved, settings

_WIDTH, _ROW, _REST, _LONGEST = 6.4, 0.34, 1.3, 40
_SHADES = (*COLOURS[:6], "#8a8a8a", FAINT)


def draw_operators(bars: Sequence[Bar]) -> dict[str, bytes]:
    """The plot in each format, by file name."""
    with settings():
        return saved(_figure(bars), NAME)


def _figure(bars: Sequence[Bar]) -> Figure:
    figure = Figure(figsize=(_WIDTH, _REST + _ROW * len(bars)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _stack(axes, bars)
    told = False
    for place, bar in enumerate(bars):
        if bar.bound is not None:
            label = "" if told else "roofline bound"
            told = True
            ends = (place - 0.42, place + 0.42)
            axes.vlines(min(bar.bound, 1.0), *ends, color="black", linewidth=2, label=label)
    axes.set(xlim=(0, 1), xlabel="share of a call", ylim=(len(bars) - 0.5, -0.5))
    ticks = [step / 5 for step in range(6)]
    axes.set_xticks(ticks, labels=[f"{100 * tick:.0f} %" for tick in ticks])
    labels = [legend_label(bar.label, _LONGEST) for bar in bars]
    axes.set_yticks(range(len(labels)), labels=labels)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _stack(axes: Axes, bars: Sequence[Bar]) -> None:
    """The kinds that any bar has, one after the other."""
    left = [0.0] * len(bars)
    for number, (kind, shade) in enumerate(zip(KINDS, _SHADES, strict=True)):
        widths = [bar.parts[number] for bar in bars]
        if any(widths):
            axes.barh(range(len(bars)), widths, 0.7, left=left, color=shade, label=kind)
            left = [start + width for start, width in zip(left, widths, strict=True)]
