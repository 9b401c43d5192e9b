"""A board without a wire: it measures in a clock's time, and things happen to it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from inferometer.core.record import Failure, Record, Round
from inferometer.core.run import Run
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.figures.summary import summarise
from inferometer.fleet.types import AnswerError, Device, Facts, Job, JobStatus, KnownJob, LineError
from inferometer.host.lease import Holder, LeaseHeldError, this_person
from inferometer.store.bundle import Bundle, bundle_bytes

Lie = Literal["", "garbage", "other run", "other workloads", "too few", "script"]
SOMEBODY = Holder(user="ana", host="laptop", job="deadbeef")
BEGAN = 1_790_000_000.0


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What happens to a board, by times in seconds since the beginning.

    Attributes:
        away: spans in which nobody reaches it; its job goes on.
        dies_at: when its job's process is killed; once.
        held: a span in which somebody else measures there.
        slowness: factor of the time that work takes.
        lie: what is wrong with its bundles.
    """

    away: Sequence[tuple[float, float]] = ()
    dies_at: float = math.inf
    held: tuple[float, float] = (math.inf, math.inf)
    slowness: float = 1.0
    lie: Lie = ""


@dataclass
class _Running:
    job: Job
    begun: float
    done_before: int = 0
    killed: bool = False
    cancelled: bool = False


@dataclass(kw_only=True)
class SimulatedBoard:
    """See `fleet.types.Board`.

    Attributes:
        device: who it is.
        length_s: how long a workload takes.
        faults: what happens to it.
        latency_s: latency of a workload on this device.
        fails: workloads that fail.
        clock: seconds since some time.
        starter: who started its jobs.
    """

    device: Device
    length_s: Callable[[Workload], float] = lambda _: 0.01
    faults: Faults = Faults()
    latency_s: Callable[[Workload], float] = lambda _: 0.01
    fails: Callable[[Workload], bool] = lambda _: False
    threads: int = 4
    clock: Callable[[], float] = time.monotonic
    begin: float | None = None
    starter: Holder = field(default_factory=this_person)
    measured: list[tuple[str, Workload]] = field(default_factory=list)
    _running: dict[str, _Running] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _has_died: bool = False

    def __post_init__(self) -> None:
        if self.begin is None:
            self.begin = self.clock()

    def check(self) -> Facts:
        self._reached()
        return Facts(
            kind="full", version="1", python="3.11", device={"name": "board"}, software={},
            holder=self._holder(),
        )  # fmt: skip

    def start(self, job: Job) -> None:
        self._reached()
        with self._lock:
            if job.id in self._running and not self._running[job.id].killed:
                return
            holder = self._holder()
            if holder is not None and holder.job != job.id:
                raise LeaseHeldError(f"{self.device.name}: held by ana", holder=holder)
            before = self._running.get(job.id)
            self._running[job.id] = _Running(
                job, self.clock(), 0 if before is None else before.done_before
            )

    def status(self, job: str) -> JobStatus:
        self._reached()
        with self._lock:
            found = self._running.get(job)
            if found is None:
                return JobStatus(job=job, state="gone", message="no such job")
            done, planned = self._done(found), len(found.job.workloads)
            state = "gone" if found.killed else "running"
            if done == planned:
                state = "done"
            elif found.cancelled:
                state = "failed"
            return JobStatus(job=job, state=state, done=done, planned=planned)

    def jobs(self) -> tuple[KnownJob, ...]:
        self._reached()
        return tuple(
            KnownJob(
                status=self.status(one.job.id),
                group=one.job.group,
                device_name=one.job.device_name,
                study=one.job.study["name"],
                holder=self.starter,
                started_at=BEGAN + one.begun,
            )
            for one in reversed(self._running.values())
        )

    def asked(self, job: str) -> Job:
        self._reached()
        return self._running[job].job

    def collect(self, job: str) -> bytes:
        self._reached()
        with self._lock:
            found = self._running[job]
            return told(self, found.job, self._done(found))

    def cancel(self, job: str) -> None:
        self._reached()
        with self._lock:
            if job in self._running:
                found = self._running[job]
                found.done_before, found.cancelled = self._done(found), True

    def _now(self) -> float:
        return self.clock() - self.begin

    def _reached(self) -> None:
        now = self._now()
        if any(begin <= now < end for begin, end in self.faults.away):
            raise LineError(f"{self.device.name}: it cannot be reached")
        if self.faults.lie == "garbage":
            raise AnswerError(f"{self.device.name}: its answer was refused: it is no JSON")
        if now >= self.faults.dies_at and not self._has_died:
            self._has_died = True
            for one in self._running.values():
                if not one.cancelled and self._done(one) < len(one.job.workloads):
                    one.done_before, one.killed = self._done(one), True

    def _holder(self) -> Holder | None:
        begin, end = self.faults.held
        if begin <= self._now() < end:
            return SOMEBODY
        for one in self._running.values():
            if not (one.killed or one.cancelled) and self._done(one) < len(one.job.workloads):
                return Holder(user="me", host="here", job=one.job.id)
        return None

    def _done(self, one: _Running) -> int:
        """Workloads of a job that have a record by now."""
        if one.killed or one.cancelled:
            return one.done_before
        left, done = self.clock() - one.begun, one.done_before
        for workload in one.job.workloads[done:]:
            left -= self.length_s(workload) * self.faults.slowness
            if left < 0:
                break
            done += 1
        return done


