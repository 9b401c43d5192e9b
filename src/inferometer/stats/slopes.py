"""How steeply one quantity grows with another, on logarithms, and how well two orders agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

MOST_EXACT = 7
"""Up to so many items all orders are looked at: 7! is 5,040."""
_MOST_SAMPLED, _LEAST_SAMPLED = 5000, 200
_MOST_SIGNS = 20_000_000
"""Signs of differences that are looked at: hundreds of items have fewer of their orders sampled."""
_SIGNS_AT_ONCE = 4_000_000
_TOLERANCE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A slope with its interval.

    Attributes:
        value: estimate.
        low: lower end of the interval; None where there are too few points for one.
        high: upper end.
        points: how many there were.
    """

    value: float
    low: float | None
    high: float | None
    points: int


def log_slope(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> Slope:
    """Exponent b of y = a·x^b by least squares on logarithms, with Student's interval.

    Args:
        x: above 0, at least two different values.
        y: above 0, as long.
        confidence: nominal coverage.

    Raises:
        ValueError: there are not two different x.
    """
    u, v = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float))
    du = u - u.mean()
    squares = float((du**2).sum())
    if squares == 0:
        raise ValueError("a slope needs two different values of x")
    value = float((du * v).sum()) / squares
    n = u.size
    if n < 3:  # noqa: PLR2004 - two points leave nothing to judge by
        return Slope(value=value, low=None, high=None, points=n)
    residuals = v - v.mean() - value * du
    error = math.sqrt(float((residuals**2).sum()) / (n - 2) / squares)
    half = float(stdtrit(n - 2, 0.5 + confidence / 2)) * error
    return Slope(value=value, low=value - half, high=value + half, points=n)


def mean_slope(slopes: Sequence[float], confidence: float = 0.95) -> Slope:
    """Mean of slopes of things drawn alike, with Student's interval from their spread.

    Raises:
        ValueError: there is none.
    """
    if not slopes:
        raise ValueError("a mean needs at least one slope")
    values = np.asarray(slopes, dtype=float)
    n = values.size
    if n == 1:
        return Slope(value=float(values[0]), low=None, high=None, points=1)
    half = float(stdtrit(n - 1, 0.5 + confidence / 2) * values.std(ddof=1) / math.sqrt(n))
    value = float(values.mean())
    return Slope(value=value, low=value - half, high=value + half, points=n)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well the order of some items by one quantity agrees with their orders by another.

    Attributes:
        tau: Kendall's tau-b, averaged over the strata: 1 where all agree, -1 where all are turned
            around.
        p: chance of at least that much agreement if the items had their quantity by lot; one-sided.
        least_p: the smallest p that so few items could give.
        items: how many there were.
        orders: how many of their orders were looked at.
        exact: whether these were all, or else a sample.
    """

    tau: float
    p: float
    least_p: float
    items: int
    orders: int
    exact: bool


def mean_tau(quantity: Sequence[float], strata: Sequence[Sequence[float]]) -> float:
    """Kendall's tau-b of a quantity and, in each stratum, another, averaged over the strata.

    Args:
        quantity: of each item.
        strata: the other quantity of each item in each stratum, NaN where it has none.

    Raises:
        ValueError: fewer than two items, or no stratum.
    """
    return float(_means(quantity, strata, np.arange(len(quantity))[None])[0])


def agreement(quantity: Sequence[float], strata: Sequence[Sequence[float]]) -> Agreement:
    """Whether items are in the same order by a quantity and, in each stratum, by another.

    The items, not the strata, are what was drawn: a permutation test moves the quantity among them
    and leaves the strata as they are (Kendall, Rank Correlation Methods, 1948).

    Args:
        quantity: of each item.
        strata: the other quantity of each item in each stratum, NaN where it has none.

    Raises:
        ValueError: fewer than two items, or no stratum.
    """
    n = len(quantity)
    exact = n <= MOST_EXACT
    orders = _orders(n, exact=exact)
    means = _means(quantity, strata, orders)
    seen = float(means[0])  # the first order is the one given
    alike = math.prod(math.factorial(times) for times in Counter(quantity).values())
    return Agreement(
        tau=seen,
        p=float((means >= seen - _TOLERANCE).mean()),
        least_p=max(alike / math.factorial(n), 1 / len(orders)),
        items=n,
        orders=len(orders),
        exact=exact,
    )


def _orders(n: int, *, exact: bool) -> Indices:
    """All orders of n items, or a sample of them; the first is the one given."""
    if exact:
        return np.array(list(permutations(range(n))))
    sampled = min(_MOST_SAMPLED, max(_LEAST_SAMPLED, _MOST_SIGNS // n**2))
    rng = np.random.default_rng(0)
    return np.array([np.arange(n), *(rng.permutation(n) for _ in range(sampled - 1))])


def _means(quantity: Sequence[float], strata: Sequence[Sequence[float]], orders: Indices) -> Floats:
    """Mean tau-b over the strata for each order; a stratum with nothing to compare counts as 0."""
    n = len(quantity)
    if n < 2 or not strata:  # noqa: PLR2004
        raise ValueError("an order needs two items and a stratum")
    rows = np.asarray(strata, dtype=float)
    signs, others = _signs(np.asarray(quantity, dtype=float)), _signs(rows).reshape(len(rows), -1)
    there = np.isfinite(rows)
    both = (there[:, :, None] & there[:, None, :]).reshape(len(rows), -1)
    means = []
    for some in np.array_split(orders, math.ceil(orders.size * n / _SIGNS_AT_ONCE)):
        moved = signs[some[:, :, None], some[:, None, :]].reshape(len(some), -1)
        untied = np.sqrt((np.abs(moved) @ both.T) * np.abs(others).sum(axis=1))
        agreeing = moved @ others.T
        taus = np.divide(agreeing, untied, out=np.zeros_like(agreeing), where=untied > 0)
        means.append(taus.mean(axis=1))
    return np.concatenate(means)


def _signs(values: Floats) -> Floats:
    """Sign of the difference of every two of the last axis; 0 where one is missing."""
    signs: Floats = np.nan_to_num(np.sign(values[..., :, None] - values[..., None, :]))
    return signs
