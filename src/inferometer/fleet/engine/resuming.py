"""What an earlier run of a study has left: on the boards, which know their jobs, and in the store.

Nothing is written down here when a run begins. A board keeps each job as it was asked, and goes on
when the coordinator dies; so boards are asked which of their jobs are of this study, what has ended
is collected, and what goes on is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from inferometer.core.errors import FleetError
from inferometer.core.record import Record
from inferometer.core.run import PARTS, Run
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.fleet.asking import ask_all
from inferometer.fleet.engine.drive import checked
from inferometer.fleet.engine.merge import without_threads
from inferometer.fleet.types import Board, Job, KnownJob
from inferometer.host.lease import Holder
from inferometer.runner.run import missing_workloads
from inferometer.store import Store
from inferometer.store.bundle import Bundle

Answered = TypeVar("Answered")


@dataclass(frozen=True, kw_only=True)
class Left:
    """A job that a board has.

    Attributes:
        board: which one.
        job: what it was asked.
        is_alive: whether its process measures.
        bundle: what it measured, where it is done.
    """

    board: Board
    job: Job
    is_alive: bool = False
    bundle: Bundle | None = field(default=None, repr=False)


@dataclass(kw_only=True)
class Earlier:
    """What an earlier run has left.

    Attributes:
        group: id of the run, where the study was spread; else each device has its own.
        runs: ids of runs to which nothing is lacking in the store, by the name of their device.
        ended: results that are not in the store yet.
        begun: jobs that go on, by the name of their device; one for each.
        missing: workloads that no job has, where the study was spread.
        silent: why devices could not be asked, by their names.
    """

    group: str = ""
    runs: dict[str, str] = field(default_factory=dict)
    ended: list[Bundle] = field(default_factory=list)
    begun: dict[str, Job] = field(default_factory=dict)
    missing: tuple[Workload, ...] = ()
    silent: dict[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether there is no run to go on with."""
        return not (self.group or self.runs or self.ended or self.begun)


def find(study: Study, boards: Sequence[Board], spread: str, store: Store, me: Holder) -> Earlier:
    """What an earlier run of a study on these devices has left.

    Args:
        study: with its flags.
        boards: those that are asked.
        spread: the class over which it is spread; empty where each device measures the whole.
        store: what was collected.
        me: whose jobs count.

    Raises:
        StoreError: the store cannot be read.
    """
    search = _Search(study, boards, store, me)
    if spread:
        search.spread(spread)
    else:
        search.each()
    return search.found


