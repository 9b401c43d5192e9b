"""A study on many devices: hands it to Dask in pieces, and puts what comes back into the store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from queue import Empty
from typing import Any

from distributed import Client

from inferometer.core.errors import InputError
from inferometer.core.run import Run
from inferometer.core.sweep import Study
from inferometer.fleet.engine.blocks import cut
from inferometer.fleet.engine.cluster import engine
from inferometer.fleet.engine.drive import Pace
from inferometer.fleet.engine.merge import add_parts
from inferometer.fleet.engine.pool import Pool
from inferometer.fleet.engine.resuming import Earlier
from inferometer.fleet.engine.session import (
    Event,
    Outcome,
    Session,
    Told,
    Work,
    forget,
    perform,
    register,
)
from inferometer.fleet.jobs import job_of, new_id
from inferometer.fleet.types import Board, JobFile
from inferometer.runner.imported import figured, take_in
from inferometer.store import Store
from inferometer.store.bundle import Bundle

WAKE_S = 0.5
"""So often the coordinator looks up from waiting, so that Ctrl-C is seen."""
SLOWER = 20
"""So many devices are asked at the usual pace; of more, each more rarely."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured where.

    Attributes:
        study: what.
        boards: on which devices; their names differ.
        spread: the class of the devices, where each takes a part of the study; empty where each
            measures the whole of it.
        files: that every device needs.
        energy: whether power sources are looked for.
        allow_estimate: whether a meter may be an estimate.
        pace: how often devices are asked.
        earlier: what a run has left that is gone on with; None where a new one begins.
    """

    study: Study
    boards: Sequence[Board]
    spread: str = ""
    files: tuple[JobFile, ...] = ()
    energy: bool = True
    allow_estimate: bool = False
    pace: Pace = field(default_factory=Pace)
    earlier: Earlier | None = None


@dataclass(kw_only=True)
class Result:
    """What came of it.

    Attributes:
        runs: ids of the runs that the store has now, in the order in which they came.
        failures: sentences on what was not measured.
        going_on: devices by the id of the job that goes on there, where the user ended it.
        interrupted: whether the user did.
    """

    runs: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    going_on: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


def run_fleet(
    plan: Plan, store: Store, *, listener: Callable[[Event], None] = lambda _: None
) -> Result:
    """Measure a study on many devices; Ctrl-C ends it here, and jobs on devices go on.

    Args:
        plan: what is measured where.
        store: where the runs go.
        listener: is told what happens.

    Raises:
        InputError: there is nothing to measure, or nowhere to.
        StoreError: the store cannot be written; what devices have measured is still there.
    """
    if not plan.boards:
        raise InputError("no device is chosen: name some in the file of devices")
    earlier = plan.earlier or Earlier()
    group = (earlier.group or new_id()) if plan.spread else ""
    session = Session(
        boards={board.device.name: board for board in plan.boards},
        pace=_paced(plan.pace, len(plan.boards)),
        works=_works(plan, earlier),
        job_for=lambda work, device: job_of(
            plan.study,
            device,
            group=group,
            workloads=work.workloads,
            files=plan.files,
            energy=plan.energy,
            allow_estimate=plan.allow_estimate,
        ),
    )
    if plan.spread:
        session.pool = Pool(
            plan.boards, session.pace, session.stop, session.note, busy=earlier.begun
        )
    taking = _Taking(plan, store, session, group)
    taking.earlier(earlier, listener)
    if not session.works:
        return taking.result
    with _started(plan, session), taking.ending(listener):
        while taking.missing:
            with suppress(Empty):
                taking.event(session.events.get(timeout=WAKE_S), listener)
    return taking.result


def _works(plan: Plan, earlier: Earlier) -> dict[str, Work]:
    """Pieces of work: the study for each device, or blocks for whoever is free."""
    begun, workloads = earlier.begun, plan.study.workloads()
    if plan.spread:
        works = {
            f"block {job.id}": Work(workloads=job.workloads, begun=job) for job in begun.values()
        }
        missing = earlier.missing if earlier.group else None
        if missing == ():
            return works
        blocks = cut(workloads, len(plan.boards), missing=missing).blocks
        return works | {
            f"block {number}": Work(workloads=block) for number, block in enumerate(blocks)
        }
    over = {one.run.device_name for one in earlier.ended} | {*earlier.runs, *earlier.silent}
    names = [board.device.name for board in plan.boards]
    return {
        name: Work(workloads=tuple(workloads), device=name, begun=begun.get(name))
        for name in names
        if name not in over
    }


@contextmanager
def _started(plan: Plan, session: Session) -> Iterator[None]:
    """The work in Dask's hands, for as long as the context lasts."""
    name = secrets.token_hex(8)
    register(name, session)
    resources = {
        plan.spread or device: len(plan.boards) if plan.spread else 1 for device in session.boards
    }
    try:
        with engine(resources, threads=len(plan.boards)) as client:
            futures = _submitted(client, name, session, plan.spread)
            yield
            client.cancel(futures)
    finally:
        session.stop.set()
        forget(name)


