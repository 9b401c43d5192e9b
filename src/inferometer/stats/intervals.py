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


def independent_mean_interval(
    values: Sequence[float], confidence: float
) -> tuple[float, float] | None:
    """Student's interval of the mean of independent values; None for fewer than two."""
    found = cluster_mean_interval(values, [1] * len(values), confidence)
    return None if found is None else (found.low, found.high)


_ON_THE_WAY = tuple(2 ** (-k / 4) for k in range(18, 0, -1))
"""Shares of the way from the quantile to the extreme at which the error is looked at."""
FEWEST_ROUNDS = 10
"""Of fewer rounds, nothing can be said of how far they follow their neighbours."""
_MOST_TAU = 4.0  # times the one at the quantile: far from it, it is noise in a short series


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
    Francisco and Fuller, Annals of Statistics 19, 1991). Where the share is less certain at an end
    than at the quantile, the end moves on to where its own error allows it (the same paper's test
    inversion): where by chance few slow spells were seen, the median looks too certain. It is never
    narrower than the interval of order statistics for the effective number of values (David and
    Nagaraja, Order Statistics, 3rd ed., 2003, section 7.1).

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
    calls = _Calls(np.concatenate(parts), sizes, sample)
    alone = math.sqrt(q * (1 - q) / n)
    shares = calls.shares(value)
    tau_r = autocorrelation_time(shares)
    error = max(_share_error(shares, sizes) * math.sqrt(tau_r), alone)
    effective = n * (alone / error) ** 2
    times = float(stdtrit(max(clusters / tau_r - 1, 1.0), 0.5 + confidence / 2))
    ends = _order_statistics(sample, q, effective, confidence)
    below, above = (q + _reach(calls, q, side * times * error, tau_r, times) for side in (-1, 1))
    if ends is None or below <= 0 or above >= 1:
        return Quantile(value=value, low=None, high=None, tau=n / effective, effective=effective)
    return Quantile(
        value=value,
        low=min(float(np.quantile(sample, below)), ends[0]),
        high=max(float(np.quantile(sample, above)), ends[1]),
        tau=n / effective,
        effective=effective,
    )


def rounds_interval(
    rounds: Sequence[Sequence[float]], median: float, confidence: float = 0.95
) -> Interval | None:
    """What rounds allow whose calls hang together too much for `quantile_interval` of the median.

    Student's t on the logarithms of the rounds' own medians, whose autocorrelation time inflates
    the standard error, with R/tau - 1 degrees of freedom. It is never narrower than the range of
    these medians: fewer than six independent values do not bound a median at 95 % even by that.

    Args:
        rounds: observations of each round, in the order of time, more than 0.
        median: of all of them.
        confidence: nominal coverage.

    Returns:
        The interval, or None for fewer than ten rounds.
    """
    medians = [float(np.median(part)) for part in rounds if len(part)]
    n = len(medians)
    if n < FEWEST_ROUNDS or min(medians) <= 0:
        return None
    logs = np.log(medians)
    tau = autocorrelation_time(logs)
    times = float(stdtrit(max(n / tau - 1, 1.0), 0.5 + confidence / 2))
    factor = math.exp(times * float(logs.std(ddof=1)) * math.sqrt(tau / n))
    return Interval(low=min(median / factor, *medians), high=max(median * factor, *medians))


@dataclass(frozen=True)
class _Calls:
    """Values round after round, the sizes of the rounds, and the values in order."""

    joined: NDArray[np.float64]
    sizes: NDArray[np.int_]
    ordered: NDArray[np.float64]

    def shares(self, level: float) -> NDArray[np.float64]:
        """Share of each round at or below a level."""
        below = (self.joined < level) + 0.5 * (self.joined == level)
        return np.add.reduceat(below, np.cumsum(self.sizes) - self.sizes) / self.sizes

    def at(self, q: float) -> float:
        """The value nearest to a quantile; `np.quantile` would sort again."""
        return float(self.ordered[round(q * (self.ordered.size - 1))])


def _reach(calls: _Calls, q: float, offset: float, tau: float, times: float) -> float:
    """Distance of an end from q: `offset`, or further where the error on the way allows it.

    Args:
        calls: the observations.
        q: probability.
        offset: what the error at the quantile allows; below 0 for the lower end.
        tau: autocorrelation time in rounds at the quantile.
        times: standard errors in half of the interval.
    """
    way = 1 - q if offset > 0 else q
    reach = abs(offset)
    for part in _ON_THE_WAY:
        if part * way > reach:
            break
        shares = calls.shares(calls.at(q + math.copysign(part * way, offset)))
        there = min(autocorrelation_time(shares), _MOST_TAU * tau)
        reach = max(reach, times * _share_error(shares, calls.sizes) * math.sqrt(there))
    return math.copysign(reach, offset)


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
