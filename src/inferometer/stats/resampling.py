"""Intervals of any metric over samples, by drawing their units again (cluster bootstrap)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from inferometer.stats.proportion import FEWEST_UNITS, Estimate, freedom

Floats = NDArray[np.float64]
Counts = Callable[[Floats], Floats]
"""Value for each row of a matrix of how often each unit counts, shape (rows, units)."""

DRAWS = 2000
_MOST_GROUPS = 200  # of the jackknife
_CELLS = 2**16  # of a matrix of counts: 512 KiB, which stays in a cache
_MORE = math.sqrt(2)  # one more unit on each side
_FEWEST_DEFINED = 0.9  # share of draws


@dataclass(frozen=True, kw_only=True)
class ColumnSums:
    """A metric that needs weighted sums over samples alone: all draws are one matrix product.

    Attributes:
        columns: numbers of each sample, shape (samples, columns).
        combine: sums, shape (rows, columns), to the value of each row.
    """

    columns: Floats
    combine: Callable[[Floats], Floats]


Value = Callable[[Floats], float] | ColumnSums
"""A metric, given how often each sample counts; NaN where it is not defined."""


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """What the bootstrap and the jackknife say of a value.

    Attributes:
        value: over all samples.
        draws: its value over units drawn again, where defined.
        defined: share of the draws where it is.
        bias: normal quantile of the share of draws below the value.
        acceleration: change of the standard error with the value.
        standard: standard error, with one more unit on each side as telling as the most telling.
        freedom: degrees of freedom of it; few where a few units make the value.
        units: number of units.
    """

    value: float
    draws: Floats
    defined: float
    bias: float
    acceleration: float
    standard: float
    freedom: float
    units: int

    @property
    def is_sound(self) -> bool:
        """Whether the value is defined, for nearly all of the draws too."""
        return math.isfinite(self.value) and self.defined >= _FEWEST_DEFINED

    @property
    def is_constant(self) -> bool:
        """Whether all draws say the same."""
        return bool(np.ptp(self.draws) <= _rounding(self.value))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Bias-corrected and accelerated interval, with an allowance for what was not seen.

        BCa (Efron, Journal of the American Statistical Association 82, 1987), at quantiles of
        Student's t with one degree of freedom less than units, times √(U/(U-1)), which the
        narrowness of a bootstrap of few units calls for (Hesterberg, The American Statistician 69,
        2015, section 5.3).

        Where a few units make the value, draws know only the side on which they were seen. It is
        therefore never narrower than t standard errors with one more unit on each side, as Bonett
        and Price (Journal of Educational and Behavioral Statistics 37, 2012) do for paired shares,
        with the degrees of freedom that the units' kurtosis leaves of the variance.
        """
        reach = float(stdtrit(self.units - 1, 0.5 + confidence / 2)) * self._narrowness
        levels = []
        for side in (-reach, reach):
            shifted = self.bias + side
            stretch = max(1 - self.acceleration * shifted, 1e-3)
            levels.append(float(ndtr(self.bias + shifted / stretch)))
        low, high = np.quantile(self.draws, levels)
        half = float(stdtrit(self.freedom, 0.5 + confidence / 2)) * self.standard
        return min(float(low), self.value - half), max(float(high), self.value + half)

    def p_zero(self) -> float:
        """Two-sided p of the hypothesis that the value is 0.

        The level at which an end of `interval` is 0; not below what so many draws can show.
        """
        least = 1 / (self.draws.size + 1)
        share = min(max(_share_below(self.draws, 0.0), least), 1 - least)
        distance = float(ndtri(share)) - self.bias
        side = distance / max(1 + self.acceleration * distance, 1e-3) - self.bias
        tails = (
            float(stdtr(self.units - 1, -abs(side) / self._narrowness)),
            float(stdtr(self.freedom, -abs(self.value) / self.standard)),
        )
        return min(1.0, 2 * max(*tails, least))

    @property
    def _narrowness(self) -> float:
        return math.sqrt(self.units / (self.units - 1))


def bootstrap_interval(
    value: Value,
    units: ArrayLike,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    low: float | None = None,
    high: float | None = None,
) -> Estimate:
    """A metric with its bootstrap interval (see `Resampled.interval`).

    Where all draws say the same, as with no error among the samples, an interval of width 0 would
    be false: of a metric with bounds, see `unseen`; of others there is none.

    Args:
        value: the metric, given how often each sample counts.
        units: number of the unit of each sample; units are drawn as a whole.
        confidence: nominal coverage.
        draws: how many.
        seed: of the draws; the same units are drawn for the same seed.
        low: least value that the metric can have.
        high: greatest value.
    """
    counts, count = by_unit(value, units)
    if count < FEWEST_UNITS:
        plain = float(counts(np.ones((1, count)))[0]) if count else math.nan
        return Estimate(value=plain, low=None, high=None, units=count, reason="too_few_units")
    found = resample(counts, count, draws=draws, seed=seed)
    if not found.is_sound:
        return Estimate(value=found.value, low=None, high=None, units=count, reason="undefined")
    if found.is_constant:
        return _constant(found, confidence, low, high)
    ends = np.clip(found.interval(confidence), low, high)
    return Estimate(
        value=found.value,
        low=min(float(ends[0]), found.value),
        high=max(float(ends[1]), found.value),
        units=count,
        draws=found.draws.size,
        method="bca",
    )


