"""Differences of a metric between two models that were given the same samples.

All differences are contender minus base: of `a`, the base, and `b`, the contender.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.signal import convolve
from scipy.special import bdtr, ndtri
from scipy.stats import binom

from inferometer.stats.proportion import FEWEST_UNITS, Reason, effective_samples
from inferometer.stats.resampling import DRAWS, Resampled, Value, by_unit, resample, unseen

_BESIDE = 1e-10

Floats = NDArray[np.float64]
Method = Literal["tango", "tango_clustered", "bca", "rule_of_three"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Contender minus base, of a metric over the same samples.

    Attributes:
        value: over all samples; NaN where it is not defined.
        low: lower end of its interval; None without one.
        high: upper end, likewise.
        p: two-sided, of the hypothesis that there is none; None without an interval.
        standard: standard error, never 0; None without an interval.
        units: independent units behind it.
        draws: bootstrap draws that it rests on; 0 where none were needed.
        method: of the interval; None without one.
        reason: why there is no interval.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    standard: float | None
    units: int
    draws: int = 0
    method: Method | None = None
    reason: Reason | None = None


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided p of the hypothesis that each of two is as often right where the other is wrong.

    Binomial with 1/2 (McNemar, Psychometrika 12, 1947; the exact form). For samples that stand
    alone; of units with several see `sign_flip`.

    Args:
        only_a: samples that only one has right.
        only_b: samples that only the other has right.
    """
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def sign_flip(sums: ArrayLike) -> float:
    """Two-sided p of the hypothesis that the sum of each unit might as well have the other sign.

    The exact permutation test (Fisher, The Design of Experiments, 1935, section 21): units are
    swapped between the two as a whole. With one sample a unit it is McNemar's.

    Args:
        sums: for each unit, samples that only one has right less those that only the other has.
    """
    total = np.asarray(sums, dtype=np.int64)
    chances = np.ones(1)
    for size, count in zip(*np.unique(np.abs(total[total != 0]), return_counts=True), strict=True):
        flipped = np.zeros(2 * size * count + 1)
        flipped[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.asarray(convolve(chances, flipped), float)
    reach = chances.size // 2
    return min(1.0, 2 * float(np.maximum(chances[: reach - abs(int(total.sum())) + 1], 0).sum()))


def paired_share_interval(
    both: float, only_a: float, only_b: float, neither: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the share that b has right minus that which a has right.

    The score interval (Tango, Statistics in Medicine 17, 1998, equations 8 to 10): all differences
    that would not be rejected, with the discordance that fits them best. Never of width 0, not even
    where both are always right together.

    Args:
        both: samples that both have right; effective numbers need not be whole.
        only_a: that a alone has right.
        only_b: that b alone has right.
        neither: that neither has right.
        confidence: nominal coverage.

    Raises:
        ValueError: there is no sample.
    """
    n = both + only_a + only_b + neither
    if n <= 0:
        raise ValueError("no sample was judged on both sides")
    z = float(ndtri(0.5 + confidence / 2))
    value = (only_b - only_a) / n

    def excess(delta: float) -> float:
        """How far the difference is from a given one, in squared standard errors, beyond z²."""
        linear = (2 * n - only_b + only_a) * delta - only_a - only_b
        root = math.sqrt(max(linear**2 + 8 * n * only_a * delta * (1 - delta), 0.0))
        share = (root - linear) / (4 * n)
        variance = n * (2 * share + delta * (1 - delta))
        distance = (only_b - only_a - n * delta) ** 2
        return distance - z * z * max(variance, 0.0)

    ends = []
    for side in (-1.0, 1.0):
        # Without discordance the estimate itself is a root, so that the search begins beside it.
        begin = value + side * _BESIDE
        bounded = side * begin < 1
        ends.append(float(brentq(excess, begin, side, xtol=_BESIDE)) if bounded else side)
    low, high = ends
    return low, high


def paired_shares(
    right_a: ArrayLike, right_b: ArrayLike, units: ArrayLike, confidence: float = 0.95
) -> Difference:
    """Difference of the shares of right samples, with Tango's interval and the exact test.

    Where several samples belong to one unit, the interval is that of the effective number of
    samples (see `effective_samples`), and whole units are swapped in the test.

    Args:
        right_a: 1 or 0 for each sample, of the base.
        right_b: likewise, of the contender.
        units: number of the unit of each sample.
        confidence: nominal coverage.
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    steps = b.astype(int) - a.astype(int)
    names, inverse = np.unique(np.asarray(units), return_inverse=True)
    value = float(steps.mean()) if steps.size else math.nan
    is_clustered = names.size < steps.size
    if not steps.size or (is_clustered and names.size < FEWEST_UNITS):
        return _without(value, names.size, "too_few_units" if steps.size else "undefined")
    effective = effective_samples(steps, units, confidence) if is_clustered else float(steps.size)
    both, only_a, only_b, neither = (
        float(kind.mean()) * effective for kind in (a & b, a & ~b, b & ~a, ~a & ~b)
    )
    low, high = paired_share_interval(both, only_a, only_b, neither, confidence)
    return Difference(
        value=value,
        low=low,
        high=high,
        p=sign_flip(np.bincount(inverse, steps)),
        standard=_share_error(only_a, only_b, effective),
        units=names.size,
        method="tango_clustered" if is_clustered else "tango",
    )


def _share_error(only_a: float, only_b: float, samples: float) -> float:
    """Standard error with one more sample of each discordance.

    After Bonett and Price, Journal of Educational and Behavioral Statistics 37, 2012.
    """
    n = samples + 2
    a, b = (only_a + 1) / n, (only_b + 1) / n
    return math.sqrt((a + b - (a - b) ** 2) / n)


def paired_bootstrap(
    value_a: Value,
    value_b: Value,
    units: ArrayLike,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    low: float | None = None,
    high: float | None = None,
) -> Difference:
    """Difference of any metric on the same samples: the same units are drawn for both.

    Interval and p as those of `bootstrap_interval`; the p-value is the level at which an end of the
    interval is 0. Where all draws say the same, no unit sets the two apart differently from the
    others: the interval allows for as many as may be `unseen`.

    Args:
        value_a: metric of the base, given how often each sample counts.
        value_b: that of the contender.
        units: number of the unit of each sample.
        confidence: nominal coverage.
        draws: how many.
        seed: of the draws.
        low: least value that the metric can have.
        high: greatest value.
    """
    (of_a, count), (of_b, _) = by_unit(value_a, units), by_unit(value_b, units)

    def difference(counts: Floats) -> Floats:
        return np.asarray(of_b(counts) - of_a(counts), float)

    if count < FEWEST_UNITS:
        plain = float(difference(np.ones((1, count)))[0]) if count else math.nan
        return _without(plain, count, "too_few_units")
    found = resample(difference, count, draws=draws, seed=seed)
    if not found.is_sound:
        return _without(found.value, count, "undefined")
    most = None if low is None or high is None else high - low
    if found.is_constant:
        return _constant(found, confidence, most)
    reach = math.inf if most is None else most
    ends = np.clip(found.interval(confidence), -reach, reach)
    return Difference(
        value=found.value,
        low=min(float(ends[0]), found.value),
        high=max(float(ends[1]), found.value),
        p=found.p_zero(),
        standard=found.standard,
        units=count,
        draws=found.draws.size,
        method="bca",
    )


def _constant(found: Resampled, confidence: float, most: float | None) -> Difference:
    if most is None:
        return _without(found.value, found.units, "all_alike")
    half = unseen(found.units, confidence) * most
    return Difference(
        value=found.value,
        low=max(found.value - half, -most),
        high=min(found.value + half, most),
        p=1.0 if found.value == 0 else 2.0 ** (1 - found.units),
        standard=half / float(ndtri(0.5 + confidence / 2)),
        units=found.units,
        method="rule_of_three",
    )


def _without(value: float, units: int, reason: Reason) -> Difference:
    return Difference(
        value=value, low=None, high=None, p=None, standard=None, units=units, reason=reason
    )
