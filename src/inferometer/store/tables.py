"""Files → rows of named cells, each with its place. Knows nothing of what the columns mean.

What a file may hold is bounded before it is taken apart, so that no file takes much more memory
than its own size, or longer than seconds.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from inferometer.core.errors import ImportFileError
from inferometer.core.filenames import MIB, FileProblemError, read_file
from inferometer.core.shown import shown
from inferometer.store.limits import check_cells, check_columns, check_rows
from inferometer.store.spreadsheet import restored

MOST_BYTES = 64 * MIB
"""An export of as many workloads as a table may have, as JSON, with all its fields."""

_DELIMITERS = ",;\t"
_SEPARATORS = b",;\t\n\r[{"
"""There are no more cells, rows and objects in a file than of these."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of a table.

    Attributes:
        place: for messages: `results.csv:7`.
        cells: by column name: text in a CSV file, anything in the others.
    """

    place: str
    cells: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file that was read.

    Attributes:
        columns: names in the file's order.
        lines: its rows.
        decimal_comma: whether `1,5` is a number in it, as spreadsheets write it in much of Europe.
    """

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    decimal_comma: bool = False


def read_table(path: Path) -> Table:
    """Read a JSON, CSV or Parquet file; the content says which it is, not the name.

    Raises:
        ImportFileError: it cannot be read as any of them.
        MissingExtraError: it is Parquet and pyarrow is not installed.
    """
    content = _content(path)
    if content.startswith(b"PAR1"):
        from inferometer.store.parquet import read_rows

        table = _table(path, *read_rows(path, content))
    elif content.startswith(b"SQLite format 3"):
        raise ImportFileError(
            f"{shown(path)}: a database, not a table; read it with --store {shown(path)}"
        )
    else:
        check_cells(path, sum(map(content.count, _SEPARATORS)))
        text = _decode(path, content)
        reads_json = text.lstrip().startswith(("[", "{"))
        table = _read_json(path, text) if reads_json else _read_csv(path, text)
    if not table.lines:
        raise ImportFileError(f"{shown(path)}: there are no rows in it")
    return table


def _content(path: Path) -> bytes:
    try:
        return read_file(path, at_most=MOST_BYTES)
    except FileProblemError as error:
        raise ImportFileError(f"{shown(path)}: it cannot be read: {error.reason}") from error


def _decode(path: Path, content: bytes) -> str:
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportFileError(
            f"{shown(path)}: not a table of text; give a CSV, JSON or Parquet file"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImportFileError(
            f"{shown(path)}:{line}: not UTF-8 text; save the file as UTF-8"
        ) from error


def _read_csv(path: Path, text: str) -> Table:
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    lines = _csv_lines(path, text, delimiter)
    _, header = next(lines, (0, []))
    columns = tuple(name.strip() for name in header)
    check_columns(path, [name for name in columns if name])
    found = []
    for number, cells in lines:
        found.append(_csv_line(path, number, columns, cells))
        check_rows(path, len(found))
    return Table(
        columns=tuple(name for name in columns if name),
        lines=tuple(found),
        decimal_comma=delimiter == ";",
    )


def _csv_line(path: Path, number: int, columns: tuple[str, ...], cells: list[str]) -> Line:
    if len(cells) != len(columns):
        raise ImportFileError(
            f"{shown(path)}:{number}: the row has {len(cells)} cells, the header {len(columns)}"
        )
    pairs = list(zip(columns, cells, strict=True))
    if any(cell.strip() for name, cell in pairs if not name):
        raise ImportFileError(f"{shown(path)}:{number}: a cell stands in a column without a name")
    return Line(
        place=f"{shown(path)}:{number}",
        cells={name: restored(cell) for name, cell in pairs if name},
    )


def _csv_lines(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
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


def _read_json(path: Path, text: str) -> Table:
    try:
        data = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ImportFileError(f"{shown(path)}:{error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"{shown(path)}: not JSON: {error}") from error
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise ImportFileError(f"{shown(path)}: not an array of objects, one for each row")
    check_rows(path, len(data))
    columns = list(dict.fromkeys(name for row in data for name in row))
    check_columns(path, columns)
    return _table(path, columns, data)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON; unknown is null")


def _table(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Table:
    return Table(
        columns=tuple(columns),
        lines=tuple(
            Line(place=f"{shown(path)}: row {number}", cells=row)
            for number, row in enumerate(rows, start=1)
        ),
    )
