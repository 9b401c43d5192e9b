"""CSV and what is like it: commas, semicolons, tabs or bars between cells → a table.

Before the header may stand remarks and a title; the header may have a second line (units, or the
statistics under a quantity); an unnamed first column of running numbers is the index that pandas
writes, and is left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.spreadsheet import restored
from inferometer.store.tables.limits import check_columns, check_rows
from inferometer.store.tables.numbers import amount, has_decimal_comma
from inferometer.store.tables.table import Line, Table
from inferometer.store.tables.units import unit_of
from inferometer.store.tables.words import is_missing

_DELIMITERS = ",;\t|"
_MOST_BEFORE = 20
"""Lines of remarks and titles before a header."""
INDEX = "the first column has no name and counts the rows: left out"

Numbered = tuple[int, list[str]]
"""Number of a line, and its cells."""


def read_delimited(path: Path, text: str) -> Table:
    """Read a text whose cells are parted by a sign.

    Raises:
        ImportFileError: a row has more or fewer cells than the header; the message says which.
    """
    delimiter = _delimiter(text)
    rows = _rows(path, text, delimiter)
    kinds = {
        ",": "CSV",
        ";": "CSV with semicolons",
        "\t": "a table with tabs",
        "|": "a table with bars",
    }
    return table_of_cells(
        path, rows, title=kinds[delimiter], decimal_comma=delimiter == ";" or None
    )


def table_of_cells(
    path: Path, rows: Iterator[Numbered], *, title: str, decimal_comma: bool | None
) -> Table:
    """A table of rows of text, the first of which is its header.

    Args:
        path: the file, for messages.
        rows: its lines with their numbers.
        title: what it was read as.
        decimal_comma: whether commas stand before decimals; None where the cells must tell.

    Raises:
        ImportFileError: as `read_delimited`.
    """
    header, lines, notes = _header(rows)
    columns = [name.strip() for name in header]
    index = bool(columns) and not columns[0] and len(columns) > 1
    found: list[Numbered] = []
    for number, cells in lines:
        if len(cells) != len(columns):
            raise ImportFileError(
                f"{shown(path)}:{number}: the row has {len(cells)} cells, the header {len(columns)}"
            )
        found.append((number, cells))
        check_rows(path, len(found))
    if index and _counts([cells[0] for _, cells in found]):
        notes.append(INDEX)
        found = [(number, ["", *cells[1:]]) for number, cells in found]
    elif index and all(cells[0].strip() and amount(cells[0]) is None for _, cells in found):
        columns[0] = "column 1"
        notes.append("the first column has no name: it is called column 1 here")
    check_columns(path, [name for name in columns if name])
    comma = _comma([cell for _, cells in found[:1000] for cell in cells], decimal_comma)
    if comma and decimal_comma is None:
        notes.append("commas in numbers stand before decimals: 1,5 is 1.5")
    return Table(
        columns=tuple(name for name in columns if name),
        lines=tuple(_line(path, number, columns, cells) for number, cells in found),
        decimal_comma=comma,
        format=title,
        notes=tuple(notes),
    )


def _delimiter(text: str) -> str:
    """The sign that the first line with several cells has most of."""
    for line in islice(io.StringIO(text), _MOST_BEFORE):
        best = max(_DELIMITERS, key=line.count)
        if line.strip() and best in line and not line.startswith("# "):
            return best
    return ","


def _comma(cells: Sequence[str], told: bool | None) -> bool:  # noqa: FBT001 - one of three
    found = has_decimal_comma(cells)
    if told and found is None:
        return True
    return bool(found)


def _line(path: Path, number: int, columns: Sequence[str], cells: Sequence[str]) -> Line:
    pairs = list(zip(columns, cells, strict=True))
    if any(cell.strip() for name, cell in pairs if not name):
        raise ImportFileError(f"{shown(path)}:{number}: a cell stands in a column without a name")
    return Line(
        place=f"{shown(path)}:{number}",
        cells={name: restored(cell) for name, cell in pairs if name},
    )


def _rows(path: Path, text: str, delimiter: str) -> Iterator[Numbered]:
    """Rows that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise ImportFileError(f"{shown(path)}:{number}: {error}") from error


def _header(
    rows: Iterator[Numbered],
) -> tuple[list[str], Iterator[Numbered], list[str]]:
    """The header, the rows after it, and what was decided."""
    first = list(islice(rows, _MOST_BEFORE))
    place = 0
    while place + 1 < len(first) and _is_before(first[place][1], first[place + 1 :]):
        place += 1
    notes = [f"what stands before the header was passed over (lines: {place})"] if place else []
    _, header = first[place] if first else (0, [])
    rest = first[place + 1 :]
    second = rest[0][1] if rest else []
    joined = _joined(header, second, [cells for _, cells in rest[1:3]])
    if joined is not None:
        header, rest = joined, rest[1:]
        notes.append("the header has two lines, which were joined")
    if header and header[0].startswith("#"):
        header = [header[0].lstrip("# "), *header[1:]]
    return header, _chained(rest, rows), notes


def _chained(first: Sequence[Numbered], rest: Iterator[Numbered]) -> Iterator[Numbered]:
    yield from first
    yield from rest


def _is_before(cells: list[str], after: Sequence[Numbered]) -> bool:
    """Whether a line is a remark or a title: of one cell, where those after it have several."""
    width = len(after[0][1])
    full = sum(bool(cell.strip()) for cell in cells)
    is_remark = cells[0].startswith("# ") or (cells[0].startswith("#") and len(cells) != width)
    return width > 1 and (full == 1 or is_remark) and (len(cells) == 1 or is_remark or full == 1)


def _joined(header: list[str], second: list[str], after: Sequence[list[str]]) -> list[str] | None:
    """A header of two lines as one; None where the second is a row of the table."""
    if len(second) != len(header) or not after or any(len(row) != len(header) for row in after):
        return None
    if any(amount(cell) is not None for cell in second):
        return None
    told = [cell.strip().strip("()[]") for cell in second]
    full = [cell for cell in told if cell]
    if not full or not any(amount(cell) is not None for row in after for cell in row):
        return None
    if all(unit_of(cell) or cell in ("-", "1") for cell in full):
        return [
            f"{name} ({unit})" if unit_of(unit) else name
            for name, unit in zip(header, told, strict=True)
        ]
    parted = any(not name.strip() for name in header[1:]) or len(set(header)) < len(header)
    numeric = [
        place for place in range(len(header))
        if all(amount(row[place]) is not None or is_missing(row[place]) for row in after)
        and any(amount(row[place]) is not None for row in after)
    ]  # fmt: skip
    if not parted or not numeric or not all(told[n] or header[n].strip() for n in numeric):
        return None
    return _under(header, told)


def _under(header: Sequence[str], told: Sequence[str]) -> list[str]:
    """Names of two lines: the upper one goes on to the right until the next."""
    found, upper = [], ""
    for name, lower in zip(header, told, strict=True):
        upper = re.sub(r"^Unnamed: .*", "", name.strip()) or (upper if lower else "")
        found.append(" ".join(filter(None, (upper, lower))))
    return found


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells are 0, 1, 2 … or 1, 2, 3 …, or nothing at all."""
    if not any(cell.strip() for cell in cells):
        return True
    if not all(re.fullmatch(r"\s*[0-9]{1,9}\s*", cell) for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return all(later > earlier for earlier, later in pairwise(numbers))
