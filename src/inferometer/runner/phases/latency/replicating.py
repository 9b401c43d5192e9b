"""Plans replicates: what a process gives, who gets another one, and how long they may take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Workload
from inferometer.figures.joint import relative_half_widths
from inferometer.figures.summary import by_process
from inferometer.runner.phases.latency.standing import Standing
from inferometer.runner.scheduling.forecast import needed_s
from inferometer.runner.scheduling.replicates import Prepared, complete, further
from inferometer.runner.scheduling.task import owed_s, round_s, rule_of, shares
from inferometer.runner.workers.pool import Clock
from inferometer.stats.allocation import best_rounds, spread_of

PRUDENCE = 0.9
"""Share of the time left that later processes may be planned for: estimates are estimates."""


class SharePlanner(Protocol):
    """What the processes of a workload give, one after the other."""

    def given(self, prepared: Prepared) -> tuple[int, list[Round]]:
        """How many shares its stored rounds make, and the rounds of the one that is begun."""
        ...

    def begin(self, prepared: Prepared, call_s: float) -> None:
        """Set what its next process has to give, where a call takes `call_s` seconds."""
        ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Time for the rounds of workloads that are measured side by side.

    Attributes:
        total_s: seconds until their part of the budget ends; infinite without one.
        process_s: seconds after which no process gets more than its share, because later ones need
            the rest.
    """

    total_s: float
    process_s: float


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows a replicate.

    Attributes:
        further: workloads that get another process.
        ending: those that do not.
        topped_up: those of them that lack a planned process: they get the rest of their least
            number of calls from the process that is alive.
        limits: time for that.
        half_widths: of the intervals for comparisons, shares; empty where nobody knows them yet.
    """

    further: list[Workload]
    ending: list[Prepared]
    topped_up: list[Prepared]
    limits: Limits
    half_widths: Sequence[float] = ()


class ReplicatePlanner:
    """A number of replicates that was fixed beforehand, and further ones that shorten intervals.

    Whatever is decided about replicates is decided here, from the time left and the observations;
    nothing is started. Another way of planning them takes the place of this class.

    Args:
        procedure: how many processes are planned, and the target.
        clock: the budget.
        standing: how far the workloads are.
    """

    def __init__(self, procedure: Procedure, clock: Clock, standing: Standing) -> None:
        self.procedure = procedure
        self.clock = clock
        self.standing = standing

    def given(self, prepared: Prepared) -> tuple[int, list[Round]]:
        """How many shares its stored rounds make, and the rounds of the one that is begun."""
        alone = self.procedure.processes == 1
        return shares(prepared.measured, rule_of(self.procedure), alone=alone)

    def begin(self, prepared: Prepared, call_s: float) -> None:
        """Set what its next process has to give: an equal share of the least."""
        prepared.begin_share(call_s, rule_of(self.procedure))
        prepared.task.best_rounds = self._best_rounds(prepared)

    def complete(self, stored: Sequence[Prepared]) -> list[Workload]:
        """The workloads that have all rounds from a run that was interrupted."""
        begun = [one for one in stored if one.replicates]
        return complete(begun, self.procedure)

    def limits(self, present: Sequence[Prepared]) -> Limits:
        """Time for the rounds of a group in this replicate."""
        left_s = self._part(self.clock.left_s, len(present))
        planned = max(self.procedure.processes - min(one.replicates for one in present), 1)
        if planned == 1:
            return Limits(total_s=left_s, process_s=left_s)
        later_s = (planned - 1) * sum(map(self._process_s, present))
        return Limits(total_s=left_s, process_s=max(left_s - later_s, 0.0) / planned)

    def decide(self, present: Sequence[Prepared]) -> Decision:
        """Who gets another process, after all of these have given their share."""
        for one in present:
            one.replicates += 1
        left_s = self._part(PRUDENCE * self.clock.left_s, len(present))
        widths = self._relative(present)
        chosen = further(
            present,
            self.procedure,
            cost_s=self._process_s,
            left_s=left_s,
            widths=widths,
        )
        ending = [one for one in present if one.task.workload not in chosen]
        lacking = [one for one in ending if one.replicates < self.procedure.processes]
        for one in lacking:
            whole = rule_of(self.procedure, parts=1)
            one.task = replace(one.task, rule=whole, next_analysis=0, best_rounds=None)
        return Decision(
            further=chosen,
            ending=ending,
            topped_up=lacking,
            limits=self._rest(len(lacking), len(chosen)),
            half_widths=[math.sinh(width) for width in widths.values()],
        )

    def _relative(self, present: Sequence[Prepared]) -> dict[Workload, float]:
        """Half-widths for comparisons, once all have their planned processes; none before."""
        lacking = any(one.replicates < self.procedure.processes for one in present)
        if lacking or self.procedure.pair:
            return {}
        return relative_half_widths({one.task.workload: one.measured for one in present})

    def remaining_s(self) -> float | None:
        """Estimated seconds until everything is measured; None while unknown."""
        left_s = 0.0
        for workload, one in self.standing.prepared.items():
            planned = self.procedure.processes - one.replicates
            if workload in self.standing.waiting:
                left_s += max(planned, 1) * self._like_the_last_s(one)
            else:
                left_s += one.task.more_s() + max(planned - 1, 0) * self._like_the_last_s(one)
        for workload in self.standing.waiting:
            if workload in self.standing.prepared:
                continue
            call_s = self.standing.call_times.of(workload)
            if call_s is None:
                return None
            left_s += needed_s(call_s, self.procedure)
        return min(left_s, max(self.clock.left_s, 0.0))

    def _best_rounds(self, one: Prepared) -> int | None:
        """Rounds that its process is worth; None where time left over would buy no other process.

        Only what is read together goes on getting processes, and only while there is a budget.
        """
        alone = len(self.standing.prepared) + len(self.standing.waiting) <= 1
        if alone or self.procedure.pair or not math.isfinite(self.clock.left_s):
            return None
        spread = spread_of([logarithms(other) for other in self.standing.prepared.values()])
        return best_rounds(
            spread,
            process_s=self._start_s(one),
            round_s=round_s(one.task.call_s, self.procedure),
        )

    def _part(self, left_s: float, count: int) -> float:
        """Part of the time left for so many workloads; those that wait have the rest."""
        return left_s * count / (count + len(self.standing.waiting))

    def _rest(self, topped_up: int, others: int) -> Limits:
        """Time for topping up: the part of those workloads, next to all that are to come."""
        if not topped_up:
            return Limits(total_s=0.0, process_s=0.0)
        share = topped_up / (topped_up + others + len(self.standing.waiting))
        left_s = share * self.clock.left_s
        return Limits(total_s=left_s, process_s=left_s)

    def _start_s(self, one: Prepared) -> float:
        """Seconds before the first round of its process, with its part of the loading."""
        variant = one.task.workload.variant
        sharing = sum(other.variant == variant for other in self.standing.prepared) or 1
        return self.standing.load_s.get(variant, 0.0) / sharing + one.warm_s

    def _process_s(self, one: Prepared) -> float:
        """Estimated seconds of another process of a workload, with its part of the loading."""
        owed = owed_s(one.task.call_s, self.procedure, least=one.task.least)
        owed /= self.procedure.processes
        return self._start_s(one) + owed

    def _like_the_last_s(self, one: Prepared) -> float:
        """Estimated seconds of another process that does as much as the last: the least is less.

        Else the time left would not shrink while every process goes on beyond its least.
        """
        last_s = self._start_s(one) + one.task.timed_s + one.task.more_s()
        return max(self._process_s(one), last_s)


def logarithms(one: Prepared) -> list[list[float]]:
    """Logarithms of the round medians of a workload, by process."""
    parts = [[done.median_s for done in mine] for mine in by_process(one.measured)]
    logs = [[math.log(middle) for middle in part if middle > 0] for part in parts]
    return [part for part in logs if part]
