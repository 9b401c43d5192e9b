"""How much a table that is read may hold: far more than anybody measures, far less than memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown

MOST_CELLS = 5_000_000
"""Cells of a table. In memory each takes about a hundred bytes."""
MOST_ROWS = 100_000
"""Rows of a table: storing so many takes seconds."""
MOST_COLUMNS = 2_000
MOST_RUNS = 5_000
"""Runs in a table."""
LONGEST_TEXT = 64 * 1024
"""Characters of a cell; Python's reader of CSV takes twice as many."""


def check_cells(file: Path, count: int) -> None:
    """Refuse a table of too many cells.

    Raises:
        ImportFileError: it has more.
    """
    _check(file, count, MOST_CELLS, "cells")


def check_rows(file: Path, count: int) -> None:
    """Refuse a table of too many rows.

    Raises:
        ImportFileError: it has more.
    """
    _check(file, count, MOST_ROWS, "rows")


def check_columns(file: Path, names: Sequence[str]) -> None:
    """Refuse a table of too many columns, or with one twice.

    Raises:
        ImportFileError: it has more, or two of the same name.
    """
    _check(file, len(names), MOST_COLUMNS, "columns")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ImportFileError(
                f"{shown(file)}: the column {shown(name)!r} is there twice; remove one"
            )
        seen.add(name)


def check_runs(file: Path, count: int) -> None:
    """Refuse a table of too many runs.

    Raises:
        ImportFileError: it has more.
    """
    _check(file, count, MOST_RUNS, "runs")


def _check(file: Path, count: int, most: int, what: str) -> None:
    if count > most:
        raise ImportFileError(
            f"{shown(file)}: more than {most:,} {what}, which no table of measurements needs; "
            "split it"
        )
