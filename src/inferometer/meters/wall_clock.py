"""The clock: what reading it costs."""

from __future__ import annotations

from statistics import median
from time import perf_counter_ns


def empty_pair_s(pairs: int = 2000) -> float:
    """Median duration of an empty timing pair, seconds: what each timed value holds too much."""
    gaps = []
    for _ in range(pairs):
        start = perf_counter_ns()
        gaps.append(perf_counter_ns() - start)
    return median(gaps) / 1e9
