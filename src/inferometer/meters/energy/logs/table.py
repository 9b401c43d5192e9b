"""Tables of text: what parts their cells, and where their names stand."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from inferometer.meters.energy.logs.channel import LogProblemError
from inferometer.meters.energy.logs.columns import MOST_CELLS, MOST_COLUMNS
from inferometer.meters.energy.logs.numbers import unit_of

DELIMITERS: tuple[str | None, ...] = (",", ";", "\t", None)
"""None is any blanks."""
HEADER_LINES = 50


@dataclass(frozen=True, kw_only=True)
class Table:
    """Where a table is in a text.

    Attributes:
        header: the names of its columns; made up where it has none.
        delimiter: what parts its cells; None for blanks.
        line: number of the line of its names; 0 where it has none.
    """

    header: tuple[str, ...]
    delimiter: str | None = ","
    line: int = 0


def cells_of(line: str, delimiter: str | None) -> list[str]:
    """The cells of one line."""
    if delimiter is None:
        return line.split()
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def find_table(head: Sequence[str], fits: Callable[[list[str]], bool]) -> Table | None:
    """The first line whose cells are names that fit, with what parts them."""
    left = MOST_CELLS
    for line, text in enumerate(head[:HEADER_LINES], 1):
        bare = text.strip().lstrip("#")
        for delimiter in DELIMITERS:
            cells = cells_of(bare, delimiter)
            left -= len(cells)
            if left < 0:
                return None
            if not 1 < len(cells) <= MOST_COLUMNS:
                continue
            with_units = _with_units(cells, head[line:], delimiter)
            if with_units and fits(with_units):
                return Table(header=tuple(with_units), delimiter=delimiter, line=line + 1)
            if fits(cells):
                return Table(header=tuple(cells), delimiter=delimiter, line=line)
    return None


def _with_units(
    names: Sequence[str], below: Sequence[str], delimiter: str | None
) -> list[str] | None:
    """The names with their units, where the next line holds nothing but units."""
    units = cells_of(below[0].strip(), delimiter) if below else []
    bare = [cell.strip().strip("[]()") for cell in units]
    if len(bare) != len(names) or not any(bare) or any(one and not unit_of(one) for one in bare):
        return None
    return [f"{name} [{unit}]" if unit else name for name, unit in zip(names, bare, strict=True)]


def names_of(head: Sequence[str]) -> set[str]:
    """The names of columns in the first lines of a table, in small letters, or what looks so."""
    return {
        cell.strip().lower()
        for line in head[:5]
        for delimiter in DELIMITERS[:3]
        for cell in cells_of(line.lstrip("#"), delimiter)
    }


def rows_of(lines: Iterable[str], table: Table) -> Iterator[tuple[int, list[str]]]:
    """The rows below the names of a table, with the number of their line.

    Comments, blank lines and names that are written again are passed over.

    Raises:
        LogProblemError: it is no CSV.
    """
    stream = iter(lines)
    for _ in range(table.line):
        next(stream, None)
    header = [cell.strip() for cell in table.header]
    last = 0
    try:
        for last, cells in _split(stream, table):
            if not cells or cells[0][:1] == "#" or not any(map(str.strip, cells)):
                continue
            if cells[0].strip() == header[0] and [cell.strip() for cell in cells] == header:
                continue
            yield last, cells
    except csv.Error as error:
        raise LogProblemError(f"it is not CSV ({error})", last + 1) from None


def _split(stream: Iterator[str], table: Table) -> Iterator[tuple[int, list[str]]]:
    if table.delimiter is None:
        for line, text in enumerate(stream, table.line + 1):
            yield line, text.split()
        return
    reader = csv.reader(stream, delimiter=table.delimiter, skipinitialspace=True)
    for cells in reader:
        yield table.line + reader.line_num, cells


def looks_numeric(cell: str) -> bool:
    """Whether a cell holds a number, with or without a unit."""
    return re.match(r"\s*[-+]?[.,]?\d", cell) is not None
