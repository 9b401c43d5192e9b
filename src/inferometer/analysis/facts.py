"""Grid → statements that follow from its figures alone.

Two latencies of a joint fit are apart where the interval of their ratio leaves out one. Others are
where their intervals do not overlap, which is stricter than a test of the difference at the same
confidence: a difference stated here is rarely an accident of the noise. Latencies without intervals
are apart where they differ at all; those of calls too few for an interval where they differ by more
than fresh processes may.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from inferometer.analysis.grid import Column, Grid, Setting, measured
from inferometer.analysis.series import Point, throughput
from inferometer.analysis.sides import PROCESS_ALLOWANCE
from inferometer.core.metric import Estimate
from inferometer.core.workload import Shape

Axis = Literal["batch", "size"]

IMAGE = 4
"""Dimensions of images: batch, channels, height and width."""
SIGNIFICANT_REPEAT = 5
"""Digits from which equal figures in two cells are no coincidence."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A column's place at one shape."""

    column: Column
    latency: Estimate


@dataclass(frozen=True, kw_only=True)
class Step:
    """How latency moves between two shapes of one column.

    Attributes:
        column: the variant.
        axis: along which the shapes differ.
        start: the smaller shape.
        end: the larger shape.
        ratio: latency at the end over latency at the start.
        grows: batch size or input size at the end over that at the start.
    """

    column: Column
    axis: Axis
    start: Shape
    end: Shape
    ratio: float
    grows: float


@dataclass(frozen=True, kw_only=True)
class Best:
    """The shape at which a column has its highest throughput, at one input size.

    Attributes:
        column: the variant.
        shape: the row of the table.
        throughput: samples per second there.
        gain: over the smallest batch size measured at that input size.
        compared: batch sizes measured at that input size.
    """

    column: Column
    shape: Shape
    throughput: Point
    gain: float
    compared: int


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """One and the same latency, to the last digit, in several cells."""

    latency_s: float
    cells: tuple[tuple[Column, Shape], ...]


def apart(one: Estimate, other: Estimate) -> bool:
    """Whether two latencies differ by more than their intervals allow."""
    low, high = sorted((one, other), key=lambda estimate: estimate.value)
    if (error := ratio_error(one, other)) is not None:
        return math.log(high.value / low.value) > error
    if high.low is None or low.high is None:
        few_calls = one.n or other.n  # else somebody's table: nobody knows how it was measured
        return high.value > low.value * (1 + PROCESS_ALLOWANCE if few_calls else 1)
    return high.low > low.high


def ratio_error(one: Estimate, other: Estimate) -> float | None:
    """Half-width of the logarithm of the ratio of two latencies; None where no fit has both."""
    if one.fit != other.fit or one.value <= 0 or other.value <= 0:
        return None
    error = math.hypot(one.compared().log_half_width, other.compared().log_half_width)
    return error if math.isfinite(error) else None


def latencies(grid: Grid, column: Column, shapes: Iterable[Shape]) -> dict[Shape, Estimate]:
    """The latencies of a column, where it has some."""
    found = {shape: measured(grid.cell(shape, column)) for shape in shapes}
    return {shape: latency for shape, latency in found.items() if latency is not None}


def common_shape(grid: Grid, columns: Sequence[Column] | None = None) -> Shape | None:
    """The shape in which most columns were measured; of several, the smallest. None: no figures.

    Args:
        grid: the table.
        columns: which of its columns count; all by default.
    """
    counts = {shape: len(ranking(grid, shape, columns)) for shape in grid.shapes}
    best = max(counts.values(), default=0)
    return next((shape for shape in grid.shapes if best and counts[shape] == best), None)


def ranking(grid: Grid, shape: Shape, columns: Sequence[Column] | None = None) -> list[Ranked]:
    """The columns measured at a shape, or those of them that count, the fastest first."""
    wanted = grid.columns if columns is None else columns
    found = [(column, measured(grid.cell(shape, column))) for column in wanted]
    ranked = [Ranked(column=c, latency=latency) for c, latency in found if latency is not None]
    return sorted(ranked, key=lambda one: one.latency.value)


