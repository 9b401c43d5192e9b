"""The statements that write, each within a transaction of its caller."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from inferometer.core.dataset import Evaluation
from inferometer.core.errors import StoreError
from inferometer.core.record import Record, Round
from inferometer.core.run import CARRIED, Run
from inferometer.core.shown import shown
from inferometer.store import rows, schema
from inferometer.store.address import Place
from inferometer.store.bundle.merging import Merge
from inferometer.store.damage import WAY_OUT
from inferometer.store.evaluations import evaluation_row


def put_run(connection: sa.Connection, run: Run, contents: Sequence[Record]) -> str:
    """Add a run with its outcomes.

    Returns:
        The id that it got: its own where that is free.
    """
    run_id = free_id(connection, run.id)
    connection.execute(schema.runs.insert().values(**rows.run_row(replace(run, id=run_id))))
    _put_all(connection, run_id, contents)
    return run_id


def free_id(connection: sa.Connection, wanted: str) -> str:
    """The wanted id where it is one of ours and free, or else a new one.

    An id is taken too where only records or rounds have it: their run may be damaged.
    """
    owners = (schema.runs.c.id, schema.records.c.run_id, schema.rounds.c.run_id)
    candidate = wanted
    while not rows.RUN_ID.fullmatch(candidate) or any(
        connection.scalar(sa.select(sa.exists().where(owner == candidate))) for owner in owners
    ):
        candidate = secrets.token_hex(4)
    return candidate


def put_record(connection: sa.Connection, run_id: str, record: Record) -> None:
    """Put an outcome, in place of an earlier one of the workload."""
    key = record.workload.key
    row = rows.record_row(record)
    same = sa.and_(schema.records.c.run_id == run_id, schema.records.c.workload == key)
    if connection.execute(schema.records.update().where(same).values(**row)).rowcount == 0:
        connection.execute(schema.records.insert().values(run_id=run_id, workload=key, **row))


def put_evaluation(connection: sa.Connection, run_id: str, evaluation: Evaluation) -> None:
    """Put a pass over a dataset, in place of an earlier one of the workload."""
    table = schema.evaluations
    row = {"run_id": run_id, **evaluation_row(evaluation)}
    same = sa.and_(table.c.run_id == run_id, table.c.workload == evaluation.workload)
    connection.execute(table.delete().where(same))
    connection.execute(table.insert().values(**row))


def add_rounds(connection: sa.Connection, run_id: str, parts: Iterable[tuple[str, Round]]) -> None:
    """Add raw observations, each with the key of its workload."""
    added = [{"run_id": run_id, "workload": key, **rows.round_row(part)} for key, part in parts]
    if added:
        connection.execute(schema.rounds.insert(), added)


def drop_rounds(connection: sa.Connection, run_id: str, key: str) -> None:
    """Remove the raw observations of a workload."""
    table = schema.rounds.c
    mine = sa.and_(table.run_id == run_id, table.workload == key)
    connection.execute(schema.rounds.delete().where(mine))


def update_run(connection: sa.Connection, run_id: str, **values: Any) -> bool:  # noqa: ANN401 - of any column
    """Change columns of a run; whether there is one."""
    statement = schema.runs.update().where(schema.runs.c.id == run_id).values(**values)
    return connection.execute(statement).rowcount > 0


def write_merge(connection: sa.Connection, found: Merge, place: Place) -> None:
    """Write what a bundle adds.

    Raises:
        StoreError: what the store has of a new run's id is damaged.
    """
    run = found.run
    if found.is_new:
        run = replace(run, device={**run.device, CARRIED: True})
        if free_id(connection, run.id) != run.id:
            raise StoreError(
                f"{shown(place)}: there are observations of a run {run.id} whose own row "
                f"is damaged: import it into another store (--store FILE); {WAY_OUT}"
            )
        connection.execute(schema.runs.insert().values(**rows.run_row(run)))
    elif found.run_changes:
        update_run(connection, run.id, **rows.run_row(run))
    for key in found.anew:
        drop_rounds(connection, run.id, key)
    for record in found.records:
        put_record(connection, run.id, record)
    add_rounds(connection, run.id, found.rounds)
    for evaluation in found.evaluations:
        put_evaluation(connection, run.id, evaluation)


def _put_all(connection: sa.Connection, run_id: str, records: Sequence[Record]) -> None:
    """Outcomes of a run that has none yet; of two of one workload the last."""
    unique = {record.workload.key: record for record in records}
    added = [
        {"run_id": run_id, "workload": key, **rows.record_row(record)}
        for key, record in unique.items()
    ]
    if added:
        connection.execute(schema.records.insert(), added)
    add_rounds(
        connection, run_id, ((key, part) for key, one in unique.items() for part in one.rounds)
    )
