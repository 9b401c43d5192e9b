"""Records → comparisons that hold everything fixed but one factor."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby, pairwise, product
from operator import attrgetter
from typing import Literal, get_args

from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.sides import difference_of, haze, side
from inferometer.core.hypothesis import AXES
from inferometer.core.workload import Shape
from inferometer.stats.comparison import ZONE, Difference, Side, verdicts

Says = Literal["for", "against", "undecided"]

_factor = attrgetter("factor")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A measured cell of the grid.

    Attributes:
        column: the variant.
        shape: the shape.
        side: the figure.
        hazy: relative difference below which its sign alone says nothing.
        factor: its value of the factor that is varied; none where its values are names.
    """

    column: Column
    shape: Shape
    side: Side
    hazy: float
    factor: float = math.nan

    @property
    def value(self) -> float:
        """The figure itself."""
        return math.exp(self.side.log_median)


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """Cells that differ in the factor alone, in the order of the factor."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two cells of a stratum, and what they say.

    Attributes:
        start: the cell with the smaller factor, or the left one of a ratio.
        end: the other.
        difference: logarithm of the figure at the end over that at the start.
        says: what that means for the hypothesis.
        by_sign: whether only the sign was looked at, because a figure has no interval.
    """

    start: Cell
    end: Cell
    difference: Difference
    says: Says = "undecided"

    @property
    def by_sign(self) -> bool:
        """Whether nothing is known of the error."""
        return not self.difference.errors

    @property
    def hazy(self) -> float:
        """Relative difference below which the sign says nothing."""
        return max(self.start.hazy, self.end.hazy)

    @property
    def ratio(self) -> float:
        """The figure at the end over that at the start."""
        return self.difference.ratio


def strata(grid: Grid, figure: str, factor: str) -> list[Stratum]:
    """Groups of cells that agree in all but a numeric factor; each holds two values or more.

    Args:
        grid: the table.
        figure: a key of `core.hypothesis.FIGURES`.
        factor: one of `core.hypothesis.FACTORS`. Where it is a property of the model, models are
            compared with each other; else each with itself.
    """
    groups: dict[Hashable, list[Cell]] = defaultdict(list)
    for (shape, column), record in grid.cells.items():
        at = _level(grid, column, shape, factor)
        measured = side(record, figure)
        if at is not None and measured is not None:
            hazy = haze(record, figure)
            cell = Cell(column=column, shape=shape, factor=at, side=measured, hazy=hazy)
            groups[_rest(cell, factor)].append(cell)
    ordered = [sorted(cells, key=_factor) for cells in groups.values()]
    return [Stratum(cells=tuple(cells)) for cells in ordered if _varies(cells)]


def steps(found: Iterable[Stratum]) -> list[Pair]:
    """From each value of an axis to the next; several runs may have cells at one value."""
    levels = ([tuple(at) for _, at in groupby(one.cells, _factor)] for one in found)
    two = (pair for one in levels for start, end in pairwise(one) for pair in product(start, end))
    return [_pair(start, end) for start, end in two]


def models(found: Iterable[Stratum]) -> list[Pair]:
    """Every two cells of a stratum whose factor differs."""
    two = (pair for one in found for pair in combinations(one.cells, 2))
    return [_pair(start, end) for start, end in two if start.factor != end.factor]


def opposites(grid: Grid, figure: str, left: str, right: str) -> list[Pair]:
    """Cells of two values of one axis that agree in all else, the left value at the start."""
    for name in _AXES_BY_NAME:
        starts, ends = (_cells_of(grid, figure, name, value) for value in (left, right))
        if starts and ends:
            both = [rest for rest in starts if rest in ends]
            two = (pair for rest in both for pair in product(starts[rest], ends[rest]))
            return [_pair(start, end) for start, end in two]
    return []


def names_of(grid: Grid) -> list[str]:
    """All that a side of a ratio can be called, models first and by their short names too."""
    found = [name for read in _AXES_BY_NAME.values() for c in grid.columns for name in read(c)]
    return list(dict.fromkeys(found))


