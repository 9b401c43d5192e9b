"""Columns of the report's tables of costs: how to show a figure, and which cells have a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inferometer.analysis.grid import Column, Grid
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.workload import Shape
from inferometer.report.document.markup import Table, table

Fields = Mapping[str, Callable[[Record], str]]
"""Heads of columns, and how to show a record there."""


def seconds(name: str) -> Callable[[Record], str]:
    """Shows a time of a record."""
    return lambda record: units.seconds(record.number(name))


def byte_count(name: str) -> Callable[[Record], str]:
    """Shows bytes of a record."""
    return lambda record: units.byte_count(record.number(name))


def number(name: str) -> Callable[[Record], str]:
    """Shows a figure that has no unit, or whose head tells it."""
    return lambda record: units.number(record.number(name))


def share(name: str) -> Callable[[Record], str]:
    """Shows a share of a record."""
    return lambda record: units.percent(record.number(name))


def quantity(name: str, unit: str) -> Callable[[Record], str]:
    """Shows operations, or a rate of them."""
    return lambda record: units.quantity(record.number(name), unit)


def text(name: str) -> Callable[[Record], str]:
    """Shows a text of a record."""
    return lambda record: str(record.figures.get(name) or "")


def count(name: str) -> Callable[[Record], str]:
    """Shows a whole number of a record."""

    def show(record: Record) -> str:
        value = record.number(name)
        return units.count(None if value is None else int(value))

    return show


def ends(grid: Grid, fields: Fields) -> Table:
    """A table of the smallest and the largest shape of each variant that was measured."""
    cells = []
    for column in grid.columns:
        found = done(grid, column)
        cells += [found[0], found[-1]] if len(found) > 1 else found
    return rows(cells, fields)


Place = tuple[Column, Shape, Record]


def done(grid: Grid, column: Column) -> list[Place]:
    """The measured cells of a column, from the smallest shape to the largest."""
    cells = [(column, shape, grid.cell(shape, column)) for shape in grid.shapes]
    return [(c, shape, r) for c, shape, r in cells if r is not None and r.status == "ok"]


def rows(places: Sequence[Place], fields: Fields) -> Table:
    """A row for each cell; a cell of which nothing is known has none."""
    found = [
        [column.label, shape.label, *(show(record) for show in fields.values())]
        for column, shape, record in places
    ]
    known = [row for row in found if any(cell not in {"", units.ABSENT} for cell in row[2:])]
    return table(["variant", "size/batch", *fields], known)
