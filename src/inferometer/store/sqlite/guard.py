"""What a SQLite file may not do to whoever opens it.

A file can hold views in place of tables, pages that lead in circles, text in no encoding, and cells
of any size. Nothing in it is run or followed without an end.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import sqlalchemy as sa

from inferometer.store import schema

_MISSING = "it is missing"
_LARGEST_CELL = 1 << 26
"""Bytes; a round of a second at a microsecond a call has 16 MB at the very most."""
_STEPS_BETWEEN = 1 << 20
_STEPS_AT_LEAST = 1 << 24
"""Steps of the database's machine that any statement may take: about a second."""
_STEPS_PER_BYTE = 20
"""Reading takes about one step for a byte of the file."""
_ADDED_LATER = {
    *(("rounds", "pair"), ("rounds", "signals"), ("records", "options"), ("claims", "host")),
}
"""Columns that files of older versions lack."""
_TABLES_ADDED_LATER = {"evaluations"}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The tables of a file, as they are.

    Attributes:
        columns: names of the columns of each table of ours that can be read.
        problems: what is wrong with a table that cannot, or not as a whole.
        obstacles: why nothing may be written: what would run meanwhile.
        loose: tables in which nothing keeps rows from standing twice.
    """

    columns: dict[str, frozenset[str]]
    problems: dict[str, str]
    obstacles: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()

    def why_not_written(self) -> str:
        """Why nothing may be written; empty where it may."""
        twice = (f"nothing keeps rows of {name} from standing there twice" for name in self.loose)
        return next(iter((*self.problems.values(), *self.obstacles, *twice)), "")

    def has(self, column: sa.Column[object]) -> bool:
        """Whether a column is there."""
        return column.name in self.columns.get(column.table.name, ())


def harden(connection: sqlite3.Connection, file: Path) -> None:
    """Set limits, before anything is asked."""
    connection.text_factory = _text
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_CELL)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    limit_steps(connection, file)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {setting}")


def limit_steps(connection: sqlite3.Connection, file: Path, times: int = 1) -> None:
    """End the next statement where it takes more steps than the file has content for.

    Args:
        connection: to the file.
        file: its size is what counts.
        times: how often the statement may go through the file.
    """
    steps = _STEPS_AT_LEAST + times * _STEPS_PER_BYTE * size_of(file)
    # No function of Python's: Ctrl-C would arrive in it, and be lost.
    counter = chain(repeat(0, steps // _STEPS_BETWEEN), repeat(1))
    connection.set_progress_handler(counter.__next__, _STEPS_BETWEEN)


def size_of(file: Path) -> int:
    """Bytes of a database with its log; 0 where there is none yet."""
    return _size(str(file)) + _size(f"{file}-wal")


def _size(name: str) -> int:
    try:
        return os.stat(name).st_size  # noqa: PTH116 - asked before every statement
    except OSError:
        return 0


def layout_of(connection: sqlite3.Connection) -> Layout:
    """Look at the tables of a file, without reading what they hold."""
    columns: dict[str, frozenset[str]] = {}
    problems: dict[str, str] = {}
    for table in schema.metadata.sorted_tables:
        problem = _not_a_table(connection, table.name)
        if problem == _MISSING and table.name in _TABLES_ADDED_LATER:
            continue
        if problem:
            problems[table.name] = problem
            continue
        found = connection.execute(f"PRAGMA table_xinfo({table.name})").fetchall()
        stored = frozenset(str(column[1]) for column in found if column[-1] == 0)
        columns[table.name] = stored
        missing = [c.name for c in table.c if c.name not in stored]
        missing = [name for name in missing if (table.name, name) not in _ADDED_LATER]
        if missing:
            problems[table.name] = f"it has no column {missing[0]}"
            del columns[table.name]
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    obstacles = [f"it has a trigger, {name}, which is none of ours" for (name,) in triggers]
    loose = [name for name in columns if not _has_key(connection, name)]
    return Layout(
        columns=columns, problems=problems, obstacles=tuple(obstacles), loose=tuple(loose)
    )


def _has_key(connection: sqlite3.Connection, table: str) -> bool:
    """Whether two rows of a table cannot be the same: each table of ours has one unique index."""
    return any(index[2] for index in connection.execute(f"PRAGMA index_list({table})"))


def _not_a_table(connection: sqlite3.Connection, name: str) -> str:
    """What stands in place of a table; empty where it is one."""
    found = connection.execute(
        "SELECT type, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE", (name,)
    ).fetchone()
    if found is None:
        return _MISSING
    kind, sql = found
    if kind != "table":
        return f"it is a {kind}, not a table"
    if "VIRTUAL" in str(sql).upper().split("(")[0]:
        return "it is a virtual table"
    return ""


def _text(content: bytes) -> str:
    """Text in any encoding; what is not UTF-8 is found where cells become values."""
    return content.decode("utf-8", "surrogateescape")
