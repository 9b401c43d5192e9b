"""Which plots a report has. Drawing them is in `drawing`, which needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from inferometer.analysis import facts, series
from inferometer.analysis.grid import Grid
from inferometer.analysis.series import Series
from inferometer.core.errors import MissingExtraError
from inferometer.core.workload import Shape, size_label

NAMES = ("latency_by_batch", "latency_by_size", "throughput_by_batch", "latency_by_parameters")
RANKING = "latency_by_variant"
"""Drawn where there is no plot by batch size."""
HEROES = {
    NAMES[0]: "Latency against batch size",
    RANKING: "Latency of each variant, the fastest first",
}
"""Plots that show the answer of a report, and their titles: the first that there is is shown."""
SUSTAINED = "sustained_"
"""Begins the name of the plot of a run under continuous load; the run's id follows."""
FORMATS = ("png", "svg")
BARS = ("thick: for comparisons within this run", "thin: for the latency on this device")
"""What the bars of a plot are, where a joint fit gave two kinds of interval."""
MOST_RANKED = 40
"""Variants in one plot."""
HOLLOW = "hollow: no interval"
"""What a hollow marker is."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes: what stands above it, and what is in it."""

    title: str
    series: tuple[Series, ...]

    @property
    def ticks(self) -> list[float]:
        """Every x that is measured or was to be, in order."""
        points = {point.x for one in self.series for point in one.points}
        return sorted(points | {gap.x for one in self.series for gap in one.gaps})


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A figure to draw, or the reason why there is none.

    Attributes:
        name: of its files, without a suffix.
        title: what it shows.
        x: label of the horizontal axis.
        y: label of the vertical axis: latency or throughput, with what the bars are.
        panels: side by side, on one vertical scale; empty where there is a reason.
        reason: why there is nothing to draw; empty where there is something.
    """

    name: str
    title: str
    x: str = ""
    y: str = ""
    panels: tuple[Panel, ...] = field(default=(), repr=False)
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The latency of each variant at one shape.

    Attributes:
        name: of its files, without a suffix.
        where: the shape, in words.
        ranked: the variants, the fastest first.
    """

    name: str
    where: str
    ranked: tuple[facts.Ranked, ...] = field(repr=False)


def ranking(grid: Grid) -> Ranking | None:
    """The variants at the shape that most have; None where no two have a latency at one."""
    shape = facts.common_shape(grid)
    found = facts.ranking(grid, shape) if shape is not None else []
    if shape is None or len(found) < 2:  # noqa: PLR2004 - a comparison
        return None
    ranked = tuple(found[:MOST_RANKED])
    return Ranking(name=RANKING, where=_shape_title(shape), ranked=ranked)


def plan(grid: Grid) -> list[Plot]:
    """The plots of a grid, in the order in which a report shows them."""
    return [
        _by_batch(grid, "latency"),
        _by_size(grid),
        _by_batch(grid, "throughput"),
        _by_parameters(grid),
    ]


def missing() -> MissingExtraError | None:
    """What keeps plots from being drawn; None where nothing does."""
    if find_spec("matplotlib") is not None:
        return None
    return MissingExtraError("matplotlib, which draws plots,", "plot")


def size_title(input_size: int | None) -> str:
    """An input size as a title."""
    return "own input size" if input_size is None else f"input size {size_label(input_size)}"


def _by_batch(grid: Grid, figure: str) -> Plot:
    of = series.latency_by_batch if figure == "latency" else series.throughput_by_batch
    panels = [Panel(title=size_title(s), series=tuple(of(grid, s))) for s in grid.sizes]
    title = f"{figure.capitalize()} against batch size"
    name = f"{figure}_by_batch"
    shown = [panel for panel in panels if len(panel.ticks) > 1]
    if not shown:
        return Plot(name=name, title=title, reason="each input size has a single batch size")
    return _drawable(Plot(name=name, title=title, x="batch size", y=_label(figure, shown)), shown)


def _by_size(grid: Grid) -> Plot:
    name, title = "latency_by_size", "Latency against input size"
    batches = sorted({shape.batch_size for shape in grid.shapes})
    panels = [
        Panel(title=f"batch size {batch}", series=tuple(series.latency_by_size(grid, batch)))
        for batch in batches
    ]
    most = max((len(panel.ticks) for panel in panels), default=0)
    if most <= 1:
        return Plot(name=name, title=title, reason="each batch size has a single input size")
    first = [next(panel for panel in panels if len(panel.ticks) == most)]
    return _drawable(
        Plot(name=name, title=title, x="input size", y=_label("latency", first)), first
    )


def _by_parameters(grid: Grid) -> Plot:
    name, title = "latency_by_parameters", "Latency against parameter count"
    shape = facts.common_shape(grid)
    found = tuple(series.latency_by_parameters(grid, shape)) if shape else ()
    if shape is None or not found:
        reason = "no latency was measured" if shape is None else "no parameters were counted"
        return Plot(name=name, title=title, reason=reason)
    panels = [Panel(title=_shape_title(shape), series=found)]
    if len({point.x for one in found for point in one.points}) <= 1:
        return Plot(name=name, title=title, reason="all variants measured have as many parameters")
    return _drawable(
        Plot(name=name, title=title, x="parameters", y=_label("latency", panels)), panels
    )


def _shape_title(shape: Shape) -> str:
    return f"{size_title(shape.input_size)}, batch size {shape.batch_size}"


def _drawable(plot: Plot, panels: Sequence[Panel]) -> Plot:
    """The plot with its panels, unless none of them has a figure."""
    if not any(one.points for panel in panels for one in panel.series):
        return Plot(name=plot.name, title=plot.title, reason="none of these workloads has a figure")
    return Plot(name=plot.name, title=plot.title, x=plot.x, y=plot.y, panels=tuple(panels))


def _label(figure: str, panels: Sequence[Panel]) -> str:
    words = "latency per call" if figure == "latency" else "throughput, samples/s"
    points = [point for panel in panels for one in panel.series for point in one.points]
    if any(point.relative_low is not None for point in points):
        return words + " (bars: intervals)"
    return words + " (bars: interval)" * any(point.low is not None for point in points)
