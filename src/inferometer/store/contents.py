"""Rows → runs, records and rounds, each with the damaged ones apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from inferometer.core.dataset import Evaluation
from inferometer.core.record import Record, Round
from inferometer.core.run import Run
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.store import rows, schema
from inferometer.store.damage import Damage
from inferometer.store.evaluations import to_evaluation
from inferometer.store.protocol import NO_CONDITION, Database, Row, Where

RoundsByKey = Mapping[str, tuple[Round, ...]]


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A row of `runs`.

    Attributes:
        id: as it stands there; empty where that is no id.
        run: what it holds; None where it is damaged.
        damage: what is wrong with it, where it is.
    """

    id: str
    run: Run | None = None
    damage: Damage | None = None


@dataclass(frozen=True, kw_only=True)
class StoredRecord:
    """A row of `records`.

    Attributes:
        record: what it holds; None where it is damaged.
        damage: what is wrong with it, where it is.
    """

    record: Record | None = None
    damage: Damage | None = None


@dataclass(frozen=True, kw_only=True)
class StoredEvaluation:
    """A row of `evaluations`.

    Attributes:
        evaluation: what it holds; None where it is damaged.
        damage: what is wrong with it, where it is.
    """

    evaluation: Evaluation | None = None
    damage: Damage | None = None


@dataclass(frozen=True, kw_only=True)
class StoredRound:
    """A row of `rounds`.

    Attributes:
        key: of its workload, as it stands there.
        round: what it holds; None where it is damaged.
        damage: what is wrong with it, where it is.
    """

    key: str
    round: Round | None = None
    damage: Damage | None = None


def stored_runs(
    database: Database, connection: sa.Connection, where: Where = NO_CONDITION
) -> tuple[list[StoredRun], list[Damage]]:
    """Every run, the one that came last first, and what is wrong with the table.

    Args:
        database: the open database.
        connection: to it.
        where: columns and the values that they must have.
    """
    found = database.read(connection, schema.runs, where)
    newest_first = sorted(found.found, key=lambda row: -whole(row["sequence"]))
    ids = Counter(row["id"] for row in newest_first)
    return [_run(row, twice=ids[row["id"]] > 1) for row in newest_first], found.damages


def stored_records(
    database: Database,
    connection: sa.Connection,
    run: Run,
    rounds: RoundsByKey | None = None,
) -> tuple[list[StoredRecord], list[Damage]]:
    """Records of a run in the order in which they came, and what is wrong with the table.

    Args:
        database: the open database.
        connection: to it.
        run: the run of the records.
        rounds: raw observations by the key of their workload.
    """
    found = database.read(connection, schema.records, {"run_id": run.id})
    seen: set[object] = set()
    result = []
    for row in sorted(found.found, key=lambda row: whole(row["sequence"])):
        result.append(record_of(row, run, rounds, twice=row["workload"] in seen))
        seen.add(row["workload"])
    return result, found.damages


def stored_rounds(
    database: Database, connection: sa.Connection, where: Where
) -> tuple[list[StoredRound], list[Damage]]:
    """Rounds in the order of their number, and what is wrong with the table."""
    found = database.read(connection, schema.rounds, where)
    result = rounds_of(found.found)
    return sorted(result, key=lambda one: -1 if one.round is None else one.round.index), (
        found.damages
    )


def evaluations_of(found: Iterable[Row]) -> list[StoredEvaluation]:
    """What rows of `evaluations` hold, or what is wrong with them."""
    return [_evaluation(row) for row in found]


def _evaluation(row: Row) -> StoredEvaluation:
    try:
        return StoredEvaluation(evaluation=to_evaluation(row))
    except ValueError as error:
        place = (
            f"evaluation of workload {shown(row['workload'], 24)} of run {shown(row['run_id'], 16)}"
        )
        return StoredEvaluation(damage=_damage(schema.evaluations, place, error))


def rounds_of(found: Iterable[Row]) -> list[StoredRound]:
    """What rows of `rounds` hold, or what is wrong with them."""
    seen: set[tuple[object, ...]] = set()
    result = []
    for row in found:
        mine = row["run_id"], row["workload"], row["number"]
        result.append(_round(row, twice=mine in seen))
        seen.add(mine)
    return result


def by_workload(found: Sequence[StoredRound]) -> RoundsByKey:
    """The rounds that can be read, by the key of their workload."""
    result: dict[str, list[Round]] = defaultdict(list)
    for one in found:
        if one.round is not None:
            result[one.key].append(one.round)
    return {key: tuple(parts) for key, parts in result.items()}


def in_order_of_study(records: list[Record], run: Run) -> list[Record]:
    """Records in the order of the study of their run; of an imported run, as they came."""
    if run.origin == "imported":
        return records
    planned = Study.from_json(run.document).workloads()
    place = {workload: number for number, workload in enumerate(planned)}
    return sorted(records, key=lambda record: place.get(record.workload, len(place)))


def record_place(row: Row) -> str:
    """A row of `records` for people: `record resnet18 224/8 of run 1e5dc0e4`."""
    try:
        label = rows.to_workload(row).label
    except ValueError:
        label = str(row["workload"])
    return f"record {shown(label)} of run {shown(row['run_id'], 16)}"


def run_id_of(row: Row) -> str:
    """The id in a row of `runs`; empty where that is none."""
    cell = row["id"]
    return cell if isinstance(cell, str) and rows.RUN_ID.fullmatch(cell) else ""


def _run(row: Row, *, twice: bool) -> StoredRun:
    run_id = run_id_of(row)
    try:
        _check_once("id", twice=twice)
        return StoredRun(id=run_id, run=rows.to_run(row))
    except ValueError as error:
        place = f"run {run_id}" if run_id else f"run number {row['sequence']}"
        return StoredRun(id=run_id, damage=_damage(schema.runs, place, error))


def record_of(
    row: Row, run: Run, rounds: RoundsByKey | None = None, *, twice: bool = False
) -> StoredRecord:
    """What a row of `records` holds, or what is wrong with it.

    Args:
        row: of the table.
        run: of the record.
        rounds: raw observations by the key of their workload.
        twice: whether another row has its place.
    """
    try:
        _check_once("workload", twice=twice)
        parts = (rounds or {}).get(str(row["workload"]), ())
        return StoredRecord(record=rows.to_record(row, run, parts))
    except ValueError as error:
        return StoredRecord(damage=_damage(schema.records, record_place(row), error))


def _round(row: Row, *, twice: bool) -> StoredRound:
    run_id, key = str(row["run_id"]), str(row["workload"])
    try:
        _check_once("number", twice=twice)
        return StoredRound(key=key, round=rows.to_round(row))
    except ValueError as error:
        place = (
            f"round {shown(row['number'], 24)} of workload {shown(key, 24)} of run "
            f"{shown(run_id, 16)}"
        )
        return StoredRound(key=key, damage=_damage(schema.rounds, place, error))


def _check_once(column: str, *, twice: bool) -> None:
    if twice:
        raise ValueError(f"{column}: it stands there twice")


def _damage(table: sa.Table, place: str, error: ValueError) -> Damage:
    return Damage(table=table.name, place=place, problem=str(error))


def whole(cell: object) -> int:
    """The number of a row, by which rows are put in order."""
    return cell if isinstance(cell, int) else -1
