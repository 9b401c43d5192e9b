"""Measures energy after the latencies: rest, warm-up, windows of work with random gaps, rest.

Each workload has the device for itself meanwhile. Figures go into the record that its latencies
have made already; the windows go to the store as rounds, so that a log can be joined later.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from inferometer.core.procedure import Procedure
from inferometer.core.protocols import PowerSource
from inferometer.core.record import Phase, Record, Round
from inferometer.core.sections import Energy
from inferometer.core.statement import Statement
from inferometer.core.workload import Workload
from inferometer.meters.energy.sampler import Sampler
from inferometer.runner.journal import Journal
from inferometer.runner.phases.energy.figures import Sourced, energy_of
from inferometer.runner.phases.energy.marks import Marks
from inferometer.runner.phases.energy.windows import (
    WindowPlan,
    after_lead,
    plan_windows,
    rest_window,
    round_of,
    sensor_of,
    windows_of,
    work_window,
)
from inferometer.runner.progress import ProgressReporter
from inferometer.runner.scheduling.forecast import work
from inferometer.runner.scheduling.task import typical_s
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import WorkerPool
from inferometer.stats.energy import energy_per_sample
from inferometer.stats.energy_windows import Readings, Window, WithheldError, mean_power_w

ENERGY = "energy"
"""Name of the phase."""

SHARE = 1 / 3
"""Of the budget, kept for energy where there is a source."""


@dataclass(kw_only=True)
class EnergyRequest:
    """What energy is measured with.

    Attributes:
        sources: opened; the first is the one that records name. None at all where only windows are
            wanted, for a meter that nobody reads now.
        marks: where the windows are written down, if the user asks for it.
        logged: whether a meter logs by itself meanwhile.
        publish: whether windows of a minute are asked for.
        sleep: waits.
        clock: Unix time, seconds.
    """

    sources: Sequence[PowerSource] = ()
    marks: Marks | None = None
    logged: bool = False
    publish: bool = False
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time


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
        self.procedure = procedure
        self.journal = journal
        self.pool = pool
        self.request = request
        self.sampler = sampler
        main = request.sources[0].info if request.sources else None
        self.plan: WindowPlan = plan_windows(main, procedure, logged=request.logged)
        self.gaps = random.Random(procedure.seed)  # noqa: S311 - gaps, not secrets
        self.progress = ProgressReporter(journal.listener, self._remaining_s)
        self.index = 0
        self.waiting: list[Record] = []
        self.call_s = 0.0
        pool.on_wait = self.progress.tell

    def execute(self, records: Sequence[Record]) -> None:
        """Measure what fits into the time; the other records say why not.

        The sampler must have been entered, best before anything else was measured: a counter that
        wraps has to be read now and then from when it was opened.
        """
        self.index = self.journal.next_round()
        self.waiting = in_turns(records)
        variants = {record.workload.variant: record.workload for record in records}
        for variant, workload in variants.items():
            count = self.journal.processes_before(
                one.workload for one in records if one.workload.variant == variant
            )
            self.pool.processes[workload.variant] = count
        try:
            while self.waiting:
                self._one(self.waiting.pop(0))
        finally:
            self.pool.end_all()
            self.journal.flush()

    def _one(self, record: Record) -> None:
        self.call_s = _call_s(record)
        needed_s = self.plan.total_s(self.call_s)
        if needed_s > self.pool.clock.left_s:
            why = Statement("energy_no_time", {"needed_s": needed_s})
            self._amend(record, Energy(energy_reason=why))
            return
        self.progress.doing("measuring the energy of", record.workload)
        if not self.pool.has_room():
            self.pool.end_all()
        try:
            self._measure(record)
        except WorkerFailed as failed:
            failure = failed.failure
            seen = {"message": failure.message, "kind": failure.kind}
            self._amend(record, Energy(energy_reason=Statement("energy_failed", seen)))

    def _measure(self, record: Record) -> None:
        workload = record.workload
        warm = self.pool.warm_up(workload, call_s=self.call_s).round
        call_s = typical_s(warm)
        begun = {name: len(series.at_s) for name, series in self.sampler.series.items()}
        rounds = [self._keep(workload, warm, "warmup"), self._rest(workload)]
        rounds.append(self._work(workload, call_s, self.plan.warm_up_s, "warmup"))
        for _ in range(self.plan.count):
            self.request.sleep(self.gaps.uniform(0, self.plan.gap_s))
            rounds.append(self._work(workload, call_s, self.plan.window_s, "energy"))
        rounds.append(self._rest(workload))
        found = self._results(workload, rounds, begun)
        later = Energy(energy_reason=Statement("energy_later"))
        self._amend(record, energy_of(found, rounds) if found else later)

    def _work(self, workload: Workload, call_s: float, seconds: float, phase: Phase) -> Round:
        plan = round_of(call_s, seconds)
        self.sampler.begin()
        try:
            done = self.pool.measure(workload, plan, expected_s=plan.seconds)
        finally:
            self.sampler.end()
        return self._keep(workload, after_lead(done), phase)

    def _rest(self, workload: Workload) -> Round:
        """The device with the model loaded and nothing to do."""
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
        return self._keep(workload, rest, "idle")

    def _keep(self, workload: Workload, done: Round, phase: Phase) -> Round:
        """Number a round, add what the sources say of it, and write it down."""
        process = self.pool.processes[workload.variant] - 1
        signals = {**done.signals, **self._powers(done, phase)}
        done = replace(done, index=self.index, process=process, phase=phase, signals=signals)
        self.index += 1
        self.journal.add(workload, done)
        if self.request.marks is not None:
            self.request.marks.write(workload, done)
        return done

    def _powers(self, done: Round, phase: Phase) -> dict[str, float]:
        """Mean watts of a window by source: `power_w rapl:psys`; what is not known is absent."""
        window: Window | None = None
        if phase == "energy":
            window = work_window(done, 1)
        elif phase == "idle":
            window = rest_window(done)
        found = {}
        for name, series in self.sampler.series.items():
            if window is None:
                break
            with suppress(WithheldError):
                readings = Readings.of(*series.since())
                found[f"power_w {name}"] = mean_power_w(sensor_of(series.info), readings, window)
        return found

    def _results(
        self, workload: Workload, rounds: Sequence[Round], begun: dict[str, int]
    ) -> list[Sourced]:
        load, before, after = windows_of(rounds, workload.batch_size)
        return [
            Sourced(
                info=series.info,
                result=energy_per_sample(
                    sensor_of(series.info),
                    *series.since(begun[name]),
                    load,
                    idle_before=before,
                    idle_after=after,
                    lost=series.lost,
                    publish=self.request.publish,
                ),
            )
            for name, series in self.sampler.series.items()
        ]

    def _amend(self, record: Record, energy: Energy) -> None:
        reached = record.reached(ENERGY).figures
        self.journal.amend(replace(record, figures={**reached, **energy.figures()}, rounds=()))

    def _remaining_s(self) -> float:
        """Seconds left: of the workload that is measured now, half is taken to be over."""
        left_s = sum(self.plan.total_s(_call_s(record)) for record in self.waiting)
        left_s += 0.5 * self.plan.total_s(self.call_s)
        return min(left_s, max(self.pool.clock.left_s, 0.0))


def _call_s(record: Record) -> float:
    return record.latency.value if record.latency else 0.0


def lacking(records: Sequence[Record]) -> list[Record]:
    """Records with latencies, whose energy was not reached."""
    return [one for one in records if one.status == "ok" and one.lacks(ENERGY)]


def in_turns(records: Sequence[Record]) -> list[Record]:
    """The cheapest shape of every variant first, then the next: what is cut then hits all alike."""
    places: dict[object, int] = {}
    ranked = []
    for record in sorted(records, key=lambda one: work(one.workload)):
        place = places.get(record.workload.variant, 0)
        places[record.workload.variant] = place + 1
        ranked.append((place, record))
    return [record for _, record in sorted(ranked, key=lambda pair: pair[0])]
