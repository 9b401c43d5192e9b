"""The share of samples that are right, with an interval that holds at its ends as well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

Floats = NDArray[np.float64]
Method = Literal["wilson", "wilson_clustered", "bca", "rule_of_three"]
Reason = Literal["too_few_units", "all_alike", "undefined"]
"""Why there is no interval: too few independent units; all of them say the same of a metric that
has no bound; the metric is not defined, or not for many of the draws."""

FEWEST_UNITS = 10
"""Of fewer units, intervals hold the truth too seldom (docs/method/accuracy.md)."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A metric over samples.

    Attributes:
        value: over all samples; NaN where it is not defined.
        low: lower end of its interval; None without one.
        high: upper end, likewise.
        units: independent units behind it.
        draws: bootstrap draws that it rests on; 0 where none were needed.
        method: of the interval; None without one.
        reason: why there is no interval.
    """

    value: float
    low: float | None
    high: float | None
    units: int
    draws: int = 0
    method: Method | None = None
    reason: Reason | None = None


def wilson(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a share (Wilson, Journal of the American Statistical Association 22, 1927).

    It is never of width 0, and stays within 0 and 1 (compared with others by Brown, Cai and
    DasGupta, Statistical Science 16, 2001).

    Args:
        successes: how many are right; effective numbers need not be whole.
        trials: of how many. Of none, nothing is known: 0 to 1.
        confidence: nominal coverage.

    Raises:
        ValueError: successes are not within 0 and trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials")
    if trials == 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2))
    share, grown = successes / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / grown
    half = z / grown * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return max(0.0, low), min(1.0, high)


def share_interval(right: ArrayLike, units: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The share of right samples.

    Wilson's interval; where several samples belong to one unit, for the effective number of samples
    (see `effective_samples`).

    Args:
        right: 1 or 0 for each sample.
        units: number of the unit of each sample.
        confidence: nominal coverage.
    """
    values = np.asarray(right, dtype=float)
    if not values.size:
        return Estimate(value=math.nan, low=None, high=None, units=0, reason="undefined")
    share = float(values.mean())
    count = np.unique(np.asarray(units)).size
    if count == values.size:
        low, high = wilson(float(values.sum()), values.size, confidence)
        return Estimate(value=share, low=low, high=high, units=count, method="wilson")
    if count < FEWEST_UNITS:
        return Estimate(value=share, low=None, high=None, units=count, reason="too_few_units")
    effective = effective_samples(values, units, confidence)
    low, high = wilson(share * effective, effective, confidence)
    return Estimate(value=share, low=low, high=high, units=count, method="wilson_clustered")


def effective_samples(values: ArrayLike, units: ArrayLike, confidence: float = 0.95) -> float:
    """How many independent samples say as much about the mean as these, which come in units.

    Samples over the design effect: the variance of the mean when units are drawn (that of a ratio;
    Cochran, Sampling Techniques, 3rd ed., 1977, section 9A.2) over that when samples are. Less by
    the squared ratio of Student's t, since the variance is known from the units alone (Korn and
    Graubard, Survey Methodology 24, 1998), and from those few that are unlike the others. Where all
    values are equal, the units count: nothing shows that samples of one unit say more than one of
    them.

    Args:
        values: one for each sample.
        units: number of the unit of each sample; at least two units.
        confidence: of the interval that it is for.

    Returns:
        At most the number of samples.
    """
    sample = np.asarray(values, dtype=float)
    _, inverse, sizes = np.unique(np.asarray(units), return_inverse=True, return_counts=True)
    n, count = sample.size, sizes.size
    rest = sample - sample.mean()
    alone = float((rest**2).sum()) / (n * (n - 1))
    if alone == 0:
        return float(count)
    sums = np.bincount(inverse, rest).astype(float)
    drawn = count / (count - 1) * float((sums**2).sum()) / n**2
    known = (n - 1, freedom(sums, count))
    times = [float(stdtrit(degrees, 0.5 + confidence / 2)) for degrees in known]
    return min(float(n), n * alone / drawn * (times[0] / times[1]) ** 2) if drawn else float(n)


def freedom(influences: Floats, units: int) -> float:
    """Degrees of freedom of a variance: 2n/(kurtosis - 1), at most one less than the units.

    From the variance of a sample variance (Box, Biometrika 40, 1953); about twice the number of
    units that make the value where these are a few.

    Args:
        influences: deviations of units, or of groups of them, about their mean.
        units: how many there are.
    """
    squares = influences**2
    total = float(squares.sum())
    if total == 0:
        return float(units - 1)
    kurtosis = influences.size * float((squares**2).sum()) / total**2
    return min(float(units - 1), max(2 * influences.size / max(kurtosis - 1, 1e-9), 1.0))
