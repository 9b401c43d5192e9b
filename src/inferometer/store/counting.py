"""What is counted of runs: workloads by their status, rounds, warm-ups that led to nothing."""

from __future__ import annotations

from collections import Counter, defaultdict

import sqlalchemy as sa

from inferometer.store import rows, schema, values
from inferometer.store.damage import Damage
from inferometer.store.protocol import Database, Where

Outcomes = dict[str, dict[str, int]]

_OUTCOME = (schema.records.c.run_id, schema.records.c.status)
_COUNTED = ("run_id", "status", "workload")


def counted_outcomes(database: Database, where: Where) -> tuple[Outcomes, list[Damage]]:
    """By run and status, and what cannot be read.

    They are counted by the database, from an index alone: a store may hold a million records.
    """
    with database.reading() as connection:
        counted = database.counted(connection, _OUTCOME, where)
    if counted is None or not {status for _, status, _ in counted} <= set(values.STATUSES):
        return _by_row(database, where)
    outcomes: Outcomes = defaultdict(dict)
    for run_id, status, count in counted:
        outcomes[run_id][status] = count
    return dict(outcomes), []


def next_round(database: Database, run_id: str) -> int:
    """The index after the last round of a run; 0 where it has none."""
    number = schema.rounds.c.number
    # Text would be larger than every number, and a number out of bounds leaves no next one.
    sound = number.between(0, rows.MOST_ROUNDS)
    last = sa.select(sa.func.max(number)).where(schema.rounds.c.run_id == run_id, sound)
    with database.reading() as connection:
        found: int | None = connection.scalar(last)
    return 0 if found is None else found + 1


def warmed_up_in_vain(database: Database, run_id: str) -> dict[str, int]:
    """How often workloads without a record were warmed up since anything was measured."""
    table = schema.rounds.c
    mine, warm = table.run_id == run_id, table.phase == "warmup"
    last = sa.select(sa.func.max(table.number)).where(mine, ~warm).scalar_subquery()
    done = sa.select(schema.records.c.workload).where(schema.records.c.run_id == run_id)
    statement = (
        sa.select(table.workload, sa.func.count())
        .where(mine, warm, table.number > sa.func.coalesce(last, -1), ~table.workload.in_(done))
        .group_by(table.workload)
    )
    with database.reading() as connection:
        return {str(key): count for key, count in connection.execute(statement)}


def _by_row(database: Database, where: Where) -> tuple[Outcomes, list[Damage]]:
    """Counted one by one, where some are damaged."""
    with database.reading() as connection:
        found = database.read(connection, schema.records, where, only=_COUNTED)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    damages = found.damages
    for row in found.found:
        run_id, status = row["run_id"], row["status"]
        if status in values.STATUSES:
            counts[run_id][status] += 1
        else:
            place = f"record {row['workload']} of run {run_id}"
            damages.append(Damage(table="records", place=place, problem="it has no status"))
    return {run_id: dict(count) for run_id, count in counts.items()}, damages
