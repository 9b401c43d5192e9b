"""Intervals, and what a sample is too small to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrik, stdtrit

from inferometer.stats.autocorrelation import autocorrelation_time


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


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """A quantile of one process, in the unit of the data.

    Attributes:
        value: the empirical quantile.
        low: lower end of its interval; None where there is too little to bound it.
        high: upper end, likewise.
        tau: autocorrelation time in values: so many say as much as one independent value.
        effective: number of values over `tau`.
    """

    value: float
    low: float | None
    high: float | None
    tau: float
    effective: float


def quantile_interval(
    rounds: Sequence[Sequence[float]], q: float = 0.5, confidence: float = 0.95
) -> Quantile:
    """Quantile of clustered observations, with an interval that takes rounds as the units.

    The share of each round at or below the quantile is averaged over rounds, whose autocorrelation
    time inflates the standard error; t with R/tau - 1 degrees of freedom gives an interval of the
    share, which the empirical quantile function maps back (Woodruff, JASA 47, 1952; clusters:
    Francisco and Fuller, Annals of Statistics 19, 1991). It is never narrower than the interval of
    order statistics for the effective number of values (David and Nagaraja, Order Statistics, 3rd
    ed., 2003, section 7.1).

    Args:
        rounds: observations of each round, in the order of time; empty rounds are left out.
        q: probability.
        confidence: nominal coverage.

    Raises:
        IndexError: there is no observation.
    """
    parts = [np.asarray(part, dtype=float) for part in rounds if len(part)]
    sample = np.sort(np.concatenate(parts)) if parts else np.empty(0)
    value = float(np.quantile(sample, q))
    sizes = np.array([part.size for part in parts])
    n, clusters = sample.size, len(parts)
    if clusters < 2 or sample[0] == sample[-1]:  # noqa: PLR2004 - a spread needs two
        constant = value if clusters >= 2 else None  # noqa: PLR2004
        return Quantile(value=value, low=constant, high=constant, tau=1.0, effective=float(n))
    joined = np.concatenate(parts)
    below = (joined < value) + 0.5 * (joined == value)
    shares = np.add.reduceat(below, np.cumsum(sizes) - sizes) / sizes
    tau_r = autocorrelation_time(shares)
    spread = _share_error(shares, sizes) * math.sqrt(tau_r)
    alone = math.sqrt(q * (1 - q) / n)
    error = max(spread, alone)
    effective = n * (alone / error) ** 2
    df = max(clusters / tau_r - 1, 1.0)
    half = float(stdtrit(df, 0.5 + confidence / 2)) * error
    ends = _order_statistics(sample, q, effective, confidence)
    if ends is None or q - half <= 0 or q + half >= 1:
        return Quantile(value=value, low=None, high=None, tau=n / effective, effective=effective)
    return Quantile(
        value=value,
        low=min(float(np.quantile(sample, q - half)), ends[0]),
        high=max(float(np.quantile(sample, q + half)), ends[1]),
        tau=n / effective,
        effective=effective,
    )


def _share_error(shares: NDArray[np.float64], sizes: NDArray[np.int_]) -> float:
    """Standard error of the mean share over rounds of unequal size (a ratio of totals)."""
    clusters, n = shares.size, sizes.sum()
    mean = float((shares * sizes).sum() / n)
    squares = float((sizes**2 * (shares - mean) ** 2).sum())
    return math.sqrt(clusters / (clusters - 1) * squares) / float(n)


def _order_statistics(
    sample: NDArray[np.float64], q: float, effective: float, confidence: float
) -> tuple[float, float] | None:
    """Interval from the order statistics of so many independent values; None for too few."""
    m = max(int(effective), 1)
    tail = (1 - confidence) / 2
    if not supports_quantile(m, q, confidence):
        return None
    # the binomial counts below which, and above which, a tail lies
    low = int(bdtrik(tail, m, q))
    high = m - int(bdtrik(tail, m, 1 - q))
    ranks = np.array([low, high]) / m * sample.size
    at = np.clip(np.array([math.floor(ranks[0]), math.ceil(ranks[1]) - 1]), 0, sample.size - 1)
    return float(sample[at[0]]), float(sample[at[1]])


def mean_interval(rounds: Sequence[Sequence[float]], confidence: float) -> Interval | None:
    """Interval of the mean of clustered observations whose rounds follow each other in time.

    That of `cluster_mean_interval`, with the standard error times the root of the autocorrelation
    time of the rounds' means, and degrees of freedom to match.

    Returns:
        The interval, or None for fewer than two rounds.
    """
    filled = [part for part in rounds if len(part)]
    sums, counts = [math.fsum(part) for part in filled], [len(part) for part in filled]
    plain = cluster_mean_interval(sums, counts, confidence)
    if plain is None:
        return None
    tau = autocorrelation_time([s / c for s, c in zip(sums, counts, strict=True)])
    quantiles = [
        float(stdtrit(df, 0.5 + confidence / 2))
        for df in (len(filled) - 1, max(len(filled) / tau - 1, 1.0))
    ]
    mean = cluster_mean(sums, counts)
    half = (plain.high - mean) * math.sqrt(tau) * quantiles[1] / quantiles[0]
    return Interval(low=mean - half, high=mean + half)


def supports_quantile(n: float, q: float, confidence: float = 0.95) -> bool:
    """Whether n independent observations can bound the quantile q from both sides.

    The largest of n observations lies below the quantile q with probability q^n, which must be at
    most (1 - confidence)/2; likewise the smallest, with (1 - q)^n (order statistics: David and
    Nagaraja, Order Statistics, 3rd ed., 2003, section 7.1). For 95 %: p90 needs 36, p99 368.
    """
    tail = (1 - confidence) / 2
    return n > 0 and max(q, 1 - q) ** n <= tail
