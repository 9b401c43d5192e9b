"""One workload in the process that is alive now: what it has given, and what is still wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from statistics import median

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Workload
from inferometer.runner.workers.messages import RoundPlan
from inferometer.stats.intervals import cluster_mean
from inferometer.stats.stopping import Look, Rule, expected_more_s, look, until_look_s

FEWEST_CALLS = 2
"""Calls of which a figure can be made, for want of time for more."""
BATCHED_BELOW_S = 50e-6
BATCH_S = 100e-6
POST_SWITCH_S = 0.02
"""Post-switch warm-up of a round, seconds."""

MAX_POST_SWITCH = 20
"""Values of it, at the most."""

MAX_VALUES = 1000
MIN_EFFECTIVE = 60
"""Effective calls, over all processes, below which no interval counts as narrow enough."""


@dataclass(kw_only=True)
class Task:
    """A warmed-up workload.

    Attributes:
        workload: the task's workload.
        call_s: seconds of one call, estimated from its warm-up.
        procedure: how it is measured.
        rule: when this process has given enough.
        before: rounds of earlier processes.
        rounds: rounds of this process, and those of interrupted ones whose share it completes.
        next_analysis: rounds that must be there before the next interim analysis: a rule that is
            asked after every round stops in calm moments.
        least: calls that the budget leaves time for, where that is less than the procedure asks.
        best_rounds: rounds after which time is better spent on another process; None where no
            further ones would follow.
    """

    workload: Workload
    call_s: float
    procedure: Procedure
    rule: Rule
    before: Sequence[Round] = ()
    rounds: list[Round] = field(default_factory=list)
    next_analysis: int = 0
    least: int | None = None
    best_rounds: int | None = None

    def __post_init__(self) -> None:
        """Ask no process for more than the budget leaves time for."""
        if self.least is not None:
            self.rule = _shortened(self.rule, self.least)

    def shorten(self) -> bool:
        """Owe half of the calls, two at the least; whether that is less than before."""
        owed = self.procedure.min_calls if self.least is None else self.least
        if owed <= FEWEST_CALLS:
            return False
        self.least = max(math.ceil(owed / 2), FEWEST_CALLS)
        self.rule = _shortened(self.rule, self.least)
        return True

    def add(self, done: Round) -> None:
        """Take the observations of a round into account."""
        self.rounds.append(done)

    @property
    def calls(self) -> int:
        """Calls of this process that count."""
        return _calls(self.rounds)

    @property
    def timed_s(self) -> float:
        """Seconds that the calls of this process that count took."""
        return math.fsum(done.timed_s for done in self.rounds)

    @property
    def mean_s(self) -> float | None:
        """Mean seconds per call in this process; None before the first round."""
        if not self.rounds:
            return None
        return cluster_mean([done.timed_s for done in self.rounds], _counts(self.rounds))

    @property
    def has_share(self) -> bool:
        """Whether this process has given its least."""
        return _has_least(self.rounds, self.rule)

    @property
    def has_span(self) -> bool:
        """Whether its rounds spread over the time that was fixed beforehand."""
        return self.span_s >= self.rule.min_span_s

    @property
    def at_limit(self) -> bool:
        """Whether this process has given the most that it may."""
        return self.calls >= self.rule.max_calls or self.timed_s >= self.rule.max_time_s

    @property
    def owes(self) -> bool:
        """Whether the workload lacks calls or rounds, all its processes together."""
        return self.owed_s() > 0

    def least_s(self, least: int | None) -> float:
        """Estimated seconds until so few calls are there, all processes together."""
        calls, rounds = self.calls + _calls(self.before), len(self.rounds) + len(self.before)
        return owed_s(self.call_s, self.procedure, calls=calls, rounds=rounds, least=least)

    def owed_s(self) -> float:
        """Estimated seconds until the least is there, all processes together."""
        return self.least_s(self.least)

    def share_s(self) -> float:
        """Estimated seconds until this process has given its least."""
        calls = self.rule.min_calls - self.calls
        rounds = self.rule.min_rounds - len(self.rounds)
        return _until_s(self.call_s, self.procedure, calls=calls, rounds=rounds)

    @property
    def has_best(self) -> bool:
        """Whether another process would tell more than another round of this one."""
        best = self.best_rounds
        return best is not None and len(self.rounds) >= best and self.has_share and self.has_span

    def enough(self) -> bool:
        """Whether this process has given enough; asks the rule when an interim analysis is due.

        It is due at a limit too: calls that became slower spend the time before their rounds are
        there.
        """
        if self.has_best:
            return True
        if not self.has_share or (len(self.rounds) < self.next_analysis and not self.at_limit):
            return False
        seen = _interim_analysis(self.rounds, self.rule)
        self.next_analysis = seen.rounds
        return seen.decision != "more"

    def more_s(self) -> float:
        """Estimated seconds until this process has given enough."""
        if not self.has_share:
            return self.share_s()
        if len(self.rounds) < self.next_analysis:  # as the last one said: analysis takes time
            return until_look_s(self.timed_s, len(self.rounds), self.next_analysis, self.rule)
        values, k = _values(self.rounds), _k(self.rounds)
        return expected_more_s(values, self.rule, calls_per_value=k, span_s=self.span_s)

    @property
    def span_s(self) -> float:
        """Wall-clock seconds from the first round of this process to the end of its last.

        Those of interrupted ones are added, the time between them is not.
        """
        return _span_s(self.rounds)


def shares(rounds: Sequence[Round], rule: Rule, *, alone: bool = False) -> tuple[int, list[Round]]:
    """What processes that are gone have given.

    An interrupted process leaves a share that the next one completes: else a run that is
    interrupted time and again would begin again each time.

    Args:
        rounds: rounds that count, in the order of their processes.
        rule: what each process has to give.
        alone: whether no further process will follow for the target: a share is whole then only
            where the rule would have ended it.

    Returns:
        How many shares are whole, and the rounds of the one that is begun.
    """
    whole = 0
    begun: list[Round] = []
    for part in _processes(rounds):
        begun += part
        is_whole = _has_least(begun, rule) and _span_s(begun) >= rule.min_span_s
        if is_whole and (not alone or _interim_analysis(begun, rule).decision != "more"):
            whole, begun = whole + 1, []
    return whole, begun


def typical_s(warm: Round) -> float:
    """Seconds of a call after the warm-up: the median of its second half."""
    return median(warm.values_s[len(warm.values_s) // 2 :])


def rule_of(procedure: Procedure, *, parts: int | None = None) -> Rule:
    """What one process has to give: its share of what the procedure asks for.

    Args:
        procedure: what is asked for.
        parts: how many processes share it; by default as many as the procedure says.
    """
    parts = parts or procedure.processes
    return Rule(
        target=procedure.target,
        confidence=procedure.confidence,
        min_calls=math.ceil(procedure.min_calls / parts),
        min_rounds=math.ceil(procedure.min_rounds / parts),
        min_span_s=procedure.span_s / parts,
        min_effective=MIN_EFFECTIVE / parts,
        max_calls=math.ceil(procedure.max_calls / parts),
        max_time_s=procedure.max_time_s / parts,
    )


def plan_round(call_s: float, procedure: Procedure) -> RoundPlan:
    """How many calls make a round of about `round_s` seconds.

    Calls under 50 µs are timed several at a time, so that the clock does not show in them. The
    first values after a switch find cold caches: 20 ms of post-switch warm-up are set apart, none
    where a single call takes longer than a round, for there it does not matter.
    """
    call_s = max(call_s, 1e-9)
    per_value = 1 if call_s >= BATCHED_BELOW_S else math.ceil(BATCH_S / call_s)
    value_s = call_s * per_value
    most = max(1, procedure.max_calls // (procedure.min_rounds * per_value))
    values = max(1, min(round(procedure.round_s / value_s), most, MAX_VALUES))
    most_switch = min(math.ceil(POST_SWITCH_S / value_s), MAX_POST_SWITCH)
    post_switch = 0 if call_s > procedure.round_s else most_switch
    return RoundPlan(values=values, calls_per_value=per_value, settle=post_switch)


def round_s(call_s: float, procedure: Procedure) -> float:
    """Estimated seconds of a round of calls that take `call_s`."""
    plan = plan_round(call_s, procedure)
    return (plan.values + plan.settle) * plan.calls_per_value * call_s


def owed_s(
    call_s: float,
    procedure: Procedure,
    *,
    calls: int = 0,
    rounds: int = 0,
    least: int | None = None,
) -> float:
    """Estimated seconds until the least number of calls and rounds is there.

    Args:
        call_s: seconds of one call.
        procedure: says how many there are to be.
        calls: those that are there.
        rounds: those that are there.
        least: calls and rounds at the most, where the budget leaves time for so few.
    """
    wanted_calls, wanted_rounds = procedure.min_calls, procedure.min_rounds
    if least is not None:
        wanted_calls, wanted_rounds = min(wanted_calls, least), min(wanted_rounds, least)
    return _until_s(call_s, procedure, calls=wanted_calls - calls, rounds=wanted_rounds - rounds)


def _until_s(call_s: float, procedure: Procedure, *, calls: int, rounds: int) -> float:
    """Estimated seconds of the rounds in which so many calls and rounds more are made."""
    plan = plan_round(call_s, procedure)
    missing = max(math.ceil(calls / (plan.values * plan.calls_per_value)), rounds, 0)
    return missing * round_s(call_s, procedure)


def _shortened(rule: Rule, least: int) -> Rule:
    """What a process has to give where the budget leaves time for so few calls."""
    return replace(
        rule,
        min_calls=min(rule.min_calls, least),
        min_rounds=min(rule.min_rounds, least),
        min_span_s=0.0,
    )


def _has_least(rounds: Sequence[Round], rule: Rule) -> bool:
    return len(rounds) >= rule.min_rounds and _calls(rounds) >= rule.min_calls


def _interim_analysis(rounds: Sequence[Round], rule: Rule) -> Look:
    """What the rule says to the rounds of a share."""
    return look(_values(rounds), rule, calls_per_value=_k(rounds), span_s=_span_s(rounds))


def _values(rounds: Sequence[Round]) -> list[tuple[float, ...]]:
    return [done.settled_s for done in rounds]


def _k(rounds: Sequence[Round]) -> int:
    return max((done.calls_per_value for done in rounds), default=1)


def _processes(rounds: Sequence[Round]) -> list[list[Round]]:
    """Rounds in the order of their processes, those of each together."""
    return [list(part) for _, part in groupby(rounds, key=lambda done: done.process)]


def _span_s(rounds: Sequence[Round]) -> float:
    """Seconds from the first round of each process to the end of its last, added up."""
    ends = [(part[0], part[-1]) for part in _processes(rounds)]
    return math.fsum(
        max(last.started_at + last.starts_s[-1] + last.values_s[-1] - first.started_at, 0.0)
        for first, last in ends
    )


def _calls(rounds: Sequence[Round]) -> int:
    return sum(_counts(rounds))


def _counts(rounds: Sequence[Round]) -> list[int]:
    return [done.calls for done in rounds]
