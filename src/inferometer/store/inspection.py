"""Says what of a results database is whole and what is damaged; changes nothing.

Works for files that `open_store` refuses.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from inferometer.core.errors import StoreError
from inferometer.core.roofline import ROOFLINES, sound_roofline
from inferometer.core.run import Run
from inferometer.core.shown import shown
from inferometer.store import migrations, schema
from inferometer.store.claims import owner_of
from inferometer.store.contents import evaluations_of, record_of, rounds_of, stored_runs
from inferometer.store.damage import Damage
from inferometer.store.engine import APPLICATION_ID, Database, connect, make_engine, quiet
from inferometer.store.explained import ERRORS, explained, in_words
from inferometer.store.guard import Layout, layout_of, limit_steps
from inferometer.store.place import place_of
from inferometer.store.reading import Row, read

MOST_PROBLEMS = 100
"""What SQLite finds is listed up to here; one damaged page can be a thousand problems."""
OF_THE_FILE = "file"
_THOROUGHLY = 50
"""Times that a check goes through the file."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is known of a table.

    Attributes:
        table: its name.
        whole: rows that can be read.
        damaged: rows that cannot, or belong to nothing.
    """

    table: str
    whole: int
    damaged: int


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What is whole in a file, and what is not.

    Attributes:
        tables: in the order of the schema.
        damages: each thing that is wrong; those of the file as such have its name as their table.
    """

    tables: tuple[Checked, ...]
    damages: tuple[Damage, ...]


def inspect(path: Path) -> Inspection:
    """Look at every page, every reference and every row of a file.

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
            return Inspection(tables=(), damages=tuple(damages))
    engine = make_engine(file, quiet(file))
    database = Database(path=path, file=file, engine=engine, layout=layout)
    with closing(database), database.reading() as opened:
        return _of_the_rows(database, opened, damages)


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
    wanted = {
        str(index.name) for table in schema.metadata.tables.values() for index in table.indexes
    }
    damages += [_of_file(f"the index {name} is missing") for name in sorted(wanted - indexes)]
    return damages


class _Tally:
    """Counts rows, and gathers what is wrong with them."""

    def __init__(self, damages: list[Damage]) -> None:
        self.damages = damages
        self.tables: list[Checked] = []

    def add(self, table: sa.Table, rows: Sequence[Damage | None], broken: list[Damage]) -> None:
        """Count the rows of a table; None stands for one that is whole."""
        damaged = [one for one in rows if one is not None]
        self.damages += [*broken, *damaged]
        self.tables.append(
            Checked(table=table.name, whole=len(rows) - len(damaged), damaged=len(damaged))
        )


def _of_the_rows(
    database: Database, connection: sa.Connection, damages: list[Damage]
) -> Inspection:
    tally = _Tally(damages)
    runs, broken = stored_runs(database, connection)
    tally.add(schema.runs, [one.damage for one in runs], broken)
    readable = {one.id: one.run for one in runs if one.run is not None}
    tally.damages += _unsound_rooflines(readable.values())

    claims = read(database, connection, schema.claims)
    tally.add(schema.claims, [_of_claim(row) for row in claims.found], claims.damages)

    records = read(database, connection, schema.records)
    found = [record_of(row, readable.get(str(row["run_id"]), _NO_RUN)) for row in records.found]
    tally.add(schema.records, [one.damage for one in found], records.damages)

    rounds = read(database, connection, schema.rounds)
    parts = rounds_of(rounds.found)
    tally.add(schema.rounds, [one.damage for one in parts], rounds.damages)

    passes = read(database, connection, schema.evaluations)
    kept = evaluations_of(passes.found)
    tally.add(schema.evaluations, [one.damage for one in kept], passes.damages)
    return Inspection(tables=tuple(tally.tables), damages=tuple(dict.fromkeys(tally.damages)))


_NO_RUN = Run(id="", study="", signature="", document={}, device={}, software={})


def _of_claim(row: Row) -> Damage | None:
    if owner_of(row) is not None:
        return None
    return Damage(table="claims", place=f"claim of run {row['run_id']}", problem="no process")


def _unsound_rooflines(runs: Iterable[Run]) -> list[Damage]:
    """Rooflines are no rows, and their run can be read without them."""
    return [
        Damage(
            table="runs", place=f"run {run.id}", problem="device: a roofline that cannot be read"
        )
        for run in runs
        if any(sound_roofline(one) is None for one in _held(run))
    ]


def _held(run: Run) -> list[Any]:
    held = run.device.get(ROOFLINES, [])
    return held if isinstance(held, list) else [held]


def _of_file(problem: str) -> Damage:
    return Damage(table=OF_THE_FILE, place="", problem=problem)
