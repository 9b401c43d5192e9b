"""Takes a run for a process to measure, and gives it up; `claims` says what a process is."""

from __future__ import annotations

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown
from inferometer.store import schema
from inferometer.store.address import Place
from inferometer.store.claims import Owner, is_running, owner_of, this_process
from inferometer.store.protocol import Database


def claim(database: Database, run_id: str) -> None:
    """Take a run for this process. One whose owner has died is taken over.

    Raises:
        StoreError: another process measures it.
    """
    me, table = this_process(), schema.claims
    with database.writing() as connection:
        found = database.read(connection, table, {"run_id": run_id}).found
        owners = [owner for owner in map(owner_of, found) if owner is not None]
        others = [owner for owner in owners if not owner.is_same(me)]
        for other in filter(is_running, others):
            raise _taken(database.place, run_id, other)
        connection.execute(table.delete().where(table.c.run_id == run_id))
        connection.execute(table.insert().values(run_id=run_id, **me.row()))
        if not database.keep(run_id) and (others or not owners):
            raise _taken(database.place, run_id, *others)


def release(database: Database, run_id: str) -> None:
    """Give a run up that this process claimed; a run of another process stays its own."""
    me, table = this_process(), schema.claims
    with database.writing() as connection:
        claims = database.read(connection, table, {"run_id": run_id}).found
        if any(one is not None and one.is_same(me) for one in map(owner_of, claims)):
            connection.execute(table.delete().where(table.c.run_id == run_id))
            database.let_go(run_id)


def _taken(place: Place, run_id: str, owner: Owner | None = None) -> StoreError:
    who = "another process" if owner is None else f"process {owner.pid}{owner.elsewhere}"
    return StoreError(
        f"{shown(place)}: run {run_id} is being measured by {who}; wait for it, or stop it"
    )
