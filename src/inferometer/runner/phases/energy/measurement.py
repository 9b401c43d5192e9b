"""Measures energy after the latencies: workloads alternate, with idle windows among them.

Figures go into the records that the latencies have made already; the windows go to the store as
rounds, so that a log can be joined later.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from inferometer.core.energy import SourceInfo
from inferometer.core.procedure import Procedure
from inferometer.core.protocols import PowerSource
from inferometer.core.record import Phase, Record, Round
from inferometer.core.sections import Energy
from inferometer.core.statement import Statement
from inferometer.core.workload import Variant, Workload
from inferometer.meters.energy.sampler import Sampler
from inferometer.runner.events import Notice
from inferometer.runner.journal import Journal
from inferometer.runner.phases.energy.figures import energy_of
from inferometer.runner.phases.energy.fitting import SHARE, fitting, in_turns
from inferometer.runner.phases.energy.idling import IdleSchedule
from inferometer.runner.phases.energy.marks import Marks
from inferometer.runner.phases.energy.readings import SourceReadings
from inferometer.runner.phases.energy.windows import (
    WindowPlan,
    after_lead,
    plan_windows,
    rest_window,
    round_of,
    work_window,
)
from inferometer.runner.progress import ProgressReporter
from inferometer.runner.scheduling.forecast import call_s
from inferometer.runner.scheduling.task import typical_s
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import WorkerPool
from inferometer.stats.energy_windows import Window

__all__ = ["ENERGY", "SHARE", "EnergyMeasurement", "EnergyRequest", "lacking"]

ENERGY = "energy"
"""Name of the phase."""

MOST_WINDOWS = 30
"""Of one workload, whatever the target."""


@dataclass(kw_only=True)
class EnergyRequest:
    """What energy is measured with.

    Attributes:
        sources: opened; the first is the one that records name. None at all where only windows are
            wanted, for a meter that nobody reads now.
        marks: where the windows are written down, if the user asks for it.
        logged: whether a meter logs by itself meanwhile.
        logger: what is known of that meter beforehand.
        publish: whether windows of a minute are asked for.
        sleep: waits.
        clock: Unix time, seconds.
    """

    sources: Sequence[PowerSource] = ()
    marks: Marks | None = None
    logged: bool = False
    logger: SourceInfo | None = None
    publish: bool = False
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time


@dataclass(kw_only=True)
class Turns:
    """A workload whose windows are being measured.

    Attributes:
        record: its record.
        call_s: seconds of a call, as it was warmed up.
        rounds: of energy.
        windows: of work, those of the rounds that were long enough.
    """

    record: Record
    call_s: float
    rounds: list[Round] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)


class EnergyMeasurement:
    """Measures the energy of workloads whose records lack it.

    Args:
        procedure: how to measure.
        journal: where rounds and records go.
        pool: workers; gone when `execute` returns.
        request: what to measure with.
        sampler: reads its sources; was entered before anything else was measured.
    """

    def __init__(
        self,
        procedure: Procedure,
        journal: Journal,
        pool: WorkerPool,
        request: EnergyRequest,
        sampler: Sampler,
    ) -> None:
        self.target = procedure.target
        self.journal = journal
        self.pool = pool
        self.request = request
        self.sampler = sampler
        main = request.sources[0].info if request.sources else None
        self.plan: WindowPlan = plan_windows(
            main, procedure, logged=request.logged, logger=request.logger
        )
        self.chance = random.Random(procedure.seed)  # noqa: S311 - gaps and order, not secrets
        self.progress = ProgressReporter(journal.listener, self._remaining_s)
        self.index = 0
        self.waiting: list[Record] = []
        self.group: list[Turns] = []
        self.idle: list[Window] = []
        self.idle_schedule = IdleSchedule(self.plan.rest_s, request.clock)
        self.readings = SourceReadings(sampler, publish=request.publish)
        pool.on_wait = self.progress.tell

    def execute(self, records: Sequence[Record]) -> None:
        """Measure what fits into the time; the other records say why not.

        The sampler must have been entered, best before anything else was measured: a counter that
        wraps has to be read now and then from when it was opened.
        """
        self.index = self.journal.next_round()
        self._choose(in_turns(records))
        for variant in {record.workload.variant for record in records}:
            self.pool.processes[variant] = self.journal.processes_before(
                one.workload for one in records if one.workload.variant == variant
            )
        try:
            while self.waiting:
                self._measure_group()
        finally:
            self.pool.end_all()
            self.journal.flush()

    def _choose(self, records: list[Record]) -> None:
        """Say beforehand what does not fit."""
        self.waiting = fitting(self.plan, records, self.pool.clock.left_s)
        chosen = {record.workload for record in self.waiting}
        for record in records:
            if record.workload not in chosen:
                self._refuse(record)
        if len(chosen) < len(records):
            values = {
                "fit": len(chosen),
                "planned": len(records),
                "left_s": max(self.pool.clock.left_s, 0.0),
                "each_s": self.plan.total_s(0.0),
            }
            self.journal.listener(Notice(message=str(Statement("energy_fit", values))))

    def _measure_group(self) -> None:
        """Measure as many workloads as memory holds, alternating."""
        self.readings = SourceReadings(self.sampler, publish=self.request.publish)
        self.group, self.idle = self._warmed_up(), []
        try:
            if self.group:
                self._take_turns()
        except KeyboardInterrupt:
            self._conclude(interrupted=True)
            raise
        self._conclude()
        self.pool.end_all()

    def _warmed_up(self) -> list[Turns]:
        """The next workloads, each in a process that memory holds beside the others."""
        loaded: set[Variant] = set()
        group: list[Turns] = []
        later: list[Record] = []
        for record in self.waiting:
            variant = record.workload.variant
            if variant not in loaded and loaded and not self.pool.has_room():
                later.append(record)
                continue
            loaded.add(variant)
            try:
                group.append(self._warm_up(record))
            except WorkerFailed as failed:
                self._fail(record, failed)
        self.waiting = later
        return group

    def _warm_up(self, record: Record) -> Turns:
        self.progress.doing("warming up", record.workload)
        warm = self.pool.warm_up(record.workload, call_s=call_s(record)).round
        self._keep(record.workload, warm, "warmup")
        return Turns(record=record, call_s=typical_s(warm))

    def _take_turns(self) -> None:
        """Idle, warm-up of the device, windows of all workloads in an order by chance, idle."""
        first = self.group[0]
        self._rest(first.record.workload)
        self._try(first, self._heat)
        while turn := [one for one in self.group if self._wants(one)]:
            self.chance.shuffle(turn)
            turn.sort(key=lambda one: len(one.windows) >= self.plan.count)  # owed ones first
            for one in turn:
                if self.readings.all_lost or not self._has_time(one):
                    break
                if self.idle_schedule.due():
                    self._rest(one.record.workload)
                self._try(one, self._measure)
            else:
                continue
            break
        if self.group and not self.readings.all_lost:
            self._rest(self.group[0].record.workload)

    def _wants(self, one: Turns) -> bool:
        """Whether a workload is to have another window."""
        if len(one.rounds) >= MOST_WINDOWS:
            return False
        owed = len(one.windows) < self.plan.count
        return owed or self.readings.want_more(one.windows, self.target)

    def _has_time(self, one: Turns) -> bool:
        """Whether a window fits, with an idle one before it perhaps, and one at the end surely."""
        needed_s = self.plan.round_s(one.call_s) + 2 * self.plan.rest_s
        return needed_s <= self.pool.clock.left_s

    def _try(self, one: Turns, step: Callable[[Turns], None]) -> None:
        try:
            if not self.pool.is_warm(one.record.workload):  # another shape killed its process
                fresh = self._warm_up(one.record)
                one.call_s, one.rounds, one.windows = fresh.call_s, [], []
            step(one)
        except WorkerFailed as failed:
            self._fail(one.record, failed)
            self.group.remove(one)

    def _heat(self, one: Turns) -> None:
        """Bring the device to the state in which it works."""
        self._work(one, self.plan.warm_up_s, "warmup")

    def _measure(self, one: Turns) -> None:
        self.progress.doing("measuring the energy of", one.record.workload)
        self.request.sleep(self.chance.uniform(0, self.plan.gap_s))
        done = self._work(one, self.plan.window_s, "energy")
        one.rounds.append(done)
        window = self._window(one, done)
        if window is not None and window.duration_s >= self.plan.window_s:
            one.windows.append(window)
        one.call_s = typical_s(done)  # it may have become slower, and a window too short

    def _work(self, one: Turns, seconds: float, phase: Phase) -> Round:
        margin_s = self.plan.margin_of(one.call_s)
        plan = round_of(one.call_s, seconds, margin_s)
        self.sampler.begin()
        try:
            done = self.pool.measure(one.record.workload, plan, expected_s=plan.seconds)
        finally:
            self.sampler.end()
        done = after_lead(done, margin_s)
        window = self._window(one, done) if phase == "energy" else None
        return self._keep(one.record.workload, done, phase, window)

    def _window(self, one: Turns, done: Round) -> Window | None:
        batch_size = one.record.workload.batch_size
        return work_window(done, batch_size, self.plan.margin_of(one.call_s))

    def _rest(self, workload: Workload) -> None:
        """The device with models loaded and nothing to do; kept beside one of the workloads."""
        self.sampler.begin()
        started_at = self.request.clock()
        self.request.sleep(self.plan.rest_s)
        rested_s = self.request.clock() - started_at
        self.sampler.end()
        rest = Round(
            index=0,
            process=0,
            phase="idle",
            started_at=started_at,
            calls_per_value=1,
            settle=0,
            starts_s=(0.0,),
            values_s=(rested_s,),
        )
        window = rest_window(rest)
        self.idle.append(window)
        self._keep(workload, rest, "idle", window)
        self.idle_schedule.measured(next(iter(self.readings.powers(window).values()), None))

    def _keep(
        self, workload: Workload, done: Round, phase: Phase, window: Window | None = None
    ) -> Round:
        """Number a round, add what the sources say of its window, and write it down."""
        process = self.pool.processes[workload.variant] - 1
        powers = self.readings.powers(window) if window else {}
        signals = {**done.signals, **{f"power_w {name}": w for name, w in powers.items()}}
        done = replace(done, index=self.index, process=process, phase=phase, signals=signals)
        self.index += 1
        self.journal.add(workload, done)
        if self.request.marks is not None:
            self.request.marks.write(workload, done)
        return done

    def _conclude(self, *, interrupted: bool = False) -> None:
        """Write down the figures of the group; what was interrupted too early stays to be done."""
        for one in self.group:
            short = len(one.windows) < self.plan.count and len(one.rounds) < MOST_WINDOWS
            cut = short and not self.readings.all_lost
            if cut and not interrupted:
                self._refuse(one.record)
            elif not cut:
                found = self.readings.energy(one.windows, self.idle)
                later = Energy(
                    energy_reason=Statement("energy_later", {"run_id": self.journal.run.id})
                )
                self._amend(one.record, energy_of(found, one.rounds) if found else later)
        self.group = []

    def _refuse(self, record: Record) -> None:
        needed_s = self.plan.total_s(call_s(record))
        why = Statement("energy_no_time", {"needed_s": needed_s})
        self._amend(record, Energy(energy_reason=why))

    def _fail(self, record: Record, failed: WorkerFailed) -> None:
        seen = {"message": failed.failure.message, "kind": failed.failure.kind}
        self._amend(record, Energy(energy_reason=Statement("energy_failed", seen)))

    def _amend(self, record: Record, energy: Energy) -> None:
        reached = record.reached(ENERGY).figures
        self.journal.amend(replace(record, figures={**reached, **energy.figures()}, rounds=()))

    def _remaining_s(self) -> float:
        """Seconds left for the windows that each workload has at the least."""
        left_s = sum(self.plan.total_s(call_s(record)) for record in self.waiting)
        for one in self.group:
            owed = max(self.plan.count - len(one.windows), 0)
            left_s += owed * self.plan.round_s(one.call_s)
        left_s += self.plan.rest_s
        return min(left_s, max(self.pool.clock.left_s, 0.0))


def lacking(records: Sequence[Record]) -> list[Record]:
    """Records with latencies, whose energy was not reached."""
    return [one for one in records if one.status == "ok" and one.lacks(ENERGY)]
