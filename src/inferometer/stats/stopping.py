"""When a workload has been measured often enough: a function of the observations so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inferometer.stats.intervals import cluster_mean, cluster_mean_interval

Decision = Literal["more", "target_met", "limit"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """More repetitions while the deviation is high, fewer when it is low, within limits.

    Attributes:
        target: relative half-width of the interval of the mean at which it is enough.
        confidence: nominal coverage of that interval.
        min_calls: calls at the least.
        min_rounds: rounds at the least.
        max_calls: calls at the most.
        max_time_s: timed seconds at the most, once the least is there.
    """

    target: float
    confidence: float
    min_calls: int
    min_rounds: int
    max_calls: int
    max_time_s: float

    def has_minimum(self, calls: int, rounds: int) -> bool:
        """Whether the least is there."""
        return calls >= self.min_calls and rounds >= self.min_rounds

    def decide(self, sums_s: Sequence[float], counts: Sequence[int]) -> Decision:
        """What to do, given the timed seconds and the calls of each round so far."""
        calls = sum(counts)
        if not self.has_minimum(calls, len(counts)):
            return "more"
        if self.precise(sums_s, counts):
            return "target_met"
        timed_s = sum(sums_s)
        return "limit" if calls >= self.max_calls or timed_s >= self.max_time_s else "more"

    def precise(self, sums_s: Sequence[float], counts: Sequence[int]) -> bool:
        """Whether the interval of the mean is as narrow as the target."""
        return self._excess(sums_s, counts) <= 1

    def expected_more_s(self, sums_s: Sequence[float], counts: Sequence[int]) -> float:
        """Timed seconds until it ends, given the least: the half-width falls with the root of n."""
        spent_s = sum(sums_s)
        wanted_s = spent_s * (self._excess(sums_s, counts) ** 2 - 1)
        return max(0.0, min(wanted_s, self.max_time_s - spent_s))

    def _excess(self, sums_s: Sequence[float], counts: Sequence[int]) -> float:
        """Half-width of the interval of the mean, over that of the target."""
        interval = cluster_mean_interval(sums_s, counts, self.confidence)
        if interval is None:
            return math.inf
        half = (interval.high - interval.low) / 2
        return half / (self.target * cluster_mean(sums_s, counts)) if half else 0.0
