"""Grid → series of points, as a plot shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.analysis.grid import Column, Grid, measured
from inferometer.core.metric import Estimate
from inferometer.core.record import FailureKind, Record
from inferometer.core.workload import Shape


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measured cell.

    Attributes:
        x: where on the axis: a batch size, an input size or a number of parameters.
        y: the figure, in its SI unit.
        low: lower end of its interval; None where there is no interval.
        high: upper end of its interval; None where there is no interval.
        relative_low: lower end of its interval for comparisons; None without a joint fit.
        relative_high: its upper end.
    """

    x: float
    y: float
    low: float | None
    high: float | None
    relative_low: float | None = None
    relative_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A cell with no figure.

    Attributes:
        x: where on the axis.
        kind: the kind of failure.
    """

    x: float
    kind: FailureKind


@dataclass(frozen=True, kw_only=True)
class Series:
    """The points of one column.

    Attributes:
        column: the variant.
        points: in the order of x.
        gaps: what failed or was skipped, in the order of x.
    """

    column: Column
    points: tuple[Point, ...]
    gaps: tuple[Gap, ...]


def latency_by_batch(grid: Grid, input_size: int | None) -> list[Series]:
    """Seconds per call against batch size, at one input size."""
    return _each(grid, [(shape.batch_size, shape) for shape in grid.rows(input_size)])


def throughput_by_batch(grid: Grid, input_size: int | None) -> list[Series]:
    """Samples per second against batch size, at one input size."""
    places = [(shape.batch_size, shape) for shape in grid.rows(input_size)]
    return _each(grid, places, per_second=True)


def latency_by_size(grid: Grid, batch_size: int) -> list[Series]:
    """Seconds per call against input size, at one batch size; the models' own size is left out."""
    places = [
        (shape.input_size, shape)
        for shape in grid.shapes
        if shape.batch_size == batch_size and shape.input_size is not None
    ]
    return _each(grid, places)


def latency_by_parameters(grid: Grid, shape: Shape) -> list[Series]:
    """Seconds per call against parameters: a series of one point for each column that has some."""
    counted = [(column, grid.count(column)) for column in grid.columns]
    series = [_one(grid, column, [(x, shape)]) for column, x in counted if x]
    return [one for one in series if one.points or one.gaps]


def throughput(record: Record) -> Point | None:
    """Samples per second at the median latency, batch size as x; None where it was not measured."""
    return _point(record.throughput if measured(record) else None, record.workload.batch_size)


def _each(
    grid: Grid, places: Sequence[tuple[float, Shape]], *, per_second: bool = False
) -> list[Series]:
    """A series for each column that has a cell in one of the places."""
    series = [_one(grid, column, places, per_second=per_second) for column in grid.columns]
    return [one for one in series if one.points or one.gaps]


def _one(
    grid: Grid, column: Column, places: Sequence[tuple[float, Shape]], *, per_second: bool = False
) -> Series:
    points: list[Point] = []
    gaps: list[Gap] = []
    for x, shape in places:
        record = grid.cell(shape, column)
        if record is None:
            continue
        point = throughput(record) if per_second else _point(measured(record), x)
        if point is not None:
            points.append(point)
        elif record.failure is not None:
            gaps.append(Gap(x=x, kind=record.failure.kind))
    return Series(column=column, points=tuple(points), gaps=tuple(gaps))


def _point(found: Estimate | None, x: float) -> Point | None:
    return None if found is None else point_of(found, x)


def point_of(found: Estimate, x: float) -> Point:
    """A figure with its intervals, at a place on the axis."""
    return Point(
        x=x,
        y=found.value,
        low=found.low,
        high=found.high,
        relative_low=found.relative_low,
        relative_high=found.relative_high,
    )
