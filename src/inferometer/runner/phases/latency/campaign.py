"""Measures the workloads that a run still lacks: warm up, interleave rounds, write records."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core.workload import Workload
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
        apparatus: what it measures with; the budget goes on since that was made.
    """

    def __init__(self, apparatus: Apparatus) -> None:
        self.apparatus = apparatus
        self.standing = apparatus.standing
        self.pool = apparatus.pool
        self.ending = apparatus.ending
        procedure, journal = apparatus.procedure, apparatus.journal
        self.planner = ReplicatePlanner(procedure, apparatus.clock, self.standing)
        self.stored = Stored(procedure, journal, self.planner)
        self.warming = Warming(apparatus, self.stored, self.planner)
        self.groups = Groups(apparatus, together=journal.at_most_together())
        self.interleaving = Interleaving(apparatus)
        apparatus.progress.remaining_s = self.planner.remaining_s

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
