"""One job on one board, from its start to its bundle: asks, waits, and outlasts a line that drops.

A board goes on by itself, so that nothing is lost while it is silent; only patience ends.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from inferometer.core.errors import FleetError, ImportFileError
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.core.units import duration
from inferometer.core.workload import Workload
from inferometer.fleet.collecting import MOST_UNPACKED
from inferometer.fleet.engine.merge import without_threads
from inferometer.fleet.types import (
    AnswerError,
    Board,
    Job,
    JobStatus,
    LineError,
    LoginError,
)
from inferometer.host.lease import LeaseHeldError
from inferometer.store.bundle import Bundle, read_bundle

Answered = TypeVar("Answered")
RESTARTS = 2
"""How often a job is started again that ended with nothing new measured."""


class StoppedError(FleetError):
    """The user ended it; jobs on boards go on."""


class LostError(FleetError):
    """A device was silent for longer than it is waited for."""


class FailedError(FleetError):
    """A job ends again and again before it is done; the message says what the board said."""


class Stop(Protocol):
    """Whether the user has ended it, as `threading.Event` has it."""

    def wait(self, timeout: float) -> bool:
        """Wait for so many seconds, or until it is ended; whether it is."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often a board is asked, and how long it is waited for. All in seconds.

    Attributes:
        poll_s: between two questions how far a job is.
        retry_s: before a conversation that failed is tried again.
        patience_s: of a silent or held device, before it is given up.
        probe_s: between two looks whether a device that was set aside is back.
    """

    poll_s: float = 5.0
    retry_s: float = 5.0
    patience_s: float = 600.0
    probe_s: float = 15.0


@dataclass(kw_only=True)
class Drive:
    """A job on a board.

    Attributes:
        board: the board.
        job: what it measures.
        pace: how often it is asked.
        stop: whether the user has ended it.
        tell: is given each status.
        note: is given a sentence for people.
        waits: whether a board that is away or held when the job starts is waited for.
        now: seconds of a clock that only goes forward.
    """

    board: Board
    job: Job
    pace: Pace
    stop: Stop
    tell: Callable[[JobStatus], None] = lambda _: None
    note: Callable[[str], None] = lambda _: None
    waits: bool = True
    now: Callable[[], float] = time.monotonic
    _restarts: int = field(default=0, init=False)
    _done: int = field(default=-1, init=False)

    def run(self) -> Bundle:
        """Start the job, wait for its end, and collect it.

        Raises:
            LeaseHeldError: somebody else measures there.
            LineError: the board was not there when the job should have started.
            LostError: it was silent for too long.
            FailedError: the job ended too often.
            AnswerError, RefusedError: the board said what cannot be, or no.
            StoppedError: the user ended it.
        """
        self._begin()
        while True:
            status = self._asked(lambda: self.board.status(self.job.id))
            self.tell(status)
            if status.state == "done":
                content = self._asked(lambda: self.board.collect(self.job.id))
                return checked(content, self.job)
            if status.is_over:
                self._again(status)
            self._pause(self.pace.poll_s)

    def so_far(self) -> Bundle:
        """What the job has measured, where it failed."""
        return checked(self._asked(lambda: self.board.collect(self.job.id)), self.job, whole=False)

    def _begin(self) -> None:
        if self.waits:
            self._asked(lambda: self.board.start(self.job), LeaseHeldError)
        else:
            self.board.start(self.job)

    def _again(self, status: JobStatus) -> None:
        """Start a job again that ended early; a few times, unless it gets on.

        Raises:
            FailedError: it was too often.
        """
        self._restarts = 0 if status.done > self._done >= 0 else self._restarts
        self._done = status.done
        if self._restarts == RESTARTS:
            raise FailedError(f"{self._name}: {status.message or 'the job ended early'}")
        self._restarts += 1
        self.note(f"{self._name}: {status.message or 'the job ended early'}; it is started again")
        self._asked(lambda: self.board.start(self.job), LeaseHeldError)

    def _asked(self, ask: Callable[[], Answered], *further: type[FleetError]) -> Answered:
        """An answer, however often it has to be asked for.

        Args:
            ask: the conversation.
            further: errors beside a dropped line that may pass.

        Raises:
            LostError: there was none for too long.
        """
        begin, told = self.now(), False
        passing: tuple[type[FleetError], ...] = (LineError, *further)
        while True:
            try:
                return ask()
            except LoginError:
                raise
            except passing as error:
                if self.now() - begin + self.pace.retry_s > self.pace.patience_s:
                    raise self._given_up(error) from error
                if not told:
                    self.note(f"{error}; it is tried for {duration(self.pace.patience_s)}")
                told = True
            self._pause(self.pace.retry_s)

    def _given_up(self, error: FleetError) -> FleetError:
        if isinstance(error, LeaseHeldError):
            return error
        return LostError(f"{error} (tried for {duration(self.pace.patience_s)})")

    def _pause(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise StoppedError(f"{self._name}: left as it is")

    @property
    def _name(self) -> str:
        return self.board.device.name


def checked(content: bytes, job: Job, *, whole: bool = True) -> Bundle:
    """The bundle of a job, once it is known to hold what was asked and nothing else.

    Args:
        content: what the board sent.
        job: what it was asked.
        whole: whether nothing may be missing.

    Raises:
        AnswerError: it is no bundle, or of something else.
    """
    name = job.device_name
    try:
        bundle = read_bundle(content, shown(name), at_most=MOST_UNPACKED)
    except ImportFileError as error:
        raise AnswerError(f"{error}; nothing of it was kept") from error
    if problem := _strange(bundle, job, whole=whole):
        raise AnswerError(
            f"{name}: it sent {problem}, which is not what was asked; nothing of it was kept. Is "
            "that the board that you mean?"
        )
    return bundle


def _strange(bundle: Bundle, job: Job, *, whole: bool) -> str:
    """What a bundle holds that was not asked for; empty where there is nothing."""
    if (bundle.run.id, bundle.run.device_name) != (job.id, job.device_name):
        return "the run of another job"
    if not _same_study(bundle, job):
        return "a run of another study"
    fills = any(one.threads is None for one in job.workloads)
    found = [one.workload for one in bundle.records]
    found = list(map(without_threads, found)) if fills else found
    asked = set(job.workloads)
    beyond = set(found) - asked
    if len(set(found)) < len(found) or not _may_be_found(beyond, job):
        return "records of other workloads"
    if whole and not asked <= set(found):
        return f"{len(asked & set(found))} records of {len(asked)}"
    if whole and bundle.rounds.keys() - {one.workload.key for one in bundle.records}:
        return "rounds of other workloads"
    return ""


def _may_be_found(beyond: set[Workload], job: Job) -> bool:
    """Whether workloads beyond those of the job are what a search for cliffs comes upon."""
    if not beyond:
        return True
    variants = {one.variant for one in job.workloads}
    searches = Study.from_json(job.study).procedure.find_cliff is not None
    return searches and {one.variant for one in beyond} <= variants


def _same_study(bundle: Bundle, job: Job) -> bool:
    """Whether a run is of the job's study, but for the number of threads that a board fills in."""
    if _plain(bundle.run.document) == _plain(job.study):
        return True
    try:  # a board of another version may write down more, or less
        studies = [Study.from_json(one) for one in (bundle.run.document, job.study)]
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    one, other = (
        (one.name, one.procedure, set(map(without_threads, one.workloads()))) for one in studies
    )
    return one == other


def _plain(document: Mapping[str, Any]) -> object:
    """A study as JSON, without its threads."""
    sweep = document.get("sweep")
    if not isinstance(sweep, Mapping):
        return None
    return json.loads(json.dumps({**document, "sweep": {**sweep, "threads": None}}))
