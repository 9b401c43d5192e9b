"""Heats in worker processes: load, warm up, and time candidates alternately."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure
from inferometer.core.workload import Workload
from inferometer.runner.preparation import Preparer
from inferometer.runner.scheduling.task import plan_round, typical_s
from inferometer.runner.tuning.race import Seen
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import Clock, WorkerPool

LAPS = 4
"""Rounds of a candidate in a heat."""

SURELY_OVER = 1.5
"""A warm call that is so many times over the limit needs no more of them."""

LEAST_LEFT_S = 5.0
"""With less, no heat begins."""

Limit = Callable[[Workload, float | None, float | None], str | None]
"""From a workload, seconds of its call and bytes of its peak to the limit it is over, if any."""


class Arena:
    """Measures candidates, which differ in variant, threads and shape.

    Args:
        procedure: seed, memory limit and length of a round.
        clock: when the time ends.
        preparer: of the variants.
        limit: says which candidates are over a limit.
        tell: told what is done, and with whom.

    Attributes:
        failed: candidates that could not be measured, and why.
        over: those that are over a limit, and over which.
        peaks: bytes of the peak memory of each, where they were seen.
        processes: that each has had.
    """

    def __init__(
        self,
        procedure: Procedure,
        clock: Clock,
        preparer: Preparer,
        *,
        limit: Limit = lambda *_: None,
        tell: Callable[[str, Workload], None] = lambda *_: None,
    ) -> None:
        self._procedure = procedure
        self._clock = clock
        self._preparer = preparer
        self._limit = limit
        self._tell = tell
        self._pools: dict[int | None, WorkerPool] = {}
        self._numbers = count()
        self._order = random.Random(procedure.seed)  # noqa: S311 - an order, not a secret
        self._call_s: dict[Workload, float] = {}
        self.failed: dict[Workload, Failure] = {}
        self.over: dict[Workload, str] = {}
        self.peaks: dict[Workload, float] = {}
        self.processes: dict[Workload, int] = {}

    @property
    def is_over(self) -> bool:
        """Whether the time leaves no room for another heat."""
        return self._clock.left_s < LEAST_LEFT_S

    def heat(self, candidates: Sequence[Workload]) -> Mapping[Workload, Sequence[Seen]]:
        """Rounds of each in a fresh process, in groups that memory holds side by side."""
        found: dict[Workload, list[Seen]] = {}
        waiting = self._shuffled(candidates)
        while waiting and not self.is_over:
            group = self._load(waiting)
            try:
                found |= self._laps(group)
            finally:
                self.end()
        return found

    def end(self) -> None:
        """End all processes."""
        for pool in self._pools.values():
            pool.end_all()

    def pool(self, workload: Workload) -> WorkerPool:
        """The workers that have as many threads as a workload."""
        if workload.threads not in self._pools:
            self._pools[workload.threads] = WorkerPool(
                self._procedure, self._clock, preparer=self._preparer
            )
        return self._pools[workload.threads]

    def _load(self, waiting: list[Workload]) -> list[Workload]:
        """Load and warm up those that are next, while memory has room; they leave the list."""
        group: list[Workload] = []
        while waiting and not self.is_over:
            if group and not all(pool.has_room() for pool in self._pools.values()):
                break
            candidate = waiting.pop(0)
            try:
                self._warm_up(candidate)
            except WorkerFailed as failed:
                if failed.failure.kind != "budget":
                    self.failed[candidate] = failed.failure
                continue
            if candidate not in self.over:
                group.append(candidate)
        return group

    def _warm_up(self, candidate: Workload) -> None:
        self._tell("warming up", candidate)
        warm = self.pool(candidate).warm_up(candidate, call_s=self._call_s.get(candidate))
        self.processes[candidate] = self.processes.get(candidate, 0) + 1
        self._call_s[candidate] = typical_s(warm.round)
        peak = warm.seen.get("peak_memory_bytes")
        if isinstance(peak, int | float):
            self.peaks[candidate] = max(float(peak), self.peaks.get(candidate, 0.0))
        least_s = min(warm.round.values_s) / SURELY_OVER
        why = self._limit(candidate, least_s, self.peaks.get(candidate))
        if why is not None:
            self.over[candidate] = why

    def _laps(self, group: Sequence[Workload]) -> dict[Workload, list[Seen]]:
        numbers = {one: next(self._numbers) for one in group}
        found: dict[Workload, list[Seen]] = {one: [] for one in group}
        for _ in range(LAPS):
            for candidate in self._shuffled(group):
                if candidate in self.failed or self._clock.left_s <= 0:
                    continue
                self._tell("measuring", candidate)
                try:
                    found[candidate].append(self._round(candidate, numbers[candidate]))
                except WorkerFailed as failed:
                    if failed.failure.kind != "budget":
                        self.failed[candidate] = failed.failure
        return {one: rounds for one, rounds in found.items() if rounds and one not in self.failed}

    def _round(self, candidate: Workload, number: int) -> Seen:
        call_s = self._call_s[candidate]
        plan = plan_round(call_s, self._procedure)
        expected_s = call_s * (plan.values + plan.settle) * plan.calls_per_value
        done = self.pool(candidate).measure(candidate, plan, expected_s=expected_s)
        self._call_s[candidate] = done.median_s
        middle_s = done.started_at + (done.starts_s[-1] + done.values_s[-1]) / 2
        return Seen(process=number, when_s=middle_s, call_s=done.median_s)

    def _shuffled(self, candidates: Iterable[Workload]) -> list[Workload]:
        order = list(candidates)
        self._order.shuffle(order)
        return order


def rounds_of(procedure: Procedure) -> Procedure:
    """The procedure with the rounds of a race: short, for many candidates alternate."""
    return replace(procedure, round_s=min(procedure.round_s, 0.15), min_rounds=LAPS)
