"""Warm-up of workloads: whether one may begin, and what its first calls show."""

from __future__ import annotations

import time

from inferometer.core.record import Failure
from inferometer.core.statement import Statement
from inferometer.core.workload import Workload
from inferometer.figures.summary import known
from inferometer.runner.events import Notice
from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.phases.latency.replicating import SharePlanner
from inferometer.runner.phases.latency.stored import Stored
from inferometer.runner.scheduling.forecast import needed_s
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.scheduling.task import FEWEST_CALLS, typical_s
from inferometer.runner.workers.messages import WarmedUp
from inferometer.runner.workers.parent import WorkerFailed

NO_TIME = "cut: it would not fit into the time left of the budget"
MAY_NOT_FIT = "{} may not fit: {}"


class Warming:
    """Warms workloads up in their workers.

    Args:
        apparatus: has the workers.
        stored: what an interrupted run left.
        planner: sets what a process has to give.
    """

    def __init__(self, apparatus: Apparatus, stored: Stored, planner: SharePlanner) -> None:
        self.apparatus = apparatus
        self.standing = apparatus.standing
        self.ending = apparatus.ending
        self.stored = stored
        self.planner = planner

    def prepare(self, workload: Workload) -> None:
        """Warm a workload up, or record why not."""
        if workload not in self.standing.waiting:  # its variant could not be loaded
            return
        is_new = workload not in self.standing.prepared
        call_s = self.standing.call_times.of(workload)
        if is_new and not self._wanted(workload, call_s):
            return
        try:
            if is_new and not self._fits(workload):
                return
            self.apparatus.progress.doing("warming up", workload)
            self._warm_up(workload, call_s)
        except WorkerFailed as failed:
            self.ending.give_up(workload, failed.failure)

    def _wanted(self, workload: Workload, call_s: float | None) -> bool:
        """Whether a workload may begin; records why not."""
        outcome = self.apparatus.exclusions.outcome(workload)
        if outcome is not None:
            self.ending.record(workload, *outcome)
            return False
        if self._affordable(call_s):
            return True
        estimate = "" if call_s is None else f" (about {call_s:.3g} s per call)"
        failure = Failure(stage="warmup", kind="budget", message=NO_TIME + estimate)
        self.ending.fail(workload, failure)
        return False

    def _affordable(self, call_s: float | None) -> bool:
        """Whether a few calls of each leave time for a few of this one."""
        procedure = self.apparatus.procedure
        few = None if procedure.pair else FEWEST_CALLS
        owed = sum(one.task.least_s(few) for one in self.standing.prepared.values())
        new = 0.0 if call_s is None else needed_s(call_s, procedure, few)
        return owed + new < self.apparatus.clock.left_s

    def _fits(self, workload: Workload) -> bool:
        """Whether memory is expected to hold a workload; records it where it is not."""
        outlook = self.apparatus.foresight.outlook(workload)
        if outlook.refusal is not None:
            self.ending.record(workload, "skipped", outlook.refusal)
            return False
        if outlook.warning:
            message = MAY_NOT_FIT.format(workload.label, outlook.warning)
            self.apparatus.journal.listener(Notice(message=message))
        return True

    def _warm_up(self, workload: Workload, call_s: float | None) -> None:
        begin = time.monotonic()
        answer = self.apparatus.pool.warm_up(workload, call_s=call_s)
        prepared = self.standing.prepared.get(workload) or self._first(workload, answer)
        prepared.warm_s = time.monotonic() - begin
        if isinstance(peak := answer.seen.get("peak_memory_bytes"), int):
            prepared.peaks.append(peak)
        self.planner.begin(prepared, typical_s(answer.round))
        self.standing.call_times.learn(workload, prepared.task.call_s)
        self.standing.waiting.remove(workload)
        self.apparatus.keep(prepared, answer.round)

    def _first(self, workload: Workload, answer: WarmedUp) -> Prepared:
        """What the first warm-up of a workload shows; rounds of an interrupted run count too."""
        self.apparatus.foresight.learn(workload, answer.seen)
        notes = list(answer.notes)
        if not answer.size_applied:
            self.apparatus.exclusions.learn_own_shape(workload)
            notes.append(Statement("own_shape"))
        if not answer.batch_applied:
            notes.append(Statement("own_batch"))
        figures = known(answer.first_call_s, answer.input_shape)
        prepared = self.stored.of(workload)
        prepared.figures = {**figures, **answer.seen, "notes": notes}
        prepared.batch_applied = answer.batch_applied
        self.standing.prepared[workload] = prepared
        return prepared
