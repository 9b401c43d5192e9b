"""The machine's state at the rounds, and how it is eliminated, in time linear in the rounds.

Two Ornstein-Uhlenbeck processes, whose precision at the times of the rounds is tridiagonal (Rue and
Held, Gaussian Markov Random Fields, 2005, 1.1 and 2.4). Interleaved (fast, slow, fast, …) they have
a band of two, and so has their precision once the rounds are known, which see their sum.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve_banded, cholesky_banded

from inferometer.stats.joint.observations import CLOSEST_S, Array, Indices, Variances

_Number = TypeVar("_Number", np.float64, np.int64)

BLOCK = 16
"""Rounds of which what they have to do with each other is made at once."""


def state_factor(gaps_s: Array, precision: Array, at: Variances) -> tuple[Array, float]:
    """Cholesky factor of the states' precision, given the rounds, and the log of a determinant.

    Args:
        gaps_s: times between successive rounds; shape (n - 1,).
        precision: of each round; shape (n,).
        at: the variances.

    Returns:
        The factor, banded and lower; log determinant of the states' precision before the rounds.

    Raises:
        numpy.linalg.LinAlgError: the variances are so far apart that there is no factor.
    """
    banded = np.zeros((3, 2 * len(precision)))
    total = 0.0
    for first, (deviation, time_s) in enumerate(((at.fast, at.fast_s), (at.slow, at.slow_s))):
        diagonal, beside, determinant = _ornstein_uhlenbeck(gaps_s, deviation, time_s)
        banded[0, first::2] = diagonal + precision
        banded[2, first : 2 * len(gaps_s) : 2] = beside
        total += determinant
    banded[1, 0::2] = precision
    return cholesky_banded(banded, lower=True, check_finite=False), total


def implied_state(factor: Array, weighted: Array) -> Array:
    """Sum of both states at each round that rounds imply which are so much slower.

    Args:
        factor: banded and lower, of the states' precision given the rounds.
        weighted: logarithms times the precision of the round; shape (n,).
    """
    found = cho_solve_banded((factor, True), np.repeat(weighted, 2), check_finite=False)
    both: Array = found[0::2] + found[1::2]
    return both


def shared_by_groups(factor: Array, weights: Array, group: Indices, count: int) -> Array:
    """Weights of two rounds times the covariance of the state at both, summed by their groups.

    A row of an inverse follows from the row below, so that the columns, summed by group, are
    carried along from the last round to the first, a block of rounds at a time; what is never
    needed is never made.

    Args:
        factor: banded and lower, of the states' precision given the rounds.
        weights: of each round; shape (n,).
        group: of each round, 0 to count - 1; shape (n,).
        count: number of groups.
    """
    steps, alone = (_in_blocks(part) for part in _rows(factor))
    weight, mine = _in_blocks(weights), _in_blocks(group)
    moved = _moved(steps)
    toward = weight[..., None] * _own(steps, alone, moved).sum(axis=-1)
    ahead = _ahead(steps, toward)
    found = _pairs(weight, ahead, mine, count)
    later = np.zeros((count, 2))
    for block in range(len(weight) - 1, -1, -1):
        rows = (weight[block, :, None] * moved[block].sum(axis=1)) @ later.T
        for one, row in zip(mine[block].tolist(), rows, strict=True):
            found[one] += row
        later = later @ moved[block, 0].T
        np.add.at(later, mine[block], ahead[block, 0].T)
    found += found.T
    own = np.bincount(mine.ravel(), (weight * toward.sum(axis=-1)).ravel(), count)
    found[np.diag_indices(count)] += own
    return found


def _rows(factor: Array) -> tuple[Array, Array]:
    """What a row of the inverse is: a step times the row below it, and its own part.

    Returns:
        Steps, the last one 0, and own parts; shape (n, 2, 2) each.
    """
    a, b, c = factor[0, 0::2], factor[1, 0::2], factor[0, 1::2]
    fast, mixed, slow = factor[2, 0::2], factor[1, 1::2], factor[2, 1::2]
    steps = np.zeros((len(a), 2, 2))
    steps[:, 0, 0] = (b * mixed / c - fast) / a
    steps[:, 0, 1] = b * slow / (a * c)
    steps[:, 1, 0] = -mixed / c
    steps[:, 1, 1] = -slow / c
    steps[-1] = 0.0
    alone = np.empty_like(steps)
    alone[:, 0, 0] = 1 / a**2 + (b / (a * c)) ** 2
    alone[:, 0, 1] = alone[:, 1, 0] = -b / (a * c**2)
    alone[:, 1, 1] = 1 / c**2
    return steps, alone


def _in_blocks(values: NDArray[_Number]) -> NDArray[_Number]:
    """Values of rounds in blocks; the last one is filled up with zeros."""
    lacking = -len(values) % BLOCK
    filled = np.concatenate([values, np.zeros((lacking, *values.shape[1:]), dtype=values.dtype)])
    return filled.reshape(-1, BLOCK, *values.shape[1:])


def _moved(steps: Array) -> Array:
    """All steps from a round to the first of the next block; shape (blocks, BLOCK, 2, 2)."""
    moved = steps.copy()
    for place in range(BLOCK - 2, -1, -1):
        moved[:, place] = steps[:, place] @ moved[:, place + 1]
    return moved


def _own(steps: Array, alone: Array, moved: Array) -> Array:
    """Covariance of both states at each round; shape (blocks, BLOCK, 2, 2)."""
    found = alone.copy()
    for place in range(BLOCK - 2, -1, -1):
        step = steps[:, place]
        found[:, place] += step @ found[:, place + 1] @ step.transpose(0, 2, 1)
    after = np.zeros((len(steps), 2, 2))  # of the first round of the next block
    for block in range(len(steps) - 1, 0, -1):
        first = moved[block, 0]
        after[block - 1] = found[block, 0] + first @ after[block] @ first.T
    found += moved @ after[:, None] @ moved.transpose(0, 1, 3, 2)
    return found


def _ahead(steps: Array, toward: Array) -> Array:
    """Weighted covariance of both states at a round with their sum at later ones of its block.

    Args:
        steps: of each round.
        toward: the same of the round itself; shape (blocks, BLOCK, 2).

    Returns:
        Shape (blocks, BLOCK, 2, BLOCK), 0 where a round is earlier.
    """
    ahead = np.zeros((*toward.shape, BLOCK))
    for place in range(BLOCK - 1, -1, -1):
        if place + 1 < BLOCK:
            ahead[:, place] = steps[:, place] @ ahead[:, place + 1]
        ahead[:, place, :, place] = toward[:, place]
    return ahead


def _pairs(weight: Array, ahead: Array, group: Indices, count: int) -> Array:
    """Sums over pairs of different rounds of a block, by their groups; shape (count, count)."""
    pairs = weight[..., None] * ahead.sum(axis=2)
    pairs[:, np.arange(BLOCK), np.arange(BLOCK)] = 0.0
    places = group[:, :, None] * count + group[:, None, :]
    found = np.bincount(places.ravel(), pairs.ravel(), count * count)
    return np.asarray(found.reshape(count, count), dtype=float)


def _ornstein_uhlenbeck(
    gaps_s: Array, deviation: float, time_s: float
) -> tuple[Array, Array, float]:
    """Tridiagonal precision of a stationary process at times with these gaps."""
    kept = np.exp(-gaps_s / time_s)
    new = np.maximum(-np.expm1(-2 * gaps_s / time_s), CLOSEST_S)
    diagonal = np.ones(len(gaps_s) + 1)
    diagonal[:-1] += kept**2 / new
    diagonal[1:] += kept**2 / new
    determinant = -len(diagonal) * 2 * math.log(deviation) - float(np.log(new).sum())
    return diagonal / deviation**2, -kept / new / deviation**2, determinant
