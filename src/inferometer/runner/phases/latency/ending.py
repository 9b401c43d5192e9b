"""Ends workloads: with figures, with the reason for having none, or for now, to be tried alone."""

from __future__ import annotations

from collections.abc import Mapping

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Status, Value
from inferometer.core.workload import Workload
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency.outcomes import Outcomes, with_few_calls
from inferometer.runner.phases.latency.standing import Standing
from inferometer.runner.scheduling.exclusions import Exclusions
from inferometer.runner.scheduling.task import FEWEST_CALLS, Task
from inferometer.runner.workers.pool import WorkerPool

CUT = (
    "cut: {} calls were timed, and the rest of the at least {}, at about {:.3g} s each, would not "
    "fit into the time left of the budget"
)


class Ending:
    """Writes the record of each workload, and takes it off.

    Args:
        procedure: how the workloads are measured.
        journal: where records go.
        pool: tells whether a worker had the memory for itself.
        outcomes: puts records together.
        exclusions: learns from failures.
        standing: how far the workloads are.
    """

    def __init__(
        self,
        procedure: Procedure,
        journal: Journal,
        *,
        pool: WorkerPool,
        outcomes: Outcomes,
        exclusions: Exclusions,
        standing: Standing,
    ) -> None:
        self.procedure = procedure
        self.journal = journal
        self.pool = pool
        self.outcomes = outcomes
        self.exclusions = exclusions
        self.standing = standing

    def finish(self, workload: Workload, more: Mapping[str, Value] | None = None) -> None:
        """Record the figures of all rounds of a workload.

        Args:
            workload: one that was warmed up.
            more: figures that only a special kind of run has.
        """
        rounds = self.standing.prepared[workload].rounds
        measured = self.outcomes.measured(workload, rounds) | dict(more or {})
        self.record(workload, "ok", None, with_few_calls(measured, self.procedure))

    def cut(self, task: Task) -> None:
        """End a workload for which the budget does not suffice; what was timed is kept."""
        if self._has_some(task.workload):
            self.finish(task.workload)
            return
        message = CUT.format(task.calls, self.procedure.min_calls, task.call_s)
        self.fail(task.workload, Failure(stage="measure", kind="budget", message=message))

    def give_up(self, workload: Workload, failure: Failure) -> None:
        """A process failed; what was timed when the time ended is finished all the same."""
        prepared = self.standing.prepared.get(workload)
        if failure.kind == "budget" and prepared is not None:
            ended = not prepared.task.owes or self._has_some(workload)
            if ended and workload in self.standing.waiting:
                self.finish(workload)
            if ended:
                return
        self.fail(workload, failure)

    def fail(self, workload: Workload, failure: Failure) -> None:
        """Record a failure, or let the workload wait for a try without others beside it."""
        if self._deserves_another_try(workload, failure):
            self.standing.forget(workload)
            self.standing.alone.add(workload)
            self.standing.waiting.append(workload)
            return
        self.exclusions.learn(workload, failure)
        self.record(workload, "skipped" if failure.kind == "budget" else "failed", failure)

    def record(
        self,
        workload: Workload,
        status: Status,
        failure: Failure | None,
        measured: Mapping[str, Value] | None = None,
    ) -> None:
        """Write a record."""
        prepared = self.standing.forget(workload)
        record = self.outcomes.record(
            workload, status, failure, prepared=prepared, measured=measured or {}
        )
        self.journal.finish(record)

    def _has_some(self, workload: Workload) -> bool:
        """Whether a figure can be made of its calls, though they are fewer than asked for."""
        if self.procedure.pair:
            return False
        calls = sum(done.calls for done in self.standing.prepared[workload].measured)
        return calls >= FEWEST_CALLS

    def _deserves_another_try(self, workload: Workload, failure: Failure) -> bool:
        """Whether it ran out of memory that idle workers of other variants held."""
        return (
            failure.kind == "out_of_memory"
            and workload not in self.standing.alone
            and self.procedure.memory_limit_bytes is None
            and self.pool.crowded(workload.variant)
        )
