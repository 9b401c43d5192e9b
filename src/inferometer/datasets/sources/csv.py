"""`FILE.csv`: a row for each sample, with a path, texts or numbers, and a label."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.core.errors import DatasetError
from inferometer.core.filenames import MIB, FileProblemError, read_file
from inferometer.core.shown import shown
from inferometer.datasets.files import About, SampleFile, look_at, pool_of_files
from inferometer.datasets.items import Item, pool_of
from inferometer.datasets.labels import labelling, named_classes
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.reference import DatasetReference
from inferometer.datasets.roles import USER_SHARES
from inferometer.datasets.sources.npz import file_of

MOST_BYTES = 1024 * MIB
MOST_ROWS = 2_000_000
MOST_COLUMNS = 20_000
PATHS = ("path", "file", "filename", "image")
LABELS = ("label", "class", "target", "y")
UNITS = ("unit", "group")
DELIMITERS = ",;\t"

_TEXT = re.compile(r"text.*|sentence.*", re.IGNORECASE)
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of a file.

    Attributes:
        path: of the file.
        names: of the columns.
        rows: cells as text.
        lines: the line of each row.
    """

    path: Path
    names: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, known: Sequence[str]) -> int | None:
        """The number of the column that is called like one of the known names."""
        lower = [name.lower() for name in self.names]
        return next((lower.index(name) for name in known if name in lower), None)

    def place(self, row: int, column: int | None = None) -> str:
        """Where a row or a cell is, for messages."""
        name = "" if column is None else f": {shown(self.names[column])}"
        return f"{shown(self.path)}:{self.lines[row]}{name}"


class CsvSource:
    """Opens a table."""

    def check(self, reference: DatasetReference) -> None:
        """Check that the file is there.

        Raises:
            DatasetError: it is not.
        """
        reference.refuse_others("label", "source")
        file_of(reference, MOST_BYTES)

    def open(self, opening: Opening) -> Pool:
        """Read the table.

        Raises:
            DatasetError: it lacks columns, or a cell is wrong; says which.
        """
        reference = opening.reference
        table = read_table(file_of(reference, MOST_BYTES))
        label = _label_column(table, reference)
        paths = table.column(PATHS)
        if paths is not None:
            return _pictures(table, paths, label, opening)
        items = _rows(table, label, reference)
        source = reference.rest.get("source", "the user's file")
        return pool_of(items, opening, source=source, shares=USER_SHARES)


def read_table(path: Path) -> Table:
    """Rows of a file whose first line names the columns.

    Raises:
        DatasetError: it is no such table, or too large.
    """
    try:
        text = read_file(path, at_most=MOST_BYTES).decode("utf-8-sig")
    except FileProblemError as error:
        raise DatasetError(str(error)) from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{shown(path)}: not UTF-8 text; save it as UTF-8") from error
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=head.count))
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        names = [name.strip() for name in next(reader, [])]
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise DatasetError(
                    f"{shown(path)}:{reader.line_num}: {len(row)} cells, and the first line names "
                    f"{len(names)} columns"
                )
            rows.append(row)
            lines.append(reader.line_num)
            if len(rows) > MOST_ROWS:
                raise DatasetError(f"{shown(path)}: more than {MOST_ROWS:,} rows; split it")
    except csv.Error as error:
        raise DatasetError(f"{shown(path)}:{reader.line_num}: {error}") from error
    if not rows or len(names) > MOST_COLUMNS:
        what = f"more than {MOST_COLUMNS:,} columns" if rows else "no rows below its first line"
        raise DatasetError(f"{shown(path)}: {what}")
    return Table(path=path, names=names, rows=rows, lines=lines)


def _label_column(table: Table, reference: DatasetReference) -> int | None:
    said = reference.rest.get("label")
    found = table.column([said.lower()] if said else LABELS)
    if found is None and (said or reference.task != "other"):
        what = shown(said) if said else "label"
        raise DatasetError(
            f"{shown(table.path)}: no column is called {what}; there are "
            f"{shown(', '.join(table.names))}: name it, as in ?label=NAME, or write ?task=other "
            "where there are no labels"
        )
    return found


def _labels(table: Table, column: int | None, reference: DatasetReference) -> list[Any]:
    """Labels as numbers where all are such, and no texts are asked for."""
    if column is None:
        return [None] * len(table.rows)
    cells = [row[column].strip() for row in table.rows]
    for number, cell in enumerate(cells):
        if not cell:
            raise DatasetError(f"{table.place(number, column)}: the label is empty")
    if reference.task == "transcription":
        return cells
    if all(_WHOLE.fullmatch(cell) for cell in cells):
        return [int(cell) for cell in cells]
    numbers = [_number(cell) for cell in cells]
    return cells if None in numbers else numbers


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _rows(table: Table, label: int | None, reference: DatasetReference) -> list[Item]:
    """Texts where columns are called so, else numbers."""
    units = table.column(UNITS)
    others = [at for at in range(len(table.names)) if at not in (label, units)]
    texts = [at for at in others if _TEXT.fullmatch(table.names[at])]
    if not others:
        raise DatasetError(
            f"{shown(table.path)}: no column holds inputs: call it path (of pictures) or text, or "
            "give columns of numbers"
        )
    read: Callable[[int], Any] = (
        (lambda row: _text_of(table, row, texts))
        if texts
        else lambda row: _numbers(table, row, others)
    )
    labels = _labels(table, label, reference)
    return [
        Item(
            content=read(number),
            label=labels[number],
            unit=row[units] if units is not None else "",
            name=f"line {table.lines[number]}",
        )
        for number, row in enumerate(table.rows)
    ]


def _text_of(table: Table, row: int, columns: Sequence[int]) -> str | tuple[str, ...]:
    cells = tuple(table.rows[row][at] for at in columns)
    return cells if len(cells) > 1 else cells[0]


def _numbers(table: Table, row: int, columns: Sequence[int]) -> np.ndarray[Any, Any]:
    values = [_number(table.rows[row][at]) for at in columns]
    for at, value in zip(columns, values, strict=True):
        if value is None or not math.isfinite(value):
            cell = shown(repr(table.rows[row][at]), 60)
            raise DatasetError(f"{table.place(row, at)}: {cell} is not a number")
    return np.array(values, np.float32)


def _pictures(table: Table, paths: int, label: int | None, opening: Opening) -> Pool:
    reference = opening.reference
    folder = table.path.parent
    units = table.column(UNITS)
    files = [
        SampleFile(f"{row[paths]} (line {line})", folder / row[paths])
        for row, line in zip(table.rows, table.lines, strict=True)
    ]
    labels = _labels(table, label, reference)
    found = labelling(
        labels,
        table.place,
        what=reference.name,
        kind="image",
        task=reference.task,
        classes=named_classes(reference.classes),
    )
    looked = look_at(files, str(table.path.absolute()), opening.on_progress)
    return pool_of_files(
        files,
        looked,
        what=reference.name,
        about=About(
            task=found.task,
            classes=found.classes,
            source=reference.rest.get("source", "the user's files"),
        ),
        labels=[found.convert(one) for one in labels],
        units=[] if units is None else [row[units] for row in table.rows],
    )
