"""Which workload gets the next round: interleaved, in a seeded random order, within the budget.

It plans one stretch of time in which one process of each workload is alive. Pure: the time and the
observations are given to it, and it starts nothing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from inferometer.core.procedure import Procedure
from inferometer.runner.scheduling.task import FEWEST_CALLS, Task, plan_round, round_s
from inferometer.runner.workers.messages import RoundPlan


class Schedule:
    """Rounds of workloads whose processes are alive, each pass in a new random order.

    Args:
        tasks: warmed-up workloads.
        procedure: how they are measured.
        order: source of the random order; seeded by the caller.
        deadline: time at which the budget of these workloads ends; infinite without one.
        soft_deadline: time after which no process gets more than its share, because later
            processes need the rest of the budget.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        procedure: Procedure,
        *,
        order: random.Random,
        deadline: float = math.inf,
        soft_deadline: float = math.inf,
    ) -> None:
        self.procedure = procedure
        self.deadline = deadline
        self.soft_deadline = min(soft_deadline, deadline)
        self._order = order
        self._open = list(tasks)
        self._pass: list[Task] = []

    def next(self, now: float) -> Task | None:
        """The task that gets the next round; None when there is none left to measure."""
        while self._open:
            if not self._pass:
                self._pass = list(self._open)
                self._order.shuffle(self._pass)
            task = self._pass.pop()
            if self._fits(task, now):
                return task
            self.drop(task)
        return None

    def cut(self, now: float) -> Task | None:
        """The most expensive task, where the least that is owed to all does not fit any more.

        Before that, the most expensive ones owe fewer calls, so that all get some. To be asked
        until it answers None: the caller records that the task was cut.
        """
        left_s = self.deadline - now
        while owing := [task for task in self._open if task.owes]:
            if sum(task.owed_s() for task in owing) <= left_s:
                return None
            worst = max(owing, key=Task.owed_s)
            if worst.least_s(FEWEST_CALLS) > left_s or not self._shortened(owing):
                self.drop(worst)
                return worst
        return None

    def _shortened(self, owing: Sequence[Task]) -> bool:
        """Whether one could owe less; a pair needs the same of both."""
        ordered = sorted(owing, key=Task.owed_s, reverse=True)
        return not self.procedure.pair and any(task.shorten() for task in ordered)

    pair: int | None = None

    def plan(self, task: Task) -> RoundPlan:
        """What the next round of a task holds."""
        return plan_round(task.call_s, self.procedure)

    def review(self, task: Task) -> None:
        """Give a task no more rounds where its process has given enough."""
        if task.enough():
            self.drop(task)

    def drop(self, task: Task) -> None:
        """Give a task no more rounds."""
        self._open = [other for other in self._open if other is not task]
        self._pass = [other for other in self._pass if other is not task]

    @property
    def open(self) -> list[Task]:
        """Tasks that may still get rounds."""
        return list(self._open)

    def _fits(self, task: Task, now: float) -> bool:
        """Whether a round leaves time for what is owed; what is owed itself was fitted by `cut`."""
        if not task.has_share:
            return True
        ahead_s = sum(other.share_s() for other in self._open)
        return now + ahead_s + round_s(task.call_s, self.procedure) <= self.soft_deadline
