"""What can be asked of, and put into, a results database."""

from __future__ import annotations

import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, final

import sqlalchemy as sa

from inferometer.core.errors import StoreError
from inferometer.core.record import Record, Round
from inferometer.core.run import Origin, Run
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.store import rows, schema
from inferometer.store.claims import Owner, is_running, this_process
from inferometer.store.engine import Database

_RUN_ID = re.compile(r"[0-9a-f]{8}")
_SHOWN_CANDIDATES = 10

Noun = TypeVar("Noun")


@final
class Store:
    """A results database; a context manager that closes it.

    Every method that writes is one transaction: when it returns, what it wrote survives the end of
    the process and of the power; when it raises, nothing of it was written. Every method raises
    `StoreError` where the database cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def create_run(
        self,
        study: Study,
        *,
        planned: int,
        device: Mapping[str, Any],
        software: Mapping[str, Any],
        origin: Origin = "measured",
    ) -> Run:
        """A new run of a study, unfinished.

        Args:
            study: what is measured.
            planned: workloads of the study.
            device: what the device is, with `name`.
            software: versions.
            origin: `measured`, or `replayed` from a recorded device tree.
        """
        run = Run(
            id="",
            study=study.name,
            signature=study.signature,
            document=study.to_json(),
            device=device,
            software=software,
            origin=origin,
            planned=planned,
            created_at=time.time(),
        )
        return self._add_run(run, ())

    def import_run(self, run: Run, records: Iterable[Record]) -> Run:
        """Add a run that was measured elsewhere.

        Returns:
            The run as stored: `imported`, and with another id where its own is taken here or is
            not one of ours.
        """
        return self._add_run(replace(run, origin="imported"), tuple(records))

    def runs(self) -> list[Run]:
        """Every run, the one that came last first."""
        with self._database.reading() as connection:
            return self._runs(connection)

    def runs_like(self, signature: str) -> list[Run]:
        """Runs measured here of the study with that signature, the latest first."""
        columns = schema.runs.c
        with self._database.reading() as connection:
            return self._runs(
                connection, columns.signature == signature, columns.origin != "imported"
            )

    def run(self, reference: str) -> Run:
        """The run that an id, a unique beginning of one, or `latest` names.

        Raises:
            StoreError: there is none, or several.
        """
        runs = self.runs()
        if not runs:
            raise StoreError(f"{self.path}: it holds no runs yet; measure with `inferometer run`")
        if reference == "latest":
            return runs[0]
        found = [run for run in runs if reference and run.id.startswith(reference)]
        if not found:
            raise StoreError(
                f"{self.path}: no run begins with {reference!r}; `inferometer runs` lists them"
            )
        if len(found) > 1:
            shown = ", ".join(run.id for run in found[:_SHOWN_CANDIDATES])
            more = ", …" if len(found) > _SHOWN_CANDIDATES else ""
            raise StoreError(
                f"{self.path}: {reference!r} may be any of {shown}{more}; give more of it"
            )
        return found[0]

    def claim(self, run_id: str) -> None:
        """Take a run for this process to measure. One whose owner has died is taken over.

        Raises:
            StoreError: another process of this machine measures it.
        """
        me = this_process()
        values = {"pid": me.pid, "started_s": me.started_s}
        mine = schema.claims.c.run_id == run_id
        with self._database.writing() as connection:
            row = connection.execute(sa.select(schema.claims).where(mine)).mappings().one_or_none()
            if row is None:
                connection.execute(schema.claims.insert().values(run_id=run_id, **values))
                return
            owner = Owner(pid=row["pid"], started_s=row["started_s"])
            if not owner.is_same(me) and is_running(owner):
                raise StoreError(
                    f"{self.path}: run {run_id} is being measured by process {owner.pid}; "
                    "wait for it, or stop it"
                )
            connection.execute(schema.claims.update().where(mine).values(**values))

    def release(self, run_id: str) -> None:
        """Give a run up that this process claimed; a run of another process stays its own."""
        me = this_process()
        mine = sa.and_(schema.claims.c.run_id == run_id, schema.claims.c.pid == me.pid)
        with self._database.writing() as connection:
            connection.execute(schema.claims.delete().where(mine))

    def add_rounds(self, run_id: str, rounds: Iterable[tuple[Workload, Round]]) -> None:
        """Add raw observations.

        Raises:
            StoreError: a round of that index was stored before, or there is no such run.
        """
        added = [_round_values(run_id, workload.key, part) for workload, part in rounds]
        if added:
            with self._database.writing() as connection:
                connection.execute(schema.rounds.insert(), added)

    def rounds(self, run_id: str, workload: Workload) -> tuple[Round, ...]:
        """Raw observations of a workload, in the order of their index."""
        with self._database.reading() as connection:
            return self._rounds(connection, run_id, workload.key)[workload.key]

    def put_record(
        self, run_id: str, record: Record, rounds: Iterable[Round] = (), *, instead: bool = False
    ) -> None:
        """Store the outcome of a workload, in place of an earlier one, and add its last rounds.

        Args:
            run_id: the run's full id.
            record: the outcome.
            rounds: raw observations that are not stored yet.
            instead: drop the rounds of the workload that are.

        Raises:
            StoreError: a round of that index was stored before, or there is no such run.
            ValueError: a figure is not a finite number.
        """
        mine = sa.and_(
            schema.rounds.c.run_id == run_id, schema.rounds.c.workload == record.workload.key
        )
        with self._database.writing() as connection:
            if instead:
                connection.execute(schema.rounds.delete().where(mine))
            _put(connection, run_id, record, rounds)

    def next_round(self, run_id: str) -> int:
        """The index after the last round of a run; 0 where it has none."""
        last = sa.select(sa.func.max(schema.rounds.c.number)).where(
            schema.rounds.c.run_id == run_id
        )
        with self._database.reading() as connection:
            number: int | None = connection.scalar(last)
        return 0 if number is None else number + 1

    def records(self, run_id: str, *, with_rounds: bool = False) -> list[Record]:
        """Outcomes of a run, in the order of its study; of an imported run, of its file.

        Args:
            run_id: the run's full id.
            with_rounds: also read the raw observations.

        Raises:
            StoreError: there is no such run, or a row is damaged.
        """
        of_run = schema.records.c.run_id == run_id
        statement = sa.select(schema.records).where(of_run).order_by(schema.records.c.sequence)
        with self._database.reading() as connection:
            runs = self._runs(connection, schema.runs.c.id == run_id)
            if not runs:
                raise StoreError(f"{self.path}: it holds no run {run_id}")
            raw = self._rounds(connection, run_id) if with_rounds else {}
            records = self._read(
                connection,
                statement,
                lambda row: rows.to_record(row, runs[0], raw.get(row["workload"], ())),
            )
        return _in_order_of_study(records, runs[0])

    def outcomes(self, run_id: str) -> dict[str, int]:
        """How many workloads of a run have each status; a status that none has is left out."""
        statement = (
            sa.select(schema.records.c.status, sa.func.count().label("workloads"))
            .where(schema.records.c.run_id == run_id)
            .group_by(schema.records.c.status)
        )
        with self._database.reading() as connection:
            return {row.status: row.workloads for row in connection.execute(statement)}

    def finish_run(self, run_id: str, at: float) -> None:
        """Note that nothing is left to do, since `at` (Unix time, seconds).

        Raises:
            StoreError: there is no such run.
        """
        self._set_finished(run_id, at)

    def reopen_run(self, run_id: str) -> None:
        """Note that something is left to do.

        Raises:
            StoreError: there is no such run.
        """
        self._set_finished(run_id, None)

    def set_device(self, run_id: str, device: Mapping[str, Any]) -> None:
        """Replace what is known of a run's device, once more was found out.

        Raises:
            StoreError: there is no such run.
        """
        self._update_run(run_id, device=dict(device))

    def _set_finished(self, run_id: str, at: float | None) -> None:
        self._update_run(run_id, finished_at=at)

    def _update_run(self, run_id: str, **values: Any) -> None:  # noqa: ANN401 - of any column
        statement = schema.runs.update().where(schema.runs.c.id == run_id).values(**values)
        with self._database.writing() as connection:
            if connection.execute(statement).rowcount == 0:
                raise StoreError(f"{self.path}: it holds no run {run_id}")

    def _add_run(self, run: Run, contents: tuple[Record, ...]) -> Run:
        with self._database.writing() as connection:
            run_id = _free_id(connection, run.id)
            values = rows.run_row(replace(run, id=run_id))
            connection.execute(schema.runs.insert().values(**values))
            for record in contents:
                _put(connection, run_id, record, record.rounds)
            return self._runs(connection, schema.runs.c.id == run_id)[0]

    def _runs(self, connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Run]:
        newest_first = schema.runs.c.sequence.desc()
        statement = sa.select(schema.runs).where(*conditions).order_by(newest_first)
        return self._read(connection, statement, rows.to_run)

    def _rounds(
        self, connection: sa.Connection, run_id: str, key: str | None = None
    ) -> dict[str, tuple[Round, ...]]:
        """Rounds of a run by workload key, of one workload where a key is given."""
        table = schema.rounds
        statement = sa.select(table).where(table.c.run_id == run_id).order_by(table.c.number)
        if key is not None:
            statement = statement.where(table.c.workload == key)
        found: dict[str, list[Round]] = defaultdict(list)
        for owner, part in self._read(
            connection, statement, lambda row: (row["workload"], rows.to_round(row))
        ):
            found[owner].append(part)
        return defaultdict(tuple, {owner: tuple(parts) for owner, parts in found.items()})

    def _read(
        self,
        connection: sa.Connection,
        statement: sa.Select[Any],
        convert: Callable[[sa.RowMapping], Noun],
    ) -> list[Noun]:
        try:
            return [convert(row) for row in connection.execute(statement).mappings()]
        except (TypeError, ValueError) as error:
            raise StoreError(
                f"{self.path}: a row is damaged ({error}); use a copy of the file"
            ) from error


def _free_id(connection: sa.Connection, wanted: str) -> str:
    """The wanted id where it is one of ours and free, or else a new one."""
    candidate = wanted
    while not _RUN_ID.fullmatch(candidate) or connection.scalar(
        sa.select(sa.exists().where(schema.runs.c.id == candidate))
    ):
        candidate = secrets.token_hex(4)
    return candidate


def _in_order_of_study(records: list[Record], run: Run) -> list[Record]:
    if run.origin == "imported":
        return records
    planned = Study.from_json(run.document).workloads()
    place = {workload: number for number, workload in enumerate(planned)}
    return sorted(records, key=lambda record: place.get(record.workload, len(place)))


def _put(connection: sa.Connection, run_id: str, record: Record, parts: Iterable[Round]) -> None:
    key = record.workload.key
    values = rows.record_row(record)
    same = sa.and_(schema.records.c.run_id == run_id, schema.records.c.workload == key)
    if connection.execute(schema.records.update().where(same).values(**values)).rowcount == 0:
        connection.execute(schema.records.insert().values(run_id=run_id, workload=key, **values))
    added = [_round_values(run_id, key, part) for part in parts]
    if added:
        connection.execute(schema.rounds.insert(), added)


def _round_values(run_id: str, key: str, part: Round) -> dict[str, Any]:
    return {"run_id": run_id, "workload": key, **rows.round_row(part)}