def told(board: SimulatedBoard, job: Job, done: int) -> bytes:
    """The bundle of the first so many workloads of a job, with the board's lies."""
    lie = board.faults.lie
    workloads = list(job.workloads)[:done]
    if lie == "too few":
        workloads = workloads[:-1]
    if lie == "other workloads":
        workloads[-1] = workloads[-1].at(4711)
    if lie == "script":
        name = replace(workloads[-1].variant, model="<script>alert(1)</script>")
        workloads[-1] = replace(workloads[-1], variant=name)
    study = Study.from_json(job.study)
    threads = study.sweep.threads or board.threads
    study = replace(study, sweep=replace(study.sweep, threads=threads))
    mine = [replace(one, target=replace(one.target, threads=threads)) for one in workloads]
    rounds = measured_rounds(board, mine, seed=int(job.id, 16))
    records = [_record(board, one, rounds.get(one.key, ()), study) for one in mine]
    board.measured += [(job.id, one) for one in mine]
    run = Run(
        id="0badc0de" if lie == "other run" else job.id,
        study=study.name,
        signature=study.signature,
        document=study.to_json(),
        device={"name": job.device_name, "said": "board", "class": job.kind},
        software={"inferometer": "0"},
        planned=len(job.workloads),
        created_at=BEGAN,
        finished_at=BEGAN + 100 if done == len(job.workloads) else None,
    )
    return bundle_bytes(Bundle(run=run, records=tuple(records), rounds=rounds))


def measured_rounds(
    board: SimulatedBoard, workloads: Sequence[Workload], seed: int, processes: int = 2
) -> Mapping[str, tuple[Round, ...]]:
    """Interleaved rounds of processes, as a campaign makes them."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Round]] = {one.key: [] for one in workloads if not board.fails(one)}
    index = 0
    for process in range(processes):
        effect = {one.key: rng.normal(0, 0.01) for one in workloads}
        for _ in range(3):
            for one in workloads:
                if board.fails(one):
                    continue
                values = board.latency_s(one) * np.exp(effect[one.key] + rng.normal(0, 0.02, 8))
                starts = np.cumsum(values) - values
                found[one.key].append(
                    Round(
                        index=index,
                        process=process,
                        phase="measure",
                        started_at=BEGAN + index,
                        calls_per_value=1,
                        settle=0,
                        starts_s=tuple(map(float, starts)),
                        values_s=tuple(map(float, values)),
                    )
                )
                index += 1
    return {key: tuple(mine) for key, mine in found.items()}


def _record(
    board: SimulatedBoard, workload: Workload, rounds: Sequence[Round], study: Study
) -> Record:
    if board.fails(workload):
        failure = Failure(stage="measure", kind="out_of_memory", message="killed")
        return Record(workload=workload, status="failed", failure=failure)
    figures = summarise(workload, rounds, study.procedure)
    return Record(workload=workload, status="ok", figures=figures)