def _submitted(client: Client, name: str, session: Session, spread: str) -> list[Any]:
    """Every piece of work in Dask's queue, the longest first."""
    return [
        client.submit(
            perform,
            name,
            work,
            key=f"{name}-{work}",
            resources={spread or asked.device: 1},
            priority=-number,
        )
        for number, (work, asked) in enumerate(session.works.items())
    ]


class _Taking:
    """What comes from devices, on its way into the store.

    Parts of one run are written when twice as many wait as there are already, and at the end: each
    writing reads what is there, and so all of them together take little more than the last.
    """

    def __init__(self, plan: Plan, store: Store, session: Session, group: str) -> None:
        self.plan = plan
        self.store = store
        self.session = session
        self.result = Result()
        self.missing = set(session.works)
        self.group = group
        self._waiting: list[Bundle] = []
        self._written = 0

    def earlier(self, earlier: Earlier, listener: Callable[[Event], None]) -> None:
        """Take what an earlier run has left."""
        for name, why in earlier.silent.items():
            listener(Told(message=f"{why}; what {name} has of this study is not known"))
            if not self.plan.spread:
                self.result.failures.append(f"{why}; resume again when it is there")
        self.result.runs += earlier.runs.values()
        if earlier.group and any(one.id == earlier.group for one in self.store.runs()):
            self.result.runs.append(earlier.group)
        for bundle in earlier.ended:
            self._keep(bundle)
        self.write()

    def event(self, event: Event, listener: Callable[[Event], None]) -> None:
        """Take an event."""
        if isinstance(event, Outcome):
            self.missing.discard(event.work)
            self._take(event)
        listener(event)

    def _take(self, outcome: Outcome) -> None:
        if outcome.ending in ("failed", "partial"):
            self.result.failures.append(outcome.message)
        if outcome.bundle is None:
            return
        self.session.started.pop(outcome.bundle.run.id, None)
        self._keep(outcome.bundle)

    def _keep(self, bundle: Bundle) -> None:
        if not self.plan.spread:
            take_in(self.store, bundle)
            self.result.runs.append(bundle.run.id)
            return
        self._waiting.append(figured(bundle) if bundle.raw else bundle)
        if len(self._waiting) >= 2 * self._written:
            self.write()

    def write(self) -> None:
        """Write the parts that wait."""
        if not self._waiting:
            return
        price = next((one.device.price for one in self.plan.boards if one.device.price), None)
        facts: Mapping[str, Any] = {} if price is None else {"price": price}
        add_parts(self.store, self._waiting, group=self.group, name=self.plan.spread, facts=facts)
        self._written += len(self._waiting)
        self._waiting = []
        if self.group not in self.result.runs:
            self.result.runs.append(self.group)

    @contextmanager
    def ending(self, listener: Callable[[Event], None]) -> Iterator[None]:
        """Whatever ends the work: what has come is written."""
        try:
            yield
        except KeyboardInterrupt:
            self.result.interrupted = True
            self.session.stop.set()
            with suppress(Empty):
                while True:  # what came in the meantime
                    self.event(self.session.events.get_nowait(), listener)
        finally:
            self.write()
        if self.result.interrupted:
            self.result.going_on = dict(self.session.started)
        elif self.plan.spread and self.result.runs:
            listener(Told(message=_told(self.store.run(self.group))))


def _told(run: Run) -> str:
    """Who measured how much of a run."""
    parts = [str(one.get("device")) for one in run.device.get("parts", ())]
    counts = [f"{name} {parts.count(name)}" for name in sorted(set(parts))]
    return f"run {run.id}: parts by device: {', '.join(counts)}"


def _paced(pace: Pace, devices: int) -> Pace:
    """A pace at which the coordinator keeps up with so many devices."""
    return replace(pace, poll_s=pace.poll_s * max(devices / SLOWER, 1.0))
