"""How much runs differ from one to the next while nothing has changed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

CLIP = 2.5
"""Deviations beyond this many count as this many: outliers do not widen what is usual."""
KEPT = 0.963
"""Mean square of a standard normal deviation that is clipped there."""
LEAST = 1e-5
"""No series is quieter than a thousandth of a percent: clocks are not finer."""
BLOCK = 20
"""Runs over which disturbances that last are averaged."""
_NEIGHBOURS = 15
_PRIOR_RUNS = 30.0
"""What so many runs show of disturbances that last is believed by half."""
_LOW = 0.4
"""Of differences, so many are smaller than the one that is looked at: of the larger ones some are
changes."""
_PASSES = 5


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How runs differ while nothing has changed.

    Attributes:
        scale: standard deviation of a usual run, in logarithms.
        unit: standard deviation that independent runs would have whose means over some days are as
            uncertain: it is larger where disturbances last.
    """

    scale: float
    unit: float


def first_guess(values: Floats) -> Noise:
    """The noise by differences of runs near each other: levels, wherever they change, drop out."""
    scale = max(_spread(values, 1), LEAST)
    return Noise(scale=scale, unit=_unit(values, scale))


def of_residuals(values: Floats, residuals: Floats, before: Noise, freedom: int) -> Noise:
    """The noise by what levels leave over.

    Args:
        values: of the runs, without what groups differ by.
        residuals: distance of each run from its level, over the root of its relative variance.
        before: the noise as it was thought to be, which says what an outlier is.
        freedom: runs less what was fitted to them.
    """
    most = CLIP * before.scale
    squares = float((np.clip(residuals, -most, most) ** 2).sum())
    scale = max(math.sqrt(squares / (KEPT * max(freedom, 1))), LEAST)
    return Noise(scale=scale, unit=_unit(values, scale))


def _unit(values: Floats, scale: float) -> float:
    """By differences of neighbouring blocks of runs, which say what lasts for days.

    They hardly know where levels changed, so that levels too many do not make the noise look small.
    """
    block = min(BLOCK, len(values) // 10)
    if block <= 1:
        return scale
    middle = _running_median(values)
    clipped = middle + np.clip(values - middle, -CLIP * scale, CLIP * scale)
    means = sliding_window_view(clipped, block).mean(axis=1)
    seen = _spread(means, block) * math.sqrt(block)
    excess = max((seen / scale) ** 2 - 1, 0.0)
    return scale * math.sqrt(1 + excess * len(values) / (len(values) + _PRIOR_RUNS))


def _running_median(values: Floats) -> Floats:
    half = min(_NEIGHBOURS, len(values) - 1 + len(values) % 2) // 2
    windows = sliding_window_view(np.pad(values, half, mode="reflect"), 2 * half + 1)
    middle: Floats = np.median(windows, axis=1)
    return middle


def relative_variances(errors: Floats, noise: Noise) -> Floats:
    """Variance of each run in units of the usual one: some were measured less precisely.

    What the runs differ by beyond their own errors is common to all. Errors say which runs are
    better than others; how good they all are is told by the runs themselves.

    Args:
        errors: standard error of each run's figure; infinite or nan where it is not known.
        noise: of the series.
    """
    known = np.isfinite(errors)
    if not known.any():
        return np.ones(len(errors))
    own = np.where(known, errors, np.median(errors[known])) ** 2
    total = own + max(noise.scale**2 - float(np.median(own)), 0.1 * noise.scale**2)
    relative: Floats = np.clip(total / np.median(total), 0.25, 100.0)
    return relative


def first_offsets(values: Floats, group: Indices) -> Floats:
    """What groups of runs, such as devices, differ by, from neighbours of different groups.

    A change of level falls between two neighbours alone, so that it hardly bears on it. A group
    that took over for good differs by all that changed then: the two cannot be told apart.

    Args:
        values: in the order of time.
        group: number of each value's group, from 0.
    """
    groups = int(group.max()) + 1
    if groups == 1:
        return np.zeros(1)
    change = np.flatnonzero(np.diff(group))
    design = np.zeros((len(change), groups))
    design[np.arange(len(change)), group[change + 1]] = 1.0
    design[np.arange(len(change)), group[change]] -= 1.0
    steps, weight = np.diff(values)[change], np.ones(len(change))
    offsets: Floats = np.zeros(groups)
    for _ in range(_PASSES):
        root = np.sqrt(weight)
        solved = np.linalg.lstsq(design * root[:, None], steps * root, rcond=None)[0]
        offsets = np.asarray(solved, dtype=float)
        left = np.abs(steps - design @ offsets)
        usual = max(_deviation(left, 0.5), LEAST)
        weight = np.minimum(1.0, 1.5 * usual / np.maximum(left, LEAST))
    return offsets - float(offsets[group].mean())


def _spread(values: Floats, lag: int) -> float:
    """Standard deviation by differences of values so far apart."""
    return _deviation(np.abs(values[lag:] - values[:-lag]), _LOW) / math.sqrt(2)


def _deviation(sizes: Floats, share: float) -> float:
    """Standard deviation of normal deviations of which that share is smaller."""
    return float(np.quantile(sizes, share)) / float(ndtri(0.5 + share / 2))
