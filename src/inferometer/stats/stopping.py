"""When a process has been measured often enough: a function of the observations so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inferometer.stats.intervals import quantile_interval

Decision = Literal["more", "target_met", "limit"]
PLANNING = 0.97
"""The interval is planned at this confidence where 95 % is reported: stopping at a narrow one
favours calm moments."""
_EDGE = 0.999
"""At this confidence the interval may be twice the target. Any single peak allows it; where it does
not hold, the median stands beside a gap between two levels, and which side is left to chance."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """More repetitions while the deviation is high, fewer when it is low, within limits.

    Attributes:
        target: relative half-width of the interval of the median at which it is enough.
        confidence: nominal coverage that will be reported.
        min_calls: calls at the least.
        min_rounds: rounds at the least.
        min_span_s: wall-clock seconds over which the rounds spread, at the least.
        max_calls: calls at the most.
        max_time_s: timed seconds at the most, once the least is there.
        min_effective: effective values, at the least, behind an interval that counts as narrow.
    """

    target: float
    confidence: float
    min_calls: int
    min_rounds: int
    min_span_s: float
    max_calls: int
    max_time_s: float
    min_effective: float = 60.0

    @property
    def planning(self) -> float:
        """Confidence at which the interval is looked at."""
        return 1 - (1 - self.confidence) * (1 - PLANNING) / 0.05


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at the observations said.

    Attributes:
        decision: whether to go on.
        rounds: rounds that must be there before the next look.
        half_width: relative half-width of the median's interval as planned, or half of the one at
            99.9 % where that decided; infinite if unknown.
    """

    decision: Decision
    rounds: int
    half_width: float


def look(
    rounds: Sequence[Sequence[float]],
    rule: Rule,
    *,
    calls_per_value: int = 1,
    span_s: float = math.inf,
) -> Look:
    """Look at the rounds of one process so far.

    It looks seldom: the next look is due when the rounds have grown as far as the half-width asks
    for, by at least 15 % and at most fourfold.

    Args:
        rounds: observations of each round, seconds per call.
        rule: what is asked for.
        calls_per_value: calls behind each value.
        span_s: wall-clock seconds from the first round to the end of the last.
    """
    n = len(rounds)
    calls = sum(map(len, rounds)) * calls_per_value
    if n < rule.min_rounds or calls < rule.min_calls:
        return Look(decision="more", rounds=n + 1, half_width=math.inf)
    width, effective = _width(rounds, rule.planning)
    if width <= rule.target:
        width = max(width, _width(rounds, max(_EDGE, rule.planning))[0] / 2)
    if span_s < rule.min_span_s:
        missing = math.ceil(n * (rule.min_span_s / max(span_s, 1e-9) - 1))
        return Look(decision="more", rounds=n + min(max(missing, 1), 4 * n), half_width=width)
    if width <= rule.target and effective >= rule.min_effective:
        return Look(decision="target_met", rounds=n, half_width=width)
    if calls >= rule.max_calls or _timed_s(rounds, calls_per_value) >= rule.max_time_s:
        return Look(decision="limit", rounds=n, half_width=width)
    return Look(decision="more", rounds=_jump(n, width, effective, rule), half_width=width)


def expected_more_s(
    rounds: Sequence[Sequence[float]],
    rule: Rule,
    *,
    calls_per_value: int = 1,
    span_s: float = math.inf,
) -> float:
    """Timed seconds until it ends, as far as the spread so far can tell. Arguments as `look`."""
    seen = look(rounds, rule, calls_per_value=calls_per_value, span_s=span_s)
    if seen.decision != "more" or not rounds:
        return 0.0
    return until_look_s(_timed_s(rounds, calls_per_value), len(rounds), seen.rounds, rule)


def until_look_s(spent_s: float, rounds: int, wanted: int, rule: Rule) -> float:
    """Timed seconds until so many rounds are there, within the limits of the rule.

    Args:
        spent_s: timed seconds of the rounds so far.
        rounds: how many these are, at least one.
        wanted: how many are to be there.
        rule: whose limits hold.
    """
    wanted_s = spent_s * (wanted / rounds - 1)
    return max(0.0, min(wanted_s, max(rule.max_time_s, rule.min_span_s) - spent_s))


def _width(rounds: Sequence[Sequence[float]], confidence: float) -> tuple[float, float]:
    """Relative half-width of the median's interval, and the effective number of values."""
    found = quantile_interval(rounds, 0.5, confidence)
    if found.low is None or found.high is None or found.value <= 0:
        return math.inf, found.effective
    return (found.high - found.low) / 2 / found.value, found.effective


def next_look(n: int, excess: float) -> int:
    """Units that must be there before the next look, when `n` left a half-width too wide.

    Args:
        n: rounds or groups so far.
        excess: half-width over the one that is aimed at.
    """
    return math.ceil(min(max(1.1 * n * excess**2, 1.15 * n, n + 1), 4 * n))


def _jump(n: int, width: float, effective: float, rule: Rule) -> int:
    """Rounds at the next look: what the half-width and the effective values ask for."""
    return next_look(n, max(width / rule.target, math.sqrt(rule.min_effective / effective)))


def _timed_s(rounds: Sequence[Sequence[float]], calls_per_value: int) -> float:
    return math.fsum(float(np.sum(part)) for part in rounds) * calls_per_value
