"""Interleaved rounds of workloads that are warm."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.phases.latency.replicating import Limits
from inferometer.runner.scheduling.pairing import PairSchedule
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.scheduling.schedule import Schedule
from inferometer.runner.scheduling.task import Task, round_s
from inferometer.runner.workers.parent import WorkerFailed


class Interleaving:
    """Gives rounds to workloads as a schedule says.

    Args:
        apparatus: has the workers.
    """

    def __init__(self, apparatus: Apparatus) -> None:
        self.apparatus = apparatus
        self.procedure = apparatus.procedure
        self.prepared = apparatus.standing.prepared
        seed, first = self.procedure.seed, apparatus.next_index
        # Where a run goes on, not the order that it began with: the same would come first again.
        order = f"{seed}, from {first}" if first else seed
        self._order = random.Random(order)  # noqa: S311 - an order, not a secret
        self._pairs = count()

    def measure(self, present: Sequence[Prepared], limits: Limits) -> None:
        """Measure until each process has given enough, or the time ends; cut what does not fit."""
        schedule = self._schedule([one.task for one in present], limits)
        while True:
            while (cut := schedule.cut(time.monotonic())) is not None:
                self.apparatus.ending.cut(cut)
            chosen = schedule.next(time.monotonic())
            if chosen is None:
                break
            self._round(schedule, chosen)

    def _schedule(self, tasks: list[Task], limits: Limits) -> Schedule:
        now, order = time.monotonic(), self._order
        end, soft_end = now + limits.total_s, now + limits.process_s
        if not self.procedure.pair:
            return Schedule(
                tasks, self.procedure, order=order, deadline=end, soft_deadline=soft_end
            )
        return PairSchedule(
            tasks,
            self.procedure,
            order=order,
            deadline=end,
            soft_deadline=soft_end,
            numbers=self._pairs,
        )

    def _round(self, schedule: Schedule, task: Task) -> None:
        workload, pool = task.workload, self.apparatus.pool
        self.apparatus.progress.doing("measuring", workload, calls=task.calls, mean_s=task.mean_s)
        prepared = self.prepared[workload]
        try:
            if not pool.is_warm(workload):  # its worker died of another workload
                warm = pool.warm_up(workload, call_s=task.call_s)
                self.apparatus.keep(prepared, warm.round)
            plan = schedule.plan(task)
            expected_s = round_s(task.call_s, self.procedure)
            done = pool.measure(workload, plan, expected_s=expected_s)
        except WorkerFailed as failed:
            schedule.drop(task)
            self.apparatus.ending.give_up(workload, failed.failure)
            return
        done = replace(done, pair=schedule.pair)
        task.add(self.apparatus.keep(prepared, done))
        schedule.review(task)
