"""Says what of a file is whole and what is damaged, below the rows: pages, references, schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown
from inferometer.store import migrations, schema
from inferometer.store.damage import Damage
from inferometer.store.sqlite.engine import (
    APPLICATION_ID,
    SqliteDatabase,
    connect,
    make_engine,
    quiet,
)
from inferometer.store.sqlite.explained import ERRORS, explained, in_words
from inferometer.store.sqlite.guard import Layout, layout_of, limit_steps
from inferometer.store.sqlite.place import place_of

MOST_PROBLEMS = 100
"""What SQLite finds is listed up to here; one damaged page can be a thousand problems."""
OF_THE_FILE = "file"
_THOROUGHLY = 50
"""Times that a check goes through the file."""
_INDEXES_ADDED_LATER = {"ix_records_outcome": 6}
"""With the version that brought them."""


def inspect_file(path: Path) -> tuple[SqliteDatabase | None, list[Damage]]:
    """Look at every page and every reference of a file.

    Returns:
        The file, to read its rows; None where they cannot be found. And what is wrong with it.

    Raises:
        StoreError: it is not there, or is no results database at all.
    """
    file = place_of(path, create=False)
    with explained(path), closing(connect(file, quiet(file))) as connection:
        damages = _of_the_header(path, connection)
        layout = _layout(connection, damages)
        damages += _of_the_pages(connection, file)
        damages += _of_the_schema(connection, layout)
    if layout is None:
        return None, damages
    engine = make_engine(file, quiet(file))
    return SqliteDatabase(place=path, file=file, engine=engine, layout=layout), damages


def _of_the_header(path: Path, connection: sqlite3.Connection) -> list[Damage]:
    """What is wrong with the marks by which we know our files.

    Raises:
        StoreError: neither marks nor tables are ours, or it is newer than this program.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID and not _has_our_tables(connection):
        raise StoreError(f"{shown(path)}: no results database; give another file with --store")
    newest = len(migrations.MIGRATIONS)
    if application == APPLICATION_ID and version > newest:
        raise in_words(path, f"its format is {version}, and this inferometer reads {newest}")
    problems = []
    if application != APPLICATION_ID:
        problems.append("its header does not say that it is a results database")
    if not 1 <= version <= newest:
        problems.append(f"its header says format {version}, which there is not")
    return [Damage(table=OF_THE_FILE, place="", problem=problem) for problem in problems]


def _has_our_tables(connection: sqlite3.Connection) -> bool:
    try:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except ERRORS:
        return False
    return {"runs", "records", "rounds"} <= found


def _layout(connection: sqlite3.Connection, damages: list[Damage]) -> Layout | None:
    """The tables; None where not even their names can be read."""
    try:
        layout = layout_of(connection)
    except ERRORS as error:
        damages.append(_of_file(f"its tables cannot be found: {error}"))
        return None
    damages += [_of_file(problem) for problem in layout.obstacles]
    return layout


def _of_the_pages(connection: sqlite3.Connection, file: Path) -> list[Damage]:
    """What SQLite's own checks of pages, indexes and references find."""
    damages = []
    for check in (f"integrity_check({MOST_PROBLEMS})", "foreign_key_check"):
        limit_steps(connection, file, _THOROUGHLY)
        try:
            rows = connection.execute(f"PRAGMA {check}").fetchmany(MOST_PROBLEMS)
        except ERRORS as error:
            damages.append(_of_file(f"it cannot be checked: {error}"))
            continue
        damages += [_finding(row) for row in rows if row != ("ok",)]
    return damages


def _finding(row: tuple[Any, ...]) -> Damage:
    if len(row) == 1:
        return _of_file(" ".join(str(row[0]).split()))
    table, number, parent = row[0], row[1], row[2]
    where = "a row" if number is None else f"row {number}"
    return Damage(
        table=str(table), place=where, problem=f"it belongs to a row of {parent} that is not there"
    )


def _of_the_schema(connection: sqlite3.Connection, layout: Layout | None) -> list[Damage]:
    """Indexes and constraints that a file of ours has, and this one lacks."""
    if layout is None:
        return []
    indexes = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    damages = [
        Damage(table=name, place="", problem="nothing keeps its rows from standing there twice")
        for name in layout.loose
    ]
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    wanted = {
        str(index.name) for table in schema.metadata.tables.values() for index in table.indexes
    }
    wanted -= {name for name, since in _INDEXES_ADDED_LATER.items() if version < since}
    damages += [_of_file(f"the index {name} is missing") for name in sorted(wanted - indexes)]
    return damages


def _of_file(problem: str) -> Damage:
    return Damage(table=OF_THE_FILE, place="", problem=problem)
