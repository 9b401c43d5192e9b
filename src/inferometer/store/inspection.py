"""Says what of a results database is whole and what is damaged; changes nothing.

Works for files that `open_store` refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from inferometer.core.roofline import ROOFLINES, sound_roofline
from inferometer.core.run import Run
from inferometer.store import schema
from inferometer.store.address import Address, Place
from inferometer.store.claims import owner_of
from inferometer.store.contents import evaluations_of, record_of, rounds_of, stored_runs
from inferometer.store.damage import Damage
from inferometer.store.protocol import Database, Row


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
    """What is whole in a database, and what is not.

    Attributes:
        tables: in the order of the schema.
        damages: each thing that is wrong; those of the file as such have its name as their table.
    """

    tables: tuple[Checked, ...]
    damages: tuple[Damage, ...]


def inspect(place: Place) -> Inspection:
    """Look at every row of a store; in a file at every page and reference too.

    Raises:
        StoreError: it is not there, or is no results database at all.
    """
    damages: list[Damage] = []
    if isinstance(place, Address):
        from inferometer.store.postgres.engine import open_database

        database: Database | None = open_database(place, create=False)
    else:
        from inferometer.store.sqlite.inspection import inspect_file

        database, damages = inspect_file(place)
    if database is None:
        return Inspection(tables=(), damages=tuple(damages))
    with closing(database), database.reading() as opened:
        return _of_the_rows(database, opened, damages)


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

    claims = database.read(connection, schema.claims)
    tally.add(schema.claims, [_of_claim(row) for row in claims.found], claims.damages)

    records = database.read(connection, schema.records)
    found = [record_of(row, readable.get(str(row["run_id"]), _NO_RUN)) for row in records.found]
    tally.add(schema.records, [one.damage for one in found], records.damages)

    rounds = database.read(connection, schema.rounds)
    parts = rounds_of(rounds.found)
    tally.add(schema.rounds, [one.damage for one in parts], rounds.damages)

    passes = database.read(connection, schema.evaluations)
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
