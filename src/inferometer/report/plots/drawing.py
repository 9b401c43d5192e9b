"""Draws the plots of a report with matplotlib."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypedDict

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from inferometer.analysis.grid import Column
from inferometer.analysis.series import Point, Series
from inferometer.core import units
from inferometer.report.document import marks
from inferometer.report.plots.bars import bar_keys, draw_bars, hollow, hollow_marker
from inferometer.report.plots.choice import Panel, Plot
from inferometer.report.plots.figures import (
    COLOURS,
    DASHES,
    FAINT,
    MARKERS,
    Dash,
    Drawing,
    legend_label,
    saved,
    settings,
)
from inferometer.report.plots.names import LABEL_LENGTH, Named, name_points

_PANEL_INCHES = (4.3, 3.5)
_STRIP = 0.065  # height above the figures, for each variant with failures, as a share of the panel
_MOST_LABELLED = 10


class _Style(TypedDict):
    """Keywords of matplotlib's lines."""

    color: str
    marker: str
    linestyle: Dash


Styles = dict[Column, _Style]


def draw(plot: Plot) -> dict[str, bytes]:
    """The plot in each format, by file name."""
    with settings():
        return saved(figure_of(plot), plot.name)


def figure_of(plot: Plot) -> Drawing:
    """The plot as a figure, within `settings`."""
    styles = _styles(plot.panels)
    named = _named_points(plot, styles)
    across = min(len(plot.panels), 2 if len(plot.panels) <= 4 else 3)  # noqa: PLR2004 - two by two
    down = math.ceil(len(plot.panels) / across)
    width, height = max(across, 1.35) * _PANEL_INCHES[0], down * _PANEL_INCHES[1]
    figure = Drawing(layout="constrained")
    FigureCanvasAgg(figure)
    handles = [] if named else _handles(styles, failures=bool(_strips(plot.panels)))
    rows = _legend(figure, width, [*handles, *bar_keys(_points(plot.panels))])
    figure.set_size_inches(width, height + 0.2 * rows)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    shown: list[Axes] = list(grid.flat)[: len(plot.panels)]
    for axes in list(grid.flat)[len(plot.panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(shown, plot.panels, strict=True):
        _panel(axes, panel, styles)
        axes.set(title=panel.title, xlabel=plot.x)
    for axes in grid[:, 0]:
        axes.set_ylabel(plot.y)
    _scale(shown, plot)
    _failures(shown, plot.panels, styles)
    if named:
        name_points(figure, shown[0], _named(plot.panels[0], styles))
    return figure


def _named_points(plot: Plot, styles: Styles) -> bool:
    """Whether names fit beside the points, so that no legend is needed."""
    few = len(styles) <= _MOST_LABELLED and not any(column.details for column in styles)
    return plot.x == "parameters" and few and not _strips(plot.panels)


def _named(panel: Panel, styles: Styles) -> list[Named]:
    return [
        Named(one.column.label, point.x, point.y, styles[one.column]["color"])
        for one in panel.series
        for point in one.points
    ]


def _styles(panels: Sequence[Panel]) -> Styles:
    """How each variant looks, the same in all panels.

    Where models are shown under several settings, a model has a colour, and settings a marker and a
    dash. Otherwise each variant has a colour and a marker of its own.
    """
    columns = list(dict.fromkeys(one.column for panel in panels for one in panel.series))
    names = list(dict.fromkeys(column.name for column in columns))
    details = list(dict.fromkeys(column.details for column in columns))
    if len(details) == 1 or len(names) > len(COLOURS) or len(details) > len(MARKERS):
        return {column: _style(number, number, 0) for number, column in enumerate(columns)}
    places = [(names.index(column.name), details.index(column.details)) for column in columns]
    return {
        column: _style(name, detail, detail)
        for column, (name, detail) in zip(columns, places, strict=True)
    }


def _style(colour: int, marker: int, dash: int) -> _Style:
    return _Style(
        color=COLOURS[colour % len(COLOURS)],
        marker=MARKERS[marker % len(MARKERS)],
        linestyle=DASHES[dash % len(DASHES)],
    )


def _panel(axes: Axes, panel: Panel, styles: Styles) -> None:
    """Points with their intervals, joined by lines."""
    points = [point for one in panel.series for point in one.points]
    draw_bars(axes, points, [styles[s.column]["color"] for s in panel.series for _ in s.points])
    for one in panel.series:
        style = styles[one.column]
        xs, ys = [point.x for point in one.points], [point.y for point in one.points]
        axes.plot(xs, ys, markersize=5, linewidth=1.2, **style)
        if bare := hollow(one.points):
            xs, ys = [point.x for point in bare], [point.y for point in bare]
            looks = hollow_marker(style["marker"])
            axes.plot(xs, ys, color=style["color"], linestyle="none", **looks)


def _scale(all_axes: Sequence[Axes], plot: Plot) -> None:
    """Logarithmic axes whose ticks are values that were used, or round ones."""
    for axes, panel in zip(all_axes, plot.panels, strict=True):
        axes.set_xscale("log")
        ticks = panel.ticks
        axes.set_xlim(ticks[0] / _margin(ticks), ticks[-1] * _margin(ticks))
        if plot.x == "parameters":
            set_ticks(axes, "x", round_ticks(*axes.get_xlim()), units.round_count)
        else:
            set_ticks(axes, "x", _thinned(ticks), units.round_number)
        axes.grid(visible=True, color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
    first, (bottom, top) = all_axes[0], value_range(_points(plot.panels))
    first.set_yscale("log")
    first.set_ylim(bottom, bottom * (top / bottom) ** (1 / (1 - _strips(plot.panels))))
    seconds = plot.y.startswith("latency")
    set_ticks(
        first, "y", round_ticks(bottom, top), units.round_seconds if seconds else units.round_number
    )


def _margin(ticks: Sequence[float]) -> float:
    """Room at both ends of a logarithmic axis, as a factor."""
    return float((ticks[-1] / ticks[0]) ** 0.08) if len(ticks) > 1 else 2.0


def set_ticks(
    axes: Axes, which: str, values: Sequence[float], text: Callable[[float], str]
) -> None:
    """Ticks at these values alone, labelled so; `which` axis is `x` or `y`."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _position: text(value))


def _thinned(values: Sequence[float], least: float = 0.05) -> list[float]:
    """Values far enough apart on a logarithmic axis for their labels; the ends always."""
    span = math.log(values[-1] / values[0])
    kept = [values[0]]
    for value in values[1:-1]:
        if min(math.log(value / kept[-1]), math.log(values[-1] / value)) >= least * span:
            kept.append(value)
    return [*kept, values[-1]] if len(values) > 1 else kept


def round_ticks(low: float, high: float) -> list[float]:
    """Round values within a range: 1, 2 and 5 of each decade, or decades alone in a wide range."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        found = [digit * 10.0**decade for decade in decades for digit in digits]
        inside = [value for value in found if low <= value <= high]
        if len(inside) <= 8:  # noqa: PLR2004 - labels that fit a panel
            return inside
    return inside[:: math.ceil(len(inside) / 8)]


def _points(panels: Sequence[Panel]) -> list[Point]:
    return [point for panel in panels for one in panel.series for point in one.points]


def value_range(points: Sequence[Point]) -> tuple[float, float]:
    """A range that holds all points and, where they are not absurd, their intervals."""
    low = min(max(point.low or point.y, point.y / 3) for point in points)
    high = max(min(point.high or point.y, point.y * 3) for point in points)
    room = max(1.15, (high / low) ** 0.05)
    return low / room, high * room


def _strips(panels: Sequence[Panel]) -> float:
    """Share of the height that is kept above the figures for failures: a strip for each variant."""
    most = max(sum(bool(one.gaps) for one in panel.series) for panel in panels)
    return min(0.5, _STRIP * most)


def _failures(all_axes: Sequence[Axes], panels: Sequence[Panel], styles: Styles) -> None:
    """A cross above the figures for each cell without one, and its mark beside it."""
    room = _strips(panels)
    for axes, panel in zip(all_axes, panels, strict=True):
        failing = [one for one in panel.series if one.gaps]
        for number, one in enumerate(failing):
            height = 1 - room * (number + 0.5) / len(failing)
            _crosses(axes, one, height, styles[one.column]["color"])
        if room:
            across = axes.transAxes
            axes.plot([0, 1], [1 - room] * 2, color="#888888", linewidth=0.6, transform=across)


def _crosses(axes: Axes, one: Series, height: float, colour: str) -> None:
    left, right = axes.get_xlim()
    middle = math.sqrt(left * right)
    across = axes.get_xaxis_transform()  # x as measured, y as a share of the panel
    for gap in one.gaps:
        axes.plot([gap.x], [height], "x", color=colour, markersize=5, transform=across)
        beyond = gap.x > middle
        axes.annotate(
            marks.MARKS[gap.kind],
            (gap.x, height),
            xycoords=across,
            xytext=(-5 if beyond else 5, 0),
            textcoords="offset points",
            ha="right" if beyond else "left",
            va="center_baseline",
            fontsize=7,
            color=colour,
        )


def _handles(styles: Styles, *, failures: bool) -> list[Line2D]:
    """What the legend says of the variants, and of what has no figure."""
    handles = [
        Line2D([], [], markersize=5, label=legend_label(column.label, LABEL_LENGTH), **style)
        for column, style in styles.items()
    ]
    cross = Line2D([], [], color="#666666", marker="x", linestyle="none", markersize=5)
    cross.set_label("not measured, and why")
    return [*handles, *([cross] if failures else [])]


def _legend(figure: Figure, width: float, handles: Sequence[Line2D]) -> int:
    """A legend below the panels, where it covers no figure; gives the number of its rows."""
    if not handles:
        return 0
    labels = [str(handle.get_label()) for handle in handles]
    entry = 0.7 + 0.072 * max(len(label) for label in labels)  # inches, in this font
    across = min(max(1, int(width / entry)), len(labels))
    figure.legend(handles=handles, loc="outside lower center", ncols=across, frameon=False)
    return math.ceil(len(labels) / across)
