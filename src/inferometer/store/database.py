"""What can be asked of, and put into, a results database."""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, final

import sqlalchemy as sa

from inferometer.core.dataset import Evaluation
from inferometer.core.errors import StoreError
from inferometer.core.record import Record, Round
from inferometer.core.references import did_you_mean
from inferometer.core.run import CARRIED, Origin, Run
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.store import rows, schema, values
from inferometer.store.address import Place
from inferometer.store.bundle.merging import Merge, merge
from inferometer.store.bundle.parts import Bundle
from inferometer.store.claims import Owner, is_running, owner_of, this_process
from inferometer.store.contents import (
    RoundsByKey,
    StoredRun,
    by_workload,
    evaluations_of,
    in_order_of_study,
    record_of,
    run_id_of,
    stored_records,
    stored_rounds,
    stored_runs,
    whole,
)
from inferometer.store.damage import WAY_OUT, Damage, Damages, Tell, warn
from inferometer.store.evaluations import evaluation_row
from inferometer.store.protocol import NO_CONDITION, Database, Row, Where

_SHOWN_CANDIDATES = 10


@final
class Store:
    """A results database; a context manager that closes it.

    Every method that writes is one transaction: when it returns, what it wrote survives the end of
    the process and of the power; when it raises, nothing of it was written. Every method raises
    `StoreError` where the database cannot be read or written.

    Nothing of the file is believed. A damaged row is passed over and told of, once, and the others
    are given: in a sentence to `tell`, by default as a warning of Python (`StoreWarning`).

    Args:
        database: the open database.
        tell: is given a sentence for what is damaged.
    """

    def __init__(self, database: Database, *, tell: Tell = warn) -> None:
        self._database = database
        self._damages = Damages(database.place, tell)

    @property
    def place(self) -> Place:
        """Where it is; on a server, as text without the password."""
        return self._database.place

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            StoreError: it is on a server.
        """
        if not isinstance(self.place, Path):
            raise StoreError(f"{shown(self.place)}: a store on a server has no file")
        return self.place

    @property
    def damaged(self) -> tuple[Damage, ...]:
        """What was met so far that cannot be read."""
        return self._damages.known

    def close(self) -> None:
        """Close it."""
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
        run_id: str = "",
    ) -> Run:
        """A new run of a study, unfinished.

        Args:
            study: what is measured.
            planned: workloads of the study.
            device: what the device is, with `name`.
            software: versions.
            origin: `measured`, or `replayed` from a recorded device tree.
            run_id: the id that it gets where it is free; a random one by default.
        """
        run = Run(
            id=run_id,
            study=study.name,
            signature=study.signature,
            document=study.to_json(),
            device=device,
            software=software,
            origin=origin,
            planned=planned,
            created_at=time.time(),
        )
        with self._database.writing() as connection:
            return self._add_run(connection, run, ())

    def import_run(self, run: Run, records: Iterable[Record]) -> Run:
        """Add a run that was measured elsewhere.

        Returns:
            The run as stored: `imported`, and with another id where its own is taken here or is
            not one of ours.
        """
        return self.import_runs([(run, records)])[0]

    def import_runs(self, parts: Iterable[tuple[Run, Iterable[Record]]]) -> list[Run]:
        """Add runs that were measured elsewhere, all or none.

        Returns:
            The runs as stored: `imported`, and with other ids where theirs are taken here or are
            none of ours.
        """
        with self._database.writing() as connection:
            return [
                self._add_run(connection, replace(run, origin="imported"), tuple(records))
                for run, records in parts
            ]

    def runs(self) -> list[Run]:
        """Every run that can be read, the one that came last first."""
        return [one.run for one in self._runs() if one.run is not None]

    def runs_like(self, signature: str) -> list[Run]:
        """Runs measured here of the study with that signature, the latest first."""
        return [
            run
            for run in self.runs()
            if run.signature == signature and run.origin != "imported" and not run.is_carried
        ]

    def run(self, reference: str) -> Run:
        """The run that an id, a unique beginning of one, or `latest` names.

        Raises:
            StoreError: there is none, or several, or it is damaged.
        """
        with self._database.reading() as connection:
            found = self._references(connection)
            run_id, sequence = self._chosen(found, reference)
            where: Where = {"id": run_id} if run_id else {"sequence": sequence}
            runs, damages = stored_runs(self._database, connection, where)
        self._damages.add([*damages, *(one.damage for one in runs if one.damage)])
        return self._readable(runs[0] if runs else StoredRun(id=run_id))

    def claim(self, run_id: str) -> None:
        """Take a run for this process to measure. One whose owner has died is taken over.

        Raises:
            StoreError: another process measures it.
        """
        me, table = this_process(), schema.claims
        with self._database.writing() as connection:
            found = self._database.read(connection, table, {"run_id": run_id}).found
            owners = [owner for owner in map(owner_of, found) if owner is not None]
            others = [owner for owner in owners if not owner.is_same(me)]
            for other in filter(is_running, others):
                raise self._taken(run_id, other)
            connection.execute(table.delete().where(table.c.run_id == run_id))
            connection.execute(table.insert().values(run_id=run_id, **me.row()))
            if not self._database.keep(run_id) and (others or not owners):
                raise self._taken(run_id, *others)

    def _taken(self, run_id: str, owner: Owner | None = None) -> StoreError:
        who = "another process" if owner is None else f"process {owner.pid}{owner.elsewhere}"
        return StoreError(
            f"{shown(self.place)}: run {run_id} is being measured by {who}; wait for it, or stop it"
        )

    def release(self, run_id: str) -> None:
        """Give a run up that this process claimed; a run of another process stays its own."""
        me = this_process()
        with self._database.writing() as connection:
            claims = self._database.read(connection, schema.claims, {"run_id": run_id}).found
            if any(one is not None and one.is_same(me) for one in map(owner_of, claims)):
                connection.execute(schema.claims.delete().where(schema.claims.c.run_id == run_id))
                self._database.let_go(run_id)

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
            same = {"run_id": run_id, "workload": workload.key}
            found = self._rounds(connection, same)
        return found.get(workload.key, ())

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
            replaced = self._damaged_before(connection, run_id, record)
            if instead:
                connection.execute(schema.rounds.delete().where(mine))
            _put(connection, run_id, record, rounds)
        if replaced:
            self._damages.replaced(replaced)

    def put_evaluation(self, run_id: str, evaluation: Evaluation) -> None:
        """Store a pass over a dataset, in place of an earlier one of the workload.

        Raises:
            StoreError: there is no such run.
            ValueError: it holds what no dataset gives.
        """
        with self._database.writing() as connection:
            _put_evaluation(connection, run_id, evaluation)

    def evaluations(self, run_id: str) -> dict[str, Evaluation]:
        """Passes over datasets, by the key of their workload."""
        with self._database.reading() as connection:
            rows_found = self._database.read(connection, schema.evaluations, {"run_id": run_id})
        found = evaluations_of(rows_found.found)
        self._damages.add([*rows_found.damages, *(one.damage for one in found if one.damage)])
        kept = [one.evaluation for one in found if one.evaluation is not None]
        return {one.workload: one for one in kept}

    def all_rounds(self, run_id: str) -> dict[str, tuple[Round, ...]]:
        """Raw observations of a run by the key of their workload, with a record or without."""
        with self._database.reading() as connection:
            return dict(self._rounds(connection, {"run_id": run_id}))

    def merge(self, bundle: Bundle) -> Merge:
        """Add what a bundle holds and the store does not, all or nothing.

        Args:
            bundle: a run with figures, under its own id.

        Returns:
            What was written.

        Raises:
            ImportFileError: the store has another run of that id, or one of the two was changed.
        """
        with self._database.writing() as connection:
            found = merge(bundle, self._bundle(connection, bundle.run.id))
            self._write(connection, found)
        return found

    def _bundle(self, connection: sa.Connection, run_id: str) -> Bundle | None:
        """A run as it is stored; None where it is not."""
        runs, _ = stored_runs(self._database, connection, {"id": run_id})
        if not runs:
            return None
        run = self._readable(runs[0])
        records, _ = stored_records(self._database, connection, run)
        stored = self._database.read(connection, schema.evaluations, {"run_id": run_id})
        passes = evaluations_of(stored.found)
        return Bundle(
            run=run,
            records=tuple(one.record for one in records if one.record is not None),
            rounds=self._rounds(connection, {"run_id": run_id}),
            evaluations={
                one.evaluation.workload: one.evaluation for one in passes if one.evaluation
            },
        )

    def _write(self, connection: sa.Connection, found: Merge) -> None:
        """Write what a bundle adds."""
        run = found.run
        if found.is_new:
            run = replace(run, device={**run.device, CARRIED: True})
            if _free_id(connection, run.id) != run.id:
                raise StoreError(
                    f"{shown(self.place)}: there are observations of a run {run.id} whose own row "
                    f"is damaged: import it into another store (--store FILE); {WAY_OUT}"
                )
            connection.execute(schema.runs.insert().values(**rows.run_row(run)))
        elif found.run_changes:
            same = schema.runs.c.id == run.id
            connection.execute(schema.runs.update().where(same).values(**rows.run_row(run)))
        table = schema.rounds.c
        for key in found.anew:
            mine = sa.and_(table.run_id == run.id, table.workload == key)
            connection.execute(schema.rounds.delete().where(mine))
        for record in found.records:
            _put(connection, run.id, record, ())
        added = [_round_values(run.id, key, part) for key, part in found.rounds]
        if added:
            connection.execute(schema.rounds.insert(), added)
        for evaluation in found.evaluations:
            _put_evaluation(connection, run.id, evaluation)

    def next_round(self, run_id: str) -> int:
        """The index after the last round of a run; 0 where it has none."""
        number = schema.rounds.c.number
        # Text would be larger than every number, and a number out of bounds leaves no next one.
        sound = number.between(0, rows.MOST_ROUNDS)
        last = sa.select(sa.func.max(number)).where(schema.rounds.c.run_id == run_id, sound)
        with self._database.reading() as connection:
            found: int | None = connection.scalar(last)
        return 0 if found is None else found + 1

    def warmed_up_in_vain(self, run_id: str) -> dict[str, int]:
        """How often workloads without a record were warmed up since anything was measured.

        Returns:
            By key of the workload; empty where the run's last round is no warm-up.
        """
        table = schema.rounds.c
        mine, warm = table.run_id == run_id, table.phase == "warmup"
        last = sa.select(sa.func.max(table.number)).where(mine, ~warm).scalar_subquery()
        done = sa.select(schema.records.c.workload).where(schema.records.c.run_id == run_id)
        statement = (
            sa.select(table.workload, sa.func.count())
            .where(mine, warm, table.number > sa.func.coalesce(last, -1), ~table.workload.in_(done))
            .group_by(table.workload)
        )
        with self._database.reading() as connection:
            return {str(key): count for key, count in connection.execute(statement)}

    def records(self, run_id: str, *, with_rounds: bool = False) -> list[Record]:
        """Outcomes of a run, in the order of its study; of an imported run, of its file.

        Args:
            run_id: the run's full id.
            with_rounds: also read the raw observations.

        Raises:
            StoreError: there is no such run, or it is damaged itself.
        """
        with self._database.reading() as connection:
            run = self._run(connection, run_id)
            rounds = self._rounds(connection, {"run_id": run_id}) if with_rounds else {}
            found, damages = stored_records(self._database, connection, run, rounds)
        self._damages.add([*damages, *(one.damage for one in found if one.damage)])
        records = [one.record for one in found if one.record is not None]
        return in_order_of_study(records, run)

    def records_of(
        self,
        models: Iterable[str],
        *,
        among: Callable[[Run], bool] = lambda _: True,
        where: Where = NO_CONDITION,
    ) -> list[tuple[Run, Record]]:
        """Outcomes of models in all runs that can be read, each with its run, without rounds.

        Args:
            models: references as they were given.
            among: says which runs; records of others are not looked into.
            where: columns of records and the values that they must have.
        """
        with self._database.reading() as connection:
            runs, damages = stored_runs(self._database, connection)
            found: list[Row] = []
            for model in dict.fromkeys(models):
                same = {**where, "model": model}
                stored = self._database.read(connection, schema.records, same)
                found += stored.found
                damages += stored.damages
        known = {one.run.id: one.run for one in runs if one.run is not None and among(one.run)}
        mine = [(known[row["run_id"]], row) for row in found if row["run_id"] in known]
        outcomes = [(run, record_of(row, run)) for run, row in mine]
        broken = [one.damage for one in runs] + [one.damage for _, one in outcomes]
        self._damages.add([*damages, *(damage for damage in broken if damage)])
        return [(run, one.record) for run, one in outcomes if one.record is not None]

    def models(self) -> list[str]:
        """Every model of which there is a record, by name."""
        column = schema.records.c.model
        with self._database.reading() as connection:
            counted = self._database.counted(connection, (column,), {})
            if counted is not None:
                return sorted(str(model) for model, _ in counted)
            stored = self._database.read(connection, schema.records, only=("model",))
        return sorted({str(row["model"]) for row in stored.found})

    def outcomes(self, run_id: str) -> dict[str, int]:
        """How many workloads of a run have each status; a status that none has is left out."""
        return self._outcomes({"run_id": run_id}).get(run_id, {})

    def all_outcomes(self) -> dict[str, dict[str, int]]:
        """The same of every run, by its id."""
        return self._outcomes({})

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
                raise StoreError(f"{shown(self.place)}: it holds no run {shown(run_id)}")

    def _add_run(self, connection: sa.Connection, run: Run, contents: tuple[Record, ...]) -> Run:
        run_id = _free_id(connection, run.id)
        row = rows.run_row(replace(run, id=run_id))
        connection.execute(schema.runs.insert().values(**row))
        _put_all(connection, run_id, contents)
        return self._run(connection, run_id)

    def _runs(self) -> list[StoredRun]:
        with self._database.reading() as connection:
            found, damages = stored_runs(self._database, connection)
        self._damages.add([*damages, *(one.damage for one in found if one.damage)])
        return found

    def _references(self, connection: sa.Connection) -> list[tuple[str, int]]:
        """Id and number of every run, the one that came last first; nothing else is read."""
        found = self._database.read(connection, schema.runs, only=("sequence", "id"))
        self._damages.add(found.damages)
        numbered = [(run_id_of(row), whole(row["sequence"])) for row in found.found]
        return sorted(numbered, key=lambda one: -one[1])

    def _chosen(self, found: list[tuple[str, int]], reference: str) -> tuple[str, int]:
        """The one that a reference means.

        Raises:
            StoreError: there is none, or several.
        """
        if not found:
            raise StoreError(self._why_empty())
        if reference == "latest":
            return found[0]
        named = [one for one in found if reference and one[0].startswith(reference)]
        if not named:
            raise StoreError(
                f"{shown(self.place)}: no run begins with {shown(repr(reference))}"
                f"{did_you_mean(reference, ['latest', *(run_id for run_id, _ in found)])}; "
                "`inferometer runs` lists them"
            )
        ids = list(dict.fromkeys(run_id for run_id, _ in named))
        if len(ids) > 1:
            candidates = ", ".join(ids[:_SHOWN_CANDIDATES])
            more = ", …" if len(ids) > _SHOWN_CANDIDATES else ""
            raise StoreError(
                f"{shown(self.place)}: '{shown(reference)}' may be any of {candidates}{more}; "
                "give more of it"
            )
        return named[0]

    def _why_empty(self) -> str:
        for damage in self.damaged:
            if damage.table == schema.runs.name:
                return f"{shown(self.place)}: its runs cannot be read: {damage.sentence}; {WAY_OUT}"
        return f"{shown(self.place)}: it holds no runs yet; measure with `inferometer run`"

    def _run(self, connection: sa.Connection, run_id: str) -> Run:
        found, _ = stored_runs(self._database, connection, {"id": run_id})
        for one in found:
            return self._readable(one)
        raise StoreError(f"{shown(self.place)}: it holds no run {shown(run_id)}")

    def _readable(self, one: StoredRun) -> Run:
        """A run that was asked for.

        Raises:
            StoreError: it is damaged.
        """
        if one.run is None:
            damage = one.damage.sentence if one.damage else ""
            raise StoreError(
                f"{shown(self.place)}: damaged: {damage}; name another run (`inferometer runs` "
                f"lists those that can be read); {WAY_OUT}"
            )
        return one.run

    def _rounds(self, connection: sa.Connection, where: Where) -> RoundsByKey:
        found, damages = stored_rounds(self._database, connection, where)
        self._damages.add([*damages, *(one.damage for one in found if one.damage)])
        return by_workload(found)

    def _outcomes(self, where: Where) -> dict[str, dict[str, int]]:
        """Counted by the database, from an index alone: a store may hold a million records."""
        with self._database.reading() as connection:
            counted = self._database.counted(connection, _OUTCOME, where)
        if counted is None or not {status for _, status, _ in counted} <= set(values.STATUSES):
            return self._outcomes_by_row(where)
        outcomes: dict[str, dict[str, int]] = defaultdict(dict)
        for run_id, status, count in counted:
            outcomes[run_id][status] = count
        return dict(outcomes)

    def _outcomes_by_row(self, where: Where) -> dict[str, dict[str, int]]:
        """Counted one by one, where some are damaged."""
        with self._database.reading() as connection:
            found = self._database.read(connection, schema.records, where, only=_COUNTED)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        damages = found.damages
        for row in found.found:
            run_id, status = row["run_id"], row["status"]
            if status in values.STATUSES:
                counts[run_id][status] += 1
            else:
                place = f"record {row['workload']} of run {run_id}"
                damages.append(Damage(table="records", place=place, problem="it has no status"))
        self._damages.add(damages)
        return {run_id: dict(count) for run_id, count in counts.items()}

    def _damaged_before(self, connection: sa.Connection, run_id: str, record: Record) -> str:
        """The damaged row that a record takes the place of, for people; empty where none is."""
        same = {"run_id": run_id, "workload": record.workload.key}
        found = self._database.read(connection, schema.records, same)
        damages = [record_of(row, _ANY).damage for row in found.found]
        return next((one.place for one in damages if one is not None), "")


_OUTCOME = (schema.records.c.run_id, schema.records.c.status)
_COUNTED = ("run_id", "status", "workload")
_ANY = Run(id="", study="", signature="", document={}, device={}, software={})


def _free_id(connection: sa.Connection, wanted: str) -> str:
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


def _put(connection: sa.Connection, run_id: str, record: Record, parts: Iterable[Round]) -> None:
    key = record.workload.key
    row = rows.record_row(record)
    same = sa.and_(schema.records.c.run_id == run_id, schema.records.c.workload == key)
    if connection.execute(schema.records.update().where(same).values(**row)).rowcount == 0:
        connection.execute(schema.records.insert().values(run_id=run_id, workload=key, **row))
    added = [_round_values(run_id, key, part) for part in parts]
    if added:
        connection.execute(schema.rounds.insert(), added)


def _put_evaluation(connection: sa.Connection, run_id: str, evaluation: Evaluation) -> None:
    table = schema.evaluations
    row = {"run_id": run_id, **evaluation_row(evaluation)}
    same = sa.and_(table.c.run_id == run_id, table.c.workload == evaluation.workload)
    connection.execute(table.delete().where(same))
    connection.execute(table.insert().values(**row))


def _put_all(connection: sa.Connection, run_id: str, records: Sequence[Record]) -> None:
    """Outcomes of a run that has none yet; of two of one workload the last."""
    unique = {record.workload.key: record for record in records}
    added = [
        {"run_id": run_id, "workload": key, **rows.record_row(record)}
        for key, record in unique.items()
    ]
    if added:
        connection.execute(schema.records.insert(), added)
    parts = [_round_values(run_id, key, part) for key, one in unique.items() for part in one.rounds]
    if parts:
        connection.execute(schema.rounds.insert(), parts)


def _round_values(run_id: str, key: str, part: Round) -> dict[str, Any]:
    return {"run_id": run_id, "workload": key, **rows.round_row(part)}
