"""Two variants side by side: short blocks in the order A-B-B-A, shape by shape."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from inferometer.core.procedure import Procedure
from inferometer.core.workload import Variant, Workload
from inferometer.runner.bench import RoundPlan
from inferometer.runner.schedule import Schedule
from inferometer.runner.task import Task, plan_round

BLOCK_CALLS = 4
"""Values of a block: few, so that both sides see the same moment."""


class PairSchedule(Schedule):
    """Groups of four blocks, A-B-B-A or B-A-A-B by chance, so that a steady drift cancels.

    A workload whose partner is not there gets no rounds.

    Attributes:
        pair: number of the current group.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        procedure: Procedure,
        *,
        order: random.Random,
        deadline: float = math.inf,
        soft_deadline: float = math.inf,
        first_pair: int = 0,
    ) -> None:
        super().__init__(
            tasks, procedure, order=order, deadline=deadline, soft_deadline=soft_deadline
        )
        self.pair: int | None = first_pair - 1
        self._blocks: list[Task] = []

    def next(self, now: float) -> Task | None:
        """The task whose block comes next."""
        while not self._blocks:
            task = super().next(now)
            if task is None:
                return None
            self._begin_group(task)
        return self._blocks.pop()

    def plan(self, task: Task) -> RoundPlan:
        """A block: a few values after one that follows the switch."""
        usual = plan_round(task.call_s, self.procedure)
        values = min(usual.values, BLOCK_CALLS)
        return replace(usual, values=values, settle=min(usual.settle, 1))

    def settle(self, task: Task) -> None:
        """End a pair at the end of a group, where both sides have given enough."""
        partner = self._partner(task)
        if self._blocks or partner is None:
            return
        if all([task.enough(), partner.enough()]):
            self.drop(task)

    def drop(self, task: Task) -> None:
        """Give neither side of a pair any more rounds."""
        partner = self._partner(task)
        self._blocks = []
        super().drop(task)
        if partner is not None:
            super().drop(partner)

    def _begin_group(self, task: Task) -> None:
        partner = self._partner(task)
        if partner is None:
            self.drop(task)
            return
        self._pass = [other for other in self._pass if other is not partner]
        assert self.pair is not None
        self.pair += 1
        outer, inner = self._order.sample([task, partner], 2)
        self._blocks = [outer, inner, inner, outer]

    def _partner(self, task: Task) -> Task | None:
        mine = shape_of(task.workload)
        others = (other for other in self._open if other.workload.variant != task.workload.variant)
        return next((other for other in others if shape_of(other.workload) == mine), None)


def shape_of(workload: Workload) -> Workload:
    """A workload without its variant: equal for the two sides of a pair."""
    return replace(workload, variant=Variant(model="", backend="", precision=""))
