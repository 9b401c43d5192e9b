"""What an interrupted run left: rounds that count, numbers of processes, too many at once."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core.procedure import Procedure
from inferometer.core.workload import Workload
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency.replicating import SharePlanner
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.scheduling.task import Task, rule_of
from inferometer.runner.workers.pool import WorkerPool


class Stored:
    """Reads the rounds of workloads that have no record.

    Args:
        procedure: how they are measured.
        journal: where the rounds are.
        planner: tells which of them make a share.
    """

    def __init__(self, procedure: Procedure, journal: Journal, planner: SharePlanner) -> None:
        self.procedure = procedure
        self.journal = journal
        self.planner = planner

    def of(self, workload: Workload) -> Prepared:
        """What the stored rounds say of a workload: nothing, where there are none."""
        rule = rule_of(self.procedure)
        task = Task(workload=workload, call_s=0.0, procedure=self.procedure, rule=rule)
        rounds = list(self.journal.earlier(workload))
        prepared = Prepared(figures={}, rounds=rounds, task=task)
        prepared.replicates, prepared.begun = self.planner.given(prepared)
        return prepared

    def number_processes(self, pool: WorkerPool, workloads: Sequence[Workload]) -> None:
        """Number the processes to come after those of the stored rounds."""
        for variant in dict.fromkeys(one.variant for one in workloads):
            mine = [workload for workload in workloads if workload.variant == variant]
            pool.processes[variant] = self.journal.processes_before(mine)


def align_processes(pool: WorkerPool, workloads: Sequence[Workload]) -> None:
    """Give both sides of a pair the same number of processes: their groups are told apart by it.

    They differ where a worker died, or the run was interrupted when one side had no round yet.
    """
    processes = pool.processes
    last = max((processes[one.variant] for one in workloads), default=0)
    processes.update({one.variant: last - processes[one.variant] for one in workloads})
