"""A series as steps: levels that hold for a while, with outliers that belong to none."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CAP = 3.0
"""A run this many standard deviations off, or more, says no more than that it is off."""
_CELL = 0.1  # of the grid of levels, in standard deviations
_MOST_CELLS = 3000


def first_of_each(values: Floats, variances: Floats, penalty: float) -> list[int]:
    """Index of the first value of each level, of the steps that cost least.

    A value costs the square of its distance from its level in standard deviations, at most `CAP`
    squared, and a change of level costs `penalty`: no single value can pay for two changes, however
    far off it is (Fearnhead and Rigaill, Journal of the American Statistical Association 114,
    2019). The best steps are found exactly, on a grid of levels a tenth of a deviation apart, in
    time linear in the values.

    Args:
        values: in units of their usual standard deviation.
        variances: of each value, in units of the usual variance; above 0.
        penalty: of a change; above the square of `CAP`.
    """
    levels = _grid(values)
    cost = _cost(values[0], variances[0], levels)
    began = np.zeros(len(levels), dtype=np.int64)
    best_began = [0]
    for number in range(1, len(values)):
        changed = float(cost.min()) + penalty
        began[cost > changed] = number
        cost = np.minimum(cost, changed) + _cost(values[number], variances[number], levels)
        best_began.append(int(began[int(cost.argmin())]))
    found = [best_began[-1]]
    while found[-1]:
        found.append(best_began[found[-1] - 1])
    return found[::-1]


def _grid(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    cells = min(max(math.ceil((high - low) / _CELL), 1), _MOST_CELLS)
    return np.linspace(low, high, cells + 1)


def _cost(value: float, variance: float, levels: Floats) -> Floats:
    cost: Floats = np.minimum((value - levels) ** 2 / variance, CAP**2)
    return cost
