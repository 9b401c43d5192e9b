"""A table: named cells in rows, each with its place. Knows nothing of what the columns mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.core.shown import shown
from inferometer.store.tables.units import readable

_MOST_LISTED = 20
_LONGEST_NAME = 40


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of a table.

    Attributes:
        place: for messages: `results.csv:7`.
        cells: by column name: text in a text file, anything in the others.
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
        format: what it was read as, for people.
        ours: whether its columns are called as `--map` calls them, by a reader that knows them.
        means: what columns are that its reader knows, as on the left of `--map`.
        notes: what reading it decided, in sentences.
    """

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    decimal_comma: bool = False
    format: str = "CSV"
    ours: bool = False
    means: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def cells(self, column: str) -> Iterator[Any]:
        """The cells of a column, those that are missing or blank left out."""
        for line in self.lines:
            cell = line.cells.get(column)
            if cell is not None and (not isinstance(cell, str) or cell.strip()):
                yield cell


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file's content, on its way to a table.

    Attributes:
        path: the file.
        text: what it holds.
        data: the same as JSON; None where it is none.
    """

    path: Path
    text: str
    data: Any = None


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What reads the output of one tool.

    Attributes:
        name: what `--as` calls it.
        title: what it reads, for people.
        recognises: whether a file is one of these; it may look at the beginning alone.
        read: makes a table of it, or raises `ImportFileError`.
    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Table]


def table_of(
    path: Path, rows: Sequence[dict[str, Any]], *, title: str, notes: Sequence[str] = ()
) -> Table:
    """A table of rows that a reader made: columns as `--map` calls them, unknown cells left out."""
    return Table(
        columns=tuple(dict.fromkeys(name for row in rows for name in row)),
        lines=tuple(
            Line(place=f"{shown(path)}: row {number}", cells=row)
            for number, row in enumerate(rows, start=1)
        ),
        format=title,
        ours=True,
        notes=tuple(notes),
    )


def listed(names: Sequence[str]) -> str:
    """Names in a message, the first of them where there are many."""
    rest = len(names) - _MOST_LISTED
    first = ", ".join(shown(readable(name), _LONGEST_NAME) for name in names[:_MOST_LISTED])
    return f"{first} and {rest:,} more" if rest > 0 else first