def judged(pairs: Sequence[Pair], *, rises: bool, zone: float = ZONE) -> list[Pair]:
    """Say of each pair whether the figure surely rises (or falls) from its start to its end.

    Surely: by Holm's method over all pairs that have intervals, so that none of them speaks
    against a true hypothesis with more than 5 % chance in all. A pair without intervals speaks by
    its sign where it is outside the zone, and beyond what is hazy.
    """
    known = [pair for pair in pairs if not pair.by_sign]
    said = iter(verdicts([pair.difference for pair in known], zone=zone))
    words: dict[str, Says] = {
        "slower": "for" if rises else "against",
        "faster": "against" if rises else "for",
    }
    return [
        replace(
            pair, says=words.get(_sign(pair, zone) if pair.by_sign else next(said), "undecided")
        )
        for pair in pairs
    ]


def counted(says: Sequence[Says]) -> dict[str, int]:
    """How often each was said."""
    return {word: says.count(word) for word in get_args(Says)}


def _sign(pair: Pair, zone: float) -> str:
    if abs(pair.difference.log_ratio) <= math.log1p(max(zone, pair.hazy)):
        return "equivalent"
    return "slower" if pair.difference.log_ratio > 0 else "faster"


def _pair(start: Cell, end: Cell) -> Pair:
    return Pair(start=start, end=end, difference=difference_of(start.side, end.side))


def _level(grid: Grid, column: Column, shape: Shape, factor: str) -> float | None:
    if factor == "threads":
        return column.target.threads
    if factor in AXES:
        value: int | None = getattr(shape, factor)
        return value
    record = grid.cell(shape, column)
    return None if record is None else record.number(factor)


def _rest(cell: Cell, factor: str) -> Hashable:
    """What the cells of a stratum have in common."""
    column, shape = cell.column, cell.shape
    fixed: dict[str, Hashable] = {
        "model": column.variant.model,
        "backend": column.variant.backend,
        "precision": column.variant.precision,
        "options": column.variant.options,
        "device": column.target.device,
        "device_name": column.device_name,
        "threads": column.target.threads,
        "run_id": column.run_id,
        "input_size": shape.input_size,
        "batch_size": shape.batch_size,
    }
    del fixed[factor if factor in AXES else "model"]
    if factor == "threads":  # a run has one number of threads
        del fixed["run_id"]
    return tuple(fixed.items())


def _varies(cells: Sequence[Cell]) -> bool:
    return len({cell.factor for cell in cells}) > 1


_AXES_BY_NAME: dict[str, Callable[[Column], tuple[str, ...]]] = {
    "model": lambda column: (column.variant.model, column.name),
    "precision": lambda column: (column.variant.precision,),
    "backend": lambda column: (column.variant.backend,),
    "device": lambda column: (column.target.device,),
    "device_name": lambda column: (column.device_name,),
}
"""Axes whose values have names, and the names that a column has on each."""


def _cells_of(grid: Grid, figure: str, axis: str, value: str) -> dict[Hashable, list[Cell]]:
    """The cells with one value of an axis, by all that they share with those of another value."""
    found: dict[Hashable, list[Cell]] = defaultdict(list)
    for (shape, column), record in grid.cells.items():
        measured = side(record, figure)
        if measured is None or value not in _AXES_BY_NAME[axis](column):
            continue
        names = {name: read(column)[0] for name, read in _AXES_BY_NAME.items() if name != axis}
        # A device is measured in runs of its own, and comes with its number of threads.
        run_id = None if axis == "device_name" else column.run_id
        threads = None if axis in {"device_name", "device"} else column.target.threads
        rest = (shape, column.variant.options, *names.items(), threads, run_id)
        hazy = haze(record, figure)
        found[rest].append(Cell(column=column, shape=shape, side=measured, hazy=hazy))
    return found
