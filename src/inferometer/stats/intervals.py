"""Intervals, and what a sample is too small to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Lower and upper end, in the unit of the data."""

    low: float
    high: float


def cluster_mean(sums: Sequence[float], counts: Sequence[int]) -> float:
    """Mean of all observations, given the sum and the number of them in each cluster.

    Raises:
        ZeroDivisionError: there are no observations.
    """
    return math.fsum(sums) / sum(counts)


def cluster_mean_interval(
    sums: Sequence[float], counts: Sequence[int], confidence: float
) -> Interval | None:
    """Interval of the mean of clustered observations.

    Calls of one round resemble each other, so that rounds, not calls, are the independent units:
    the standard error is that of a ratio of cluster totals,
    sqrt(R/(R-1) * sum((s_r - n_r*m)^2)) / n, with Student's t at R - 1 degrees of freedom
    (Cochran, Sampling Techniques, 3rd ed., 1977, section 9A.2, without finite-population
    correction). With equal counts it is the usual t-interval of the cluster means.

    Args:
        sums: sum of the observations of each cluster.
        counts: number of observations of each cluster.
        confidence: nominal coverage, 0 to 1.

    Returns:
        The interval, or None for fewer than two clusters.
    """
    clusters = len(sums)
    if clusters < 2:  # noqa: PLR2004 - a spread needs two
        return None
    n = sum(counts)
    mean = cluster_mean(sums, counts)
    squares = math.fsum((s - c * mean) ** 2 for s, c in zip(sums, counts, strict=True))
    standard_error = math.sqrt(clusters / (clusters - 1) * squares) / n
    half = float(stdtrit(clusters - 1, 0.5 + confidence / 2)) * standard_error
    return Interval(low=mean - half, high=mean + half)


def supports_quantile(n: int, q: float, confidence: float = 0.95) -> bool:
    """Whether n independent observations can bound the quantile q from both sides.

    The largest of n observations lies below the quantile q with probability q^n, which must be at
    most (1 - confidence)/2; likewise the smallest, with (1 - q)^n (order statistics: David and
    Nagaraja, Order Statistics, 3rd ed., 2003, section 7.1). For 95 %: p90 needs 36, p99 368.
    """
    tail = (1 - confidence) / 2
    return n > 0 and max(q, 1 - q) ** n <= tail
