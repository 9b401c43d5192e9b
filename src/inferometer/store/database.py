"""What can be asked of, and put into, a results database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, final

import sqlalchemy as sa

from inferometer.core.dataset import Evaluation
from inferometer.core.errors import StoreError
from inferometer.core.record import Record, Round
from inferometer.core.run import Origin, Run
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.store import schema, writing
from inferometer.store.address import Place
from inferometer.store.bundle.merging import Merge, merge
from inferometer.store.bundle.parts import Bundle
from inferometer.store.choosing import chosen
from inferometer.store.claiming import claim, release
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
from inferometer.store.counting import (
    Outcomes,
    counted_outcomes,
    next_round,
    warmed_up_in_vain,
)
from inferometer.store.damage import WAY_OUT, Damage, Damages, Tell, warn
from inferometer.store.protocol import NO_CONDITION, Database, Row, Where


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
        """The run that an id, a unique beginning of one, `latest`, or `latest~1` names.

        Raises:
            StoreError: there is none, or several, or it is damaged.
        """
        with self._database.reading() as connection:
            found = self._references(connection)
            if not found:
                raise StoreError(self._why_empty())
            run_id, sequence = chosen(found, reference, self.place)
            where: Where = {"id": run_id} if run_id else {"sequence": sequence}
            runs, damages = stored_runs(self._database, connection, where)
        self._damages.add([*damages, *(one.damage for one in runs if one.damage)])
        return self._readable(runs[0] if runs else StoredRun(id=run_id))

    def claim(self, run_id: str) -> None:
        """Take a run for this process to measure. One whose owner has died is taken over.

        Raises:
            StoreError: another process measures it.
        """
        claim(self._database, run_id)

    def release(self, run_id: str) -> None:
        """Give a run up that this process claimed; a run of another process stays its own."""
        release(self._database, run_id)

    def add_rounds(self, run_id: str, rounds: Iterable[tuple[Workload, Round]]) -> None:
        """Add raw observations.

        Raises:
            StoreError: a round of that index was stored before, or there is no such run.
        """
        added = [(workload.key, part) for workload, part in rounds]
        if added:
            with self._database.writing() as connection:
                writing.add_rounds(connection, run_id, added)

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
        key = record.workload.key
        with self._database.writing() as connection:
            replaced = self._damaged_before(connection, run_id, record)
            if instead:
                writing.drop_rounds(connection, run_id, key)
            writing.put_record(connection, run_id, record)
            writing.add_rounds(connection, run_id, ((key, part) for part in rounds))
        if replaced:
            self._damages.replaced(replaced)

    def put_evaluation(self, run_id: str, evaluation: Evaluation) -> None:
        """Store a pass over a dataset, in place of an earlier one of the workload.

        Raises:
            StoreError: there is no such run.
            ValueError: it holds what no dataset gives.
        """
        with self._database.writing() as connection:
            writing.put_evaluation(connection, run_id, evaluation)

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
            writing.write_merge(connection, found, self.place)
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

    def next_round(self, run_id: str) -> int:
        """The index after the last round of a run; 0 where it has none."""
        return next_round(self._database, run_id)

    def warmed_up_in_vain(self, run_id: str) -> dict[str, int]:
        """How often workloads without a record were warmed up since anything was measured.

        Returns:
            By key of the workload; empty where the run's last round is no warm-up.
        """
        return warmed_up_in_vain(self._database, run_id)

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
        with self._database.writing() as connection:
            if not writing.update_run(connection, run_id, **values):
                raise StoreError(f"{shown(self.place)}: it holds no run {shown(run_id)}")

    def _add_run(self, connection: sa.Connection, run: Run, contents: tuple[Record, ...]) -> Run:
        return self._run(connection, writing.put_run(connection, run, contents))

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

    def _outcomes(self, where: Where) -> Outcomes:
        outcomes, damages = counted_outcomes(self._database, where)
        self._damages.add(damages)
        return outcomes

    def _damaged_before(self, connection: sa.Connection, run_id: str, record: Record) -> str:
        """The damaged row that a record takes the place of, for people; empty where none is."""
        same = {"run_id": run_id, "workload": record.workload.key}
        found = self._database.read(connection, schema.records, same)
        damages = [record_of(row, _ANY).damage for row in found.found]
        return next((one.place for one in damages if one is not None), "")


_ANY = Run(id="", study="", signature="", document={}, device={}, software={})
