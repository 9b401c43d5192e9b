"""Whether a sample has two modes, such as two clock frequencies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inferometer.stats.autocorrelation import autocorrelation_time

Floats = NDArray[np.float64]

_MIN_VALUES = 20
_MIN_SHARE = 0.1  # of the values, in the smaller cluster
_MIN_RATIO = 1.05  # of the centres
_TRIMMED = 0.05  # share of the values at each end that cannot pull a centre further
_SEPARATION = 5.0  # distance of the centres over the spread within; a split normal sample has 2.6
_VALLEY = 0.3  # density in the valley, over that of the lower cluster, at the most
_SIGNIFICANCE = 3.0  # standard errors between the valley's count and the lower cluster's
_NORMAL_MAD = 0.6745  # median absolute deviation of a standard normal variable


def two_modes(values_s: Sequence[float]) -> tuple[float, float] | None:
    """Centres of two clusters that a valley separates, or None.

    The logarithms, winsorised by 5 % at each end, are split in two by least squares. The halves
    are two modes where each holds a tenth of the values, their medians differ by more than 5 % and
    by five times the spread within, and the third of the way between the medians is nearly empty
    beside the surroundings of either, by more than chance can leave it. Chance is counted over
    independent values: n over the autocorrelation time about the two centres.

    Args:
        values_s: durations in time order, above 0.

    Returns:
        The medians of the lower and the upper cluster, in the unit of the values.
    """
    logs = np.log(np.asarray(values_s, dtype=float))
    if logs.size < _MIN_VALUES:
        return None
    clipped = np.clip(logs, *np.quantile(logs, (_TRIMMED, 1 - _TRIMMED)))
    upper = clipped > _split(np.sort(clipped))
    if not _MIN_SHARE <= upper.mean() <= 1 - _MIN_SHARE:
        return None
    centres = np.array([np.median(logs[~upper]), np.median(logs[upper])])
    distance = float(centres[1] - centres[0])
    rest = clipped - centres[upper.astype(int)]
    spread = max(float(np.median(np.abs(rest[side]))) for side in (upper, ~upper)) / _NORMAL_MAD
    apart = distance > max(math.log(_MIN_RATIO), _SEPARATION * spread)
    if not apart or not _has_valley(logs, centres, autocorrelation_time(rest)):
        return None
    return float(np.exp(centres[0])), float(np.exp(centres[1]))


def _split(ordered: Floats) -> float:
    """The largest value of the lower of the two clusters with the least squares."""
    n = ordered.size
    left = np.arange(1, n)
    sums = np.cumsum(ordered - ordered.mean())[:-1]
    # between-cluster squares; the centred sums of the two sides are opposite
    return float(ordered[int(np.argmax(sums**2 / left + sums**2 / (n - left)))])


def _has_valley(logs: Floats, centres: Floats, tau: float) -> bool:
    """Whether the middle third between the centres holds far fewer values than each of theirs."""
    third = (centres[1] - centres[0]) / 3
    places = np.array([centres[0], centres.mean(), centres[1]])
    low, valley, high = (float((np.abs(logs - place) <= third / 2).sum()) for place in places)
    side = min(low, high)
    if side == 0 or valley > _VALLEY * side:
        return False
    return (side - valley) / math.sqrt(side + valley) >= _SIGNIFICANCE * min(
        math.sqrt(tau), math.sqrt(logs.size / _MIN_VALUES)
    )