def fastest(grid: Grid, shape: Shape) -> list[Ranked]:
    """The fastest column at a shape, and those whose latency is not apart from it."""
    ranked = ranking(grid, shape)
    return [one for one in ranked if one is ranked[0] or not apart(one.latency, ranked[0].latency)]


def contexts(grid: Grid) -> list[list[Column]]:
    """Columns that differ only in their model, and may therefore be compared as models."""
    settings: tuple[Setting, ...] = (
        "device_name",
        "run_id",
        "backend",
        "precision",
        "device",
        "threads",
    )
    groups: dict[tuple[str, ...], list[Column]] = defaultdict(list)
    for column in grid.columns:
        groups[tuple(column.setting(name) for name in settings)].append(column)
    return list(groups.values())


def size_unit(grid: Grid, column: Column) -> tuple[str, int]:
    """What an input size makes more of, and the power of it with which that grows.

    A sequence has as many positions as its length; an image the square of its side in pixels. What
    is neither known to be one nor the other, as in an imported table, is taken for an image.
    """
    first, *_ = grid.text(column, "input_shape").split(", ")
    dimensions = first.rpartition("=")[2].split("x")
    return ("position", 1) if 1 < len(dimensions) < IMAGE else ("pixel", 2)


def steps(grid: Grid, axis: Axis) -> list[Step]:
    """From the smallest to the largest value of the axis that was measured.

    One for each column and each value of the other axis with at least two figures.
    """
    found = []
    for column in grid.columns:
        for line in _lines(grid, axis):
            seen = latencies(grid, column, line)
            if len(seen) > 1:
                order = list(seen)
                found.append(_step(column, axis, order[0], order[-1], seen))
    return found


def best_batches(grid: Grid) -> list[Best]:
    """The batch size of the highest throughput, for each column and input size."""
    found = []
    for column in grid.columns:
        for size in grid.sizes:
            records = [grid.cell(shape, column) for shape in grid.rows(size)]
            points = [p for p in (throughput(r) for r in records if r is not None) if p is not None]
            if points:
                found.append(_best(column, size, points))
    return found


def repeats(grid: Grid) -> list[Repeat]:
    """Latencies of at least five digits that stand in more than one cell."""
    cells: dict[float, list[tuple[Column, Shape]]] = defaultdict(list)
    for (shape, column), record in grid.cells.items():
        latency = measured(record)
        if latency is not None and _digits(latency.value) >= SIGNIFICANT_REPEAT:
            cells[latency.value].append((column, shape))
    return [
        Repeat(latency_s=value, cells=tuple(found))
        for value, found in cells.items()
        if len(found) > 1
    ]


def _lines(grid: Grid, axis: Axis) -> list[list[Shape]]:
    """Shapes that differ only along one axis, in its order."""
    if axis == "batch":
        return [grid.rows(size) for size in grid.sizes]
    sized = [shape for shape in grid.shapes if shape.input_size is not None]
    batches = sorted({shape.batch_size for shape in sized})
    return [[shape for shape in sized if shape.batch_size == batch] for batch in batches]


def _place(shape: Shape, axis: Axis) -> int:
    return shape.batch_size if axis == "batch" else shape.input_size or 1


def _step(
    column: Column, axis: Axis, start: Shape, end: Shape, seen: dict[Shape, Estimate]
) -> Step:
    return Step(
        column=column,
        axis=axis,
        start=start,
        end=end,
        ratio=seen[end].value / seen[start].value,
        grows=_place(end, axis) / _place(start, axis),
    )


def _best(column: Column, size: int | None, points: Sequence[Point]) -> Best:
    best = max(points, key=lambda point: point.y)
    return Best(
        column=column,
        shape=Shape(input_size=size, batch_size=int(best.x)),
        throughput=best,
        gain=best.y / points[0].y,
        compared=len(points),
    )


def _digits(value: float) -> int:
    """Significant digits of the shortest decimal that reads back as the value."""
    mantissa = f"{value!r}".split("e", maxsplit=1)[0].replace(".", "")
    return len(mantissa.strip("0"))