class _Search:
    """Asks the boards, side by side."""

    def __init__(self, study: Study, boards: Sequence[Board], store: Store, me: Holder) -> None:
        self.found = Earlier()
        self._study = study
        self._boards = boards
        self._store = store
        self._me = (me.user, me.host)
        runs = store.runs()
        self._ids = {run.id for run in runs}
        self._stored = {
            run.id: run for run in runs if run.is_carried and _is_of(study, run.document)
        }
        self._whole = {one.id for one in self._stored.values() if one.finished_at is not None}

    def each(self) -> None:
        """Of each device the latest job that is not whole in the store, or else the latest."""
        for board, left in self._asked(self._latest):
            name = board.device.name
            if left is None:
                whole = (one for one in self._stored.values() if self._is_done(one, name))
                if run := next(whole, None):
                    self.found.runs[name] = run.id
            elif left.job.id in self._whole:
                self.found.runs[name] = left.job.id
            elif left.bundle is not None:
                self.found.ended.append(left.bundle)
            else:
                self.found.begun[name] = left.job

    def _latest(self, board: Board) -> Left | None:
        jobs = [one for one in self._mine(board) if not one.group]
        jobs.sort(key=lambda one: one.status.job in self._whole)
        return next(self._lefts(board, jobs), None)

    def _is_done(self, run: Run, name: str) -> bool:
        return run.id in self._whole and run.device_name == name and PARTS not in run.device

    def spread(self, kind: str) -> None:
        """The latest group that is not whole in the store, or else the latest."""
        known = {
            board.device.name: [one for one in jobs if one.group]
            for board, jobs in self._asked(self._mine)
        }
        stored = {
            one.id: one
            for one in self._stored.values()
            if PARTS in one.device and one.device_name == kind
        }
        times = {one.id: one.created_at for one in stored.values()}
        for one in (one for jobs in known.values() for one in jobs):
            times[one.group] = max(times.get(one.group, 0.0), one.started_at)
        for group in sorted(times, key=lambda one: (one in self._whole, -times[one])):
            if group in self._ids and group not in stored:
                continue  # another run has that id
            lefts = self._of_group(group, known, stored.get(group))
            if lefts or group in stored:
                self.found.group = group
                self._share_out(lefts, self._store.records(group) if group in stored else [])
                return

    def _of_group(
        self, group: str, known: Mapping[str, Sequence[KnownJob]], run: Run | None
    ) -> list[Left]:
        """The jobs of a group whose results are not in the store."""
        taken = set() if run is None else {str(one.get("job")) for one in run.device[PARTS]}

        def lefts(board: Board) -> list[Left]:
            mine = [one for one in known.get(board.device.name, ()) if one.group == group]
            return list(self._lefts(board, [one for one in mine if one.status.job not in taken]))

        return [one for _, found in self._asked(lefts) for one in found]

    def _share_out(self, lefts: Sequence[Left], records: Sequence[Record]) -> None:
        """Take what has ended, go on with what measures something new, end what does not."""
        self.found.ended = [one.bundle for one in lefts if one.bundle is not None]
        records = [*records, *(one for bundle in self.found.ended for one in bundle.records)]
        missing = _lacking(self._study, records)
        for one in sorted(lefts, key=lambda one: not one.is_alive):
            if one.bundle is not None:
                continue
            mine, name = set(map(without_threads, one.job.workloads)), one.board.device.name
            if mine & missing and name not in self.found.begun:
                self.found.begun[name] = one.job
                missing -= mine
            elif one.is_alive:
                with suppress(FleetError):
                    one.board.cancel(one.job.id)
        workloads = self._study.workloads()
        self.found.missing = tuple(one for one in workloads if without_threads(one) in missing)

    def _mine(self, board: Board) -> list[KnownJob]:
        """Jobs of a study of that name that I started there, the latest first."""
        wanted = (board.device.name, self._study.name, *self._me)
        return [
            one
            for one in board.jobs()
            if (one.device_name, one.study, one.holder.user, one.holder.host) == wanted
        ]

    def _lefts(self, board: Board, jobs: Iterable[KnownJob]) -> Iterator[Left]:
        """Those jobs that are of this study, with what they measured.

        Raises:
            FleetError: a board does not answer, or not rightly.
        """
        for known in jobs:
            job = board.asked(known.status.job)
            if (job.group, job.device_name) != (known.group, known.device_name):
                continue
            if not _is_of(self._study, job.study):
                continue
            state, is_new = known.status.state, job.id not in self._whole
            content = board.collect(job.id) if state == "done" and is_new else None
            yield Left(
                board=board,
                job=job,
                is_alive=state in ("waiting", "running"),
                bundle=None if content is None else checked(content, job),
            )

    def _asked(self, question: Callable[[Board], Answered]) -> Iterator[tuple[Board, Answered]]:
        """Boards that answer, with what they say."""
        boards = [one for one in self._boards if one.device.name not in self.found.silent]
        for reply in ask_all(boards, lambda board: (board, question(board))):
            if reply.answer is None:
                self.found.silent[reply.board.device.name] = str(reply.problem)
            else:
                yield reply.answer


def _is_of(study: Study, document: Mapping[str, Any]) -> bool:
    """Whether a run or a job is of a study with its flags; a device fills in its threads."""
    try:
        other = Study.from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    threads = study.sweep.threads
    same = threads is None or threads == other.sweep.threads
    return same and _open(study).signature == _open(other).signature


def _open(study: Study) -> Study:
    """A study whose threads are filled in by the device."""
    return replace(study, sweep=replace(study.sweep, threads=None))


def _lacking(study: Study, records: Iterable[Record]) -> set[Workload]:
    """Workloads of a study without a final record, as they are planned for any device."""
    plain = [replace(one, workload=without_threads(one.workload)) for one in records]
    return set(missing_workloads(_open(study), plain, retry_failed=False))
