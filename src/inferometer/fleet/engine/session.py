"""What a fleet run knows while it goes on: its boards, which of them are free, and what came.

Tasks of Dask carry two words, the names of a session and of a piece of work; everything else stays
in this process, in which the tasks run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Literal

from inferometer.core.errors import FleetError
from inferometer.core.workload import Workload
from inferometer.fleet.engine.drive import (
    Drive,
    FailedError,
    LostError,
    Pace,
    StoppedError,
)
from inferometer.fleet.engine.pool import Pool
from inferometer.fleet.types import (
    AnswerError,
    Board,
    Device,
    Job,
    JobStatus,
    LineError,
    LoginError,
    RefusedError,
)
from inferometer.store.bundle import Bundle

Ending = Literal["done", "partial", "failed", "stopped"]
MOST_TRIES = 3
"""Devices on which one block may fail before it is taken to be the block."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a device said of a job."""

    device: str
    status: JobStatus


@dataclass(frozen=True, kw_only=True)
class Told:
    """A sentence for people."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a piece of work ended.

    Attributes:
        work: its name.
        ending: `partial` where a device kept a part of it, `failed` where nothing came.
        device: who did it; empty where nobody did.
        bundle: what was measured.
        message: why it failed.
    """

    work: str
    ending: Ending
    device: str = ""
    bundle: Bundle | None = field(default=None, repr=False)
    message: str = ""


Event = Said | Told | Outcome


@dataclass(frozen=True, kw_only=True)
class Work:
    """A piece of work.

    Attributes:
        workloads: what is measured.
        device: name of the device that does it; empty where any may.
        begun: the job that it is on a device already, which goes on with it.
    """

    workloads: tuple[Workload, ...] = field(repr=False)
    device: str = ""
    begun: Job | None = None


@dataclass(kw_only=True)
class Session:
    """A fleet run in this process.

    Attributes:
        boards: by the name of their device.
        pace: how often they are asked.
        works: pieces of work by name.
        job_for: a new job of a piece of work, for a device.
        stop: set when the user ends it.
        events: what happens, for the coordinator's own thread.
        pool: boards that take blocks; None where every job is for one device.
        started: devices of the jobs that go on there, by the id of the job.
    """

    boards: dict[str, Board]
    pace: Pace
    works: dict[str, Work]
    job_for: Callable[[Work, Device], Job]
    stop: threading.Event = field(default_factory=threading.Event)
    events: SimpleQueue[Event] = field(default_factory=SimpleQueue)
    pool: Pool | None = None
    started: dict[str, str] = field(default_factory=dict)

    def note(self, message: str) -> None:
        """Tell the user something."""
        self.events.put(Told(message=message))

    def perform(self, work: str) -> None:
        """Do a piece of work; how it ended is an event. Never raises."""
        try:
            asked = self.works[work]
            done = self._on_one(work, asked) if asked.device else self._on_any(work, asked)
        except StoppedError as error:
            done = Outcome(work=work, ending="stopped", message=str(error))
        except FleetError as error:
            done = Outcome(work=work, ending="failed", message=str(error))
        except Exception as error:  # noqa: BLE001 - a task that raises would say nothing
            done = Outcome(work=work, ending="failed", message=f"{type(error).__name__}: {error}")
        self.events.put(done)

    def _on_one(self, work: str, asked: Work) -> Outcome:
        """The whole study on one device; where it failed, what there is."""
        board = self.boards[asked.device]
        drive = self._drive(board, asked.begun or self.job_for(asked, board.device), waits=True)
        try:
            return Outcome(work=work, ending="done", device=asked.device, bundle=drive.run())
        except FailedError as error:
            part: Bundle | None = None
            with suppress(FleetError):
                part = drive.so_far()
            if part is None or not part.records:
                raise
            return Outcome(
                work=work, ending="partial", device=asked.device, bundle=part, message=str(error)
            )

    def _on_any(self, work: str, asked: Work) -> Outcome:
        """A block on whichever device is free or has begun it; on another one, where that is lost.

        Raises:
            FleetError: no device could measure it.
        """
        assert self.pool is not None
        failures: list[FleetError] = []
        begun = asked.begun
        while len(failures) < MOST_TRIES:
            board = self.boards[begun.device_name] if begun else self.pool.take()
            own, begun = begun or self.job_for(asked, board.device), None
            self.pool.at_work(1)
            try:
                bundle = self._drive(board, own, waits=False).run()
            except FailedError as error:
                failures.append(error)
                self.started.pop(own.id, None)
                self.note(f"{error}; another device takes the block")
                self.pool.give_back(board)
            except FleetError as error:
                if isinstance(error, StoppedError):
                    raise
                self._lost(board, own, error)
            else:
                self.pool.give_back(board)
                return Outcome(work=work, ending="done", device=own.device_name, bundle=bundle)
            finally:
                self.pool.at_work(-1)
        raise failures[-1]

    def _lost(self, board: Board, job: Job, error: FleetError) -> None:
        """Set a board aside that is away or held, and leave out one that is of no use."""
        assert self.pool is not None
        self.started.pop(job.id, None)
        if isinstance(error, LoginError | AnswerError | RefusedError):
            self.note(f"{error}; the device is left out, and another one takes its block")
            self.pool.drop()
            return
        begun = isinstance(error, LostError | LineError)
        self.note(f"{error}; another device takes its block")
        self.pool.set_aside(board, job.id if begun else "")

    def _drive(self, board: Board, job: Job, *, waits: bool) -> Drive:
        name = board.device.name

        def tell(status: JobStatus) -> None:
            self.started[job.id] = name
            self.events.put(Said(device=name, status=status))

        return Drive(
            board=board,
            job=job,
            pace=self.pace,
            stop=self.stop,
            tell=tell,
            note=self.note,
            waits=waits,
        )


_SESSIONS: dict[str, Session] = {}


def register(name: str, session: Session) -> None:
    """Make a session known to the tasks of this process."""
    _SESSIONS[name] = session


def forget(name: str) -> None:
    """End that."""
    _SESSIONS.pop(name, None)


def perform(session: str, work: str) -> str:
    """A task of Dask: do a piece of work of a session. Gives its name back."""
    _SESSIONS[session].perform(work)
    return work
