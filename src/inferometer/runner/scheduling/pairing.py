"""Two variants side by side: short blocks in the order A-B-B-A, shape by shape."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Shape, Target, Workload
from inferometer.runner.scheduling.schedule import Schedule
from inferometer.runner.scheduling.task import Task
from inferometer.runner.workers.messages import RoundPlan
from inferometer.stats.comparison import ZONE, Block, group_ratios, paired
from inferometer.stats.stopping import next_look

BLOCK_CALLS = 4
"""Values of a block: few, so that both sides see the same moment."""


class PairSchedule(Schedule):
    """Groups of four blocks, A-B-B-A or B-A-A-B by chance, so that a steady drift cancels.

    A workload whose partner is not there takes usual rounds.

    Args:
        numbers: of the groups, one after the other; the caller keeps them unique within a run.

    Attributes:
        pair: number of the current group; None while a workload is alone.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        procedure: Procedure,
        *,
        order: random.Random,
        deadline: float = math.inf,
        soft_deadline: float = math.inf,
        numbers: Iterator[int],
    ) -> None:
        super().__init__(
            tasks, procedure, order=order, deadline=deadline, soft_deadline=soft_deadline
        )
        self._numbers = numbers
        self._blocks: list[Task] = []
        self._due: dict[tuple[Target, Shape], int] = {}

    def next(self, now: float) -> Task | None:
        """The task whose block comes next."""
        if not self._blocks:
            task = super().next(now)
            if task is None:
                return None
            self._begin_group(task)
        return self._blocks.pop()

    def plan(self, task: Task) -> RoundPlan:
        """A block: a few values after one that follows the switch."""
        usual = super().plan(task)
        if self.pair is None:
            return usual
        values = min(usual.values, BLOCK_CALLS)
        return replace(usual, values=values, settle=min(usual.settle, 1))

    def review(self, task: Task) -> None:
        """End a pair at the end of a group, where the ratio is known well enough."""
        partner = self._partner(task)
        if partner is None:
            super().review(task)
        elif not self._blocks and self._enough(task, partner):
            self.drop(task)

    def drop(self, task: Task) -> None:
        """Give a task no more rounds; its partner goes on alone only if it has no share yet."""
        partner = self._partner(task)
        self._blocks = []
        super().drop(task)
        if partner is not None and partner.has_share:
            super().drop(partner)

    def _begin_group(self, task: Task) -> None:
        partner = self._partner(task)
        if partner is None:
            self.pair, self._blocks = None, [task]
            return
        self._pass = [other for other in self._pass if other is not partner]
        self.pair = next(self._numbers)
        outer, inner = self._order.sample([task, partner], 2)
        self._blocks = [outer, inner, inner, outer]

    def _enough(self, task: Task, partner: Task) -> bool:
        """Whether both gave their share, and the ratio of this process is narrow, or time is up.

        As with the rule for single workloads, interim analyses are seldom, so as not to stop in a
        calm moment.
        """
        both = (task, partner)
        if not all(one.has_share and one.has_span for one in both):
            return False
        groups = len(task.rounds) // 2
        if groups < self._due.get(place_of(task.workload), 0):
            return False
        width = pair_width(task.rounds, partner.rounds, self.procedure)
        goal = ratio_goal(self.procedure)
        self._due[place_of(task.workload)] = next_look(groups, width / goal)
        return width <= goal or any(one.at_limit for one in both)

    def _partner(self, task: Task) -> Task | None:
        return next((other for other in self._open if are_partners(other, task)), None)


def are_partners(one: Task, other: Task) -> bool:
    """Whether two tasks are the two sides of a pair."""
    mine, theirs = one.workload, other.workload
    return mine.variant != theirs.variant and place_of(mine) == place_of(theirs)


def place_of(workload: Workload) -> tuple[Target, Shape]:
    """What the two sides of a pair have in common."""
    return workload.target, workload.shape


def ratio_goal(procedure: Procedure) -> float:
    """Half-width of the ratio that is aimed at: the target, at the most the usual zone of 1 %."""
    return min(procedure.target, ZONE)


def pair_width(base: Sequence[Round], contender: Sequence[Round], procedure: Procedure) -> float:
    """Half of the interval of the log-ratio so far; infinite where nothing is known of it."""
    groups = group_ratios(_blocks(base), _blocks(contender))
    if not groups:
        return math.inf
    return paired(groups, cautious=True).half_width(procedure.confidence)


def _blocks(rounds: Sequence[Round]) -> list[Block]:
    return [
        Block(done.process, done.pair, done.settled_s) for done in rounds if done.pair is not None
    ]
