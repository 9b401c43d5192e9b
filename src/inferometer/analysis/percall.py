"""What a call costs whatever its batch size, fitted over the batch sizes of a column."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.analysis import facts
from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.scaling import STRAIGHT
from inferometer.core.workload import Shape
from inferometer.stats.affine import affine

FEWEST = 3
"""Batch sizes: two leave nothing to judge a line by."""


@dataclass(frozen=True, kw_only=True)
class PerCall:
    """The fixed part of a line of latency over batch size.

    Attributes:
        fixed_s: the part, seconds.
        low_s: lower end of its interval.
        high_s: upper end.
        batches: batch sizes that it was fitted to.
    """

    fixed_s: float
    low_s: float
    high_s: float
    batches: tuple[int, ...]


def per_call(grid: Grid, column: Column, shape: Shape) -> PerCall | None:
    """Fit the batch sizes at the input size of a shape.

    Returns:
        None where there are fewer than three, where latency does not follow a line, or where the
        interval of the fixed part reaches down to nothing.
    """
    seen = facts.latencies(grid, column, grid.rows(shape.input_size))
    batches = tuple(one.batch_size for one in seen)
    if len(batches) < FEWEST:
        return None
    line = affine(batches, [estimate.value for estimate in seen.values()])
    fixed = line.fixed
    if line.scatter is None or line.scatter > STRAIGHT or line.per_unit.value <= 0:
        return None
    if fixed.low is None or fixed.high is None or fixed.low <= 0:
        return None
    return PerCall(fixed_s=fixed.value, low_s=fixed.low, high_s=fixed.high, batches=batches)
