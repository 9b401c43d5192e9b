"""Which workload gets the next round: interleaved, in a seeded random order, within the budget.

Pure: it is told the time and the observations, and starts nothing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Workload
from inferometer.runner.bench import RoundPlan
from inferometer.stats.intervals import cluster_mean
from inferometer.stats.stopping import Decision, Rule

BATCHED_BELOW_S = 50e-6
BATCH_S = 100e-6
SETTLE_S = 0.02
MAX_SETTLE = 20
MAX_VALUES = 500


@dataclass(kw_only=True)
class Task:
    """What the schedule knows of one warmed-up workload.

    Attributes:
        workload: which.
        call_s: seconds of one call, estimated from its warm-up.
        sums_s: timed seconds of each round so far, calls that count only.
        counts: calls of each round so far.
    """

    workload: Workload
    call_s: float
    sums_s: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, done: Round) -> None:
        """Take the observations of a round into account."""
        self.sums_s.append(done.timed_s)
        self.counts.append(done.calls)

    @property
    def calls(self) -> int:
        """Calls so far that count."""
        return sum(self.counts)

    @property
    def mean_s(self) -> float | None:
        """Mean seconds per call so far; None before the first round."""
        return cluster_mean(self.sums_s, self.counts) if self.counts else None


def typical_s(warm: Round) -> float:
    """Seconds of a call after the warm-up: the median of its second half."""
    return median(warm.values_s[len(warm.values_s) // 2 :])


def rule_of(procedure: Procedure) -> Rule:
    """The stopping rule that a procedure asks for."""
    return Rule(
        target=procedure.target,
        confidence=procedure.confidence,
        min_calls=procedure.min_calls,
        min_rounds=procedure.min_rounds,
        max_calls=procedure.max_calls,
        max_time_s=procedure.max_time_s,
    )


def plan_round(call_s: float, procedure: Procedure) -> RoundPlan:
    """How many calls make a round of about `round_s` seconds.

    Calls under 50 µs are timed several at a time, so that the clock does not show in them. The
    first values after a switch find cold caches: 20 ms of them are set apart, none where a single
    call takes longer than a round, for there it does not matter.
    """
    call_s = max(call_s, 1e-9)
    per_value = 1 if call_s >= BATCHED_BELOW_S else math.ceil(BATCH_S / call_s)
    value_s = call_s * per_value
    most = max(1, procedure.max_calls // (procedure.min_rounds * per_value))
    values = max(1, min(round(procedure.round_s / value_s), most, MAX_VALUES))
    settle = 0 if call_s > procedure.round_s else min(math.ceil(SETTLE_S / value_s), MAX_SETTLE)
    return RoundPlan(values=values, calls_per_value=per_value, settle=settle)


def round_s(call_s: float, procedure: Procedure) -> float:
    """Estimated seconds of a round of calls that take `call_s`."""
    plan = plan_round(call_s, procedure)
    return (plan.values + plan.settle) * plan.calls_per_value * call_s


def owed_s(call_s: float, procedure: Procedure, *, calls: int = 0, rounds: int = 0) -> float:
    """Estimated seconds until the least number of calls and rounds is there."""
    plan = plan_round(call_s, procedure)
    missing = max(
        math.ceil((procedure.min_calls - calls) / (plan.values * plan.calls_per_value)),
        procedure.min_rounds - rounds,
        0,
    )
    return missing * round_s(call_s, procedure)


def remaining_s(task: Task, procedure: Procedure) -> float:
    """Estimated seconds until a task is done: its least, then what its spread asks for."""
    rule = rule_of(procedure)
    if rule.has_minimum(task.calls, len(task.counts)):
        return rule.expected_more_s(task.sums_s, task.counts)
    return owed_s(task.call_s, procedure, calls=task.calls, rounds=len(task.counts))


class Schedule:
    """Rounds of the resident workloads, each pass in a new random order.

    Args:
        tasks: warmed-up workloads.
        procedure: how they are measured.
        order: source of the random order; seeded by the caller.
        deadline: time after which no round may run; infinite without a budget.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        procedure: Procedure,
        *,
        order: random.Random,
        deadline: float = math.inf,
    ) -> None:
        self.procedure = procedure
        self.rule = rule_of(procedure)
        self.deadline = deadline
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

        To be asked until it answers None: the caller records that the task was cut.
        """
        owing = [task for task in self._open if not self.has_minimum(task)]
        if not owing or sum(map(self.owed_s, owing)) <= self.deadline - now:
            return None
        worst = max(owing, key=self.owed_s)
        self.drop(worst)
        return worst

    def decide(self, task: Task) -> Decision:
        """Whether a task needs more rounds; a task that does not is not given any."""
        decision = self.rule.decide(task.sums_s, task.counts)
        if decision != "more":
            self.drop(task)
        return decision

    def drop(self, task: Task) -> None:
        """Give a task no more rounds."""
        self._open = [other for other in self._open if other is not task]
        self._pass = [other for other in self._pass if other is not task]

    def owed_s(self, task: Task) -> float:
        """Estimated seconds until a task has the least that is owed to it."""
        return owed_s(task.call_s, self.procedure, calls=task.calls, rounds=len(task.counts))

    @property
    def open(self) -> list[Task]:
        """Tasks that may still get rounds."""
        return list(self._open)

    def has_minimum(self, task: Task) -> bool:
        """Whether a task has the least number of calls and rounds."""
        return self.rule.has_minimum(task.calls, len(task.counts))

    def _fits(self, task: Task, now: float) -> bool:
        """Whether a round leaves time for what is owed; what is owed itself was fitted by `cut`."""
        if not self.has_minimum(task):
            return True
        owed = sum(map(self.owed_s, self._open))
        return now + owed + round_s(task.call_s, self.procedure) <= self.deadline
