"""Measures the workloads that a run still lacks: warm up, interleave rounds, write records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inferometer.core.procedure import Procedure
from inferometer.core.record import Value
from inferometer.core.roofline import Roofline
from inferometer.core.workload import Workload
from inferometer.host.files import LIVE
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.phases.latency.groups import Groups, cheapest_first
from inferometer.runner.phases.latency.interleaving import Interleaving
from inferometer.runner.phases.latency.replicating import ReplicatePlanner
from inferometer.runner.phases.latency.stored import Stored, align_processes
from inferometer.runner.phases.latency.warming import Warming
from inferometer.runner.scheduling.replicates import Prepared


class Campaign:
    """Measures workloads in replicates: in each, a fresh process of every one that needs it.

    In a replicate, the workloads of all variants that fit into memory side by side get rounds in a
    random order. What does not fit is measured in groups, one after the other.

    Args:
        procedure: how to measure.
        journal: where rounds and records go.
        constants: fields that every record of the run has.
        root: where the signals of the device are read.
        rooflines: what the device attains at best, as far as it was probed.
    """

    def __init__(
        self,
        procedure: Procedure,
        journal: Journal,
        *,
        constants: dict[str, Value],
        root: Path = LIVE,
        rooflines: Sequence[Roofline] = (),
    ) -> None:
        self.apparatus = Apparatus(
            procedure,
            journal,
            constants=constants,
            root=root,
            rooflines=rooflines,
            remaining_s=self._remaining_s,
        )
        self.standing = self.apparatus.standing
        self.pool = self.apparatus.pool
        self.ending = self.apparatus.ending
        self.planner = ReplicatePlanner(procedure, self.apparatus.clock, self.standing)
        self.stored = Stored(procedure, journal, self.planner)
        self.warming = Warming(self.apparatus, self.stored, self.planner)
        self.groups = Groups(self.apparatus, together=journal.at_most_together())
        self.interleaving = Interleaving(self.apparatus)

    def execute(self, workloads: Sequence[Workload]) -> None:
        """Measure every workload, or record why not. Workers are gone when it returns or raises."""
        self.standing.waiting = list(workloads)
        self.apparatus.foresight.learn_records(self.apparatus.journal.finished())
        self.apparatus.foresight.expect(workloads)
        try:
            self.stored.number_processes(self.pool, workloads)
            self._finish_stored()
            while self.standing.waiting:
                self.standing.waiting = self._replicate()
        finally:
            self.apparatus.close()

    def _finish_stored(self) -> None:
        """Record what an interrupted run has all rounds of, before anything else is loaded.

        Only what loading and warming up show is lacking then, and a run that is interrupted again
        has got ahead.
        """
        stored = [self.stored.of(workload) for workload in self.standing.waiting]
        done = self.planner.complete(stored)
        for variant in dict.fromkeys(workload.variant for workload in done):
            for workload in [one for one in done if one.variant == variant]:
                self.warming.prepare(workload)
                if workload in self.standing.prepared:
                    self.ending.finish(workload)
            self.pool.end(variant)

    def _replicate(self) -> list[Workload]:
        """One more process for each waiting workload; gives those that need another one."""
        if self.apparatus.procedure.pair:
            align_processes(self.pool, self.standing.waiting)
        again: list[Workload] = []
        for group in self.groups.each():
            for workload in cheapest_first(group, self.standing.call_times):
                self.warming.prepare(workload)
            if present := self.standing.present(group):
                self.interleaving.measure(present, self.planner.limits(present))
            if present := self.standing.present(group):
                again += self._decide(present)
            self.pool.end_all()
        return again

    def _remaining_s(self) -> float | None:
        return self.planner.remaining_s()

    def _decide(self, present: Sequence[Prepared]) -> list[Workload]:
        """Ask who gets another process, and finish the others while theirs are alive."""
        decision = self.planner.decide(present)
        if decision.half_widths:
            replicate = max(one.replicates for one in present)
            target = self.apparatus.procedure.target
            self.apparatus.progress.precision(replicate, decision.half_widths, target)
        if decision.topped_up:
            self.interleaving.measure(decision.topped_up, decision.limits)
        for one in decision.ending:
            if one.task.workload in self.standing.prepared:
                self.ending.finish(one.task.workload)
        return decision.further
