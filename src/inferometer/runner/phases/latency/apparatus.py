"""What every campaign measures with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.core.roofline import Roofline
from inferometer.host.files import LIVE
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency.ending import Ending
from inferometer.runner.phases.latency.outcomes import Outcomes
from inferometer.runner.phases.latency.standing import Standing
from inferometer.runner.preparation import Preparer
from inferometer.runner.progress import ProgressReporter
from inferometer.runner.scheduling.exclusions import Exclusions
from inferometer.runner.scheduling.foresight import Foresight
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.workers.pool import WorkerPool, clock_of


class Apparatus:
    """Worker processes, the budget, and those who keep what is observed.

    Args:
        procedure: how to measure; its budget begins now.
        journal: where rounds and records go.
        constants: fields that every record of the run has.
        root: where the signals of the device are read.
        rooflines: what the device attains at best, as far as it was probed.
        preparer: of the run.

    Attributes:
        next_index: index of the next round.
    """

    def __init__(
        self,
        procedure: Procedure,
        journal: Journal,
        *,
        constants: dict[str, Value],
        root: Path = LIVE,
        rooflines: Sequence[Roofline] = (),
        preparer: Preparer | None = None,
    ) -> None:
        self.procedure = procedure
        self.journal = journal
        self.standing = Standing()
        self.clock = clock_of(procedure, time.monotonic())
        self.progress = ProgressReporter(journal.listener)
        self.pool = WorkerPool(
            procedure, self.clock, on_wait=self.progress.tell, root=root, preparer=preparer
        )
        self.exclusions = Exclusions(skip_larger=procedure.skip_larger)
        self.foresight = Foresight(procedure, self.pool, self.progress.doing)
        outcomes = Outcomes(
            procedure, self.pool, self.foresight, constants=constants, rooflines=rooflines
        )
        self.ending = Ending(
            procedure,
            journal,
            pool=self.pool,
            outcomes=outcomes,
            exclusions=self.exclusions,
            standing=self.standing,
        )
        self.next_index = journal.next_round()

    def keep(self, prepared: Prepared, done: Round) -> Round:
        """Number a round and write it down."""
        workload = prepared.task.workload
        process = self.pool.processes[workload.variant] - 1
        done = replace(done, index=self.next_index, process=process)
        self.next_index += 1
        prepared.rounds.append(done)
        self.journal.add(workload, done)
        return done

    def close(self) -> None:
        """End all workers, and store what is pending."""
        self.pool.end_all()
        self.journal.flush()