def _constant(
    found: Resampled, confidence: float, low: float | None, high: float | None
) -> Estimate:
    if low is None or high is None:
        return Estimate(
            value=found.value, low=None, high=None, units=found.units, reason="all_alike"
        )
    away = unseen(found.units, confidence)
    return Estimate(
        value=found.value,
        low=found.value - away * (found.value - low),
        high=found.value + away * (high - found.value),
        units=found.units,
        method="rule_of_three",
    )


def unseen(units: int, confidence: float = 0.95) -> float:
    """The largest share of units of a kind of which none was seen.

    1 - tail^(1/U), with a tail of 2.5 % since the other end may err as well: 3.7 of U units
    (Clopper and Pearson, Biometrika 26, 1934; one-sided it is the "rule of three"). A mean moves by
    no more than that share of its range.
    """
    return float(-np.expm1(math.log((1 - confidence) / 2) / units))


def joint_draws(
    values: Sequence[Value], units: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> Floats:
    """Draws of several values over the same samples, the same units drawn for all.

    Returns:
        Shape (draws, values).
    """
    evaluations = [by_unit(value, units) for value in values]
    return np.array(
        [
            np.concatenate([counts(block) for block in drawn_counts(count, draws, seed)])
            for counts, count in evaluations
        ]
    ).T


def by_unit(value: Value, units: ArrayLike) -> tuple[Counts, int]:
    """The metric as a function of how often each unit counts, and the number of units."""
    names, inverse = np.unique(np.asarray(units), return_inverse=True)
    if isinstance(value, ColumnSums):
        combine = value.combine
        sums = np.zeros((names.size, value.columns.shape[1]))
        np.add.at(sums, inverse, value.columns)
        return lambda counts: combine(counts @ sums), names.size
    metric = value
    return lambda counts: np.array([metric(row[inverse]) for row in counts]), names.size


def resample(counts: Counts, units: int, *, draws: int = DRAWS, seed: int = 0) -> Resampled:
    """A value over drawn units, and over all but a group of them.

    Args:
        counts: the value, given how often each unit counts.
        units: how many there are; at least two.
        draws: how many.
        seed: of the draws.
    """
    value = float(counts(np.ones((1, units)))[0])
    drawn = np.concatenate([counts(block) for block in drawn_counts(units, draws, seed)])
    defined = drawn[np.isfinite(drawn)]
    least = 1 / (draws + 1)
    below = _share_below(defined, value) if defined.size else 0.5
    u = _influences(counts, units, seed)
    spread = float(defined.std()) if defined.size else 0.0
    return Resampled(
        value=value,
        draws=defined,
        defined=defined.size / draws,
        bias=float(ndtri(min(max(below, least), 1 - least))),
        acceleration=_acceleration(u),
        standard=math.hypot(spread, _MORE * float(np.abs(u).max(initial=0.0))),
        freedom=freedom(u, units),
        units=units,
    )


def drawn_counts(units: int, draws: int, seed: int) -> Iterator[Floats]:
    """How often each unit is drawn, some draws at a time: memory stays the same for many."""
    rng = np.random.default_rng(seed)
    rows = max(1, _CELLS // units)
    for begin in range(0, draws, rows):
        block = min(rows, draws - begin)
        drawn = rng.integers(units, size=(block, units)) + units * np.arange(block)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=block * units)
        yield counts.reshape(block, units).astype(float)


def _influences(counts: Counts, units: int, seed: int) -> Floats:
    """How far the value falls without each of some groups of units, about their mean.

    Sums of their squares and cubes over groups estimate those over units, since deviations of
    different units are independent.
    """
    order = np.random.default_rng(seed).permutation(units)
    without: list[Floats] = []
    for group in np.array_split(order, min(units, _MOST_GROUPS)):
        kept = np.ones((1, units))
        kept[0, group] = 0
        without.append(counts(kept))
    values = np.concatenate(without)
    values = values[np.isfinite(values)]
    return values.mean() - values if values.size else values


def _acceleration(influences: Floats) -> float:
    """Σu³/(6(Σu²)^1.5): Efron, the same paper, section 6."""
    squares = float((influences**2).sum())
    return float((influences**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


def _share_below(draws: Floats, level: float) -> float:
    """Share of draws below a level, those at it by half."""
    tolerance = _rounding(level)
    below = np.count_nonzero(draws < level - tolerance)
    at_most = np.count_nonzero(draws <= level + tolerance)
    return (below + at_most) / (2 * draws.size)


def _rounding(value: float) -> float:
    return 1e-12 * max(1.0, abs(value))
