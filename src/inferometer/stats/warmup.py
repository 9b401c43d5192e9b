"""Where the steady state of a series of call times begins, if it has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FILTER = 5  # values in the median filter: hides at most two spikes in a row
_MAX_BINS = 1500  # longer series are binned by medians first: the search takes quadratic time
_MIN_BLOCKS = 24  # blocks at the least where the variance of block means is estimated
_NORMAL_MAD = 0.6745  # median absolute deviation of a standard normal variable
_FLOOR = 0.01  # levels closer than 1 % are one level, whatever the target
_PENALTY = 3.0  # times ln n and the long-run variance; 2 is the BIC of one level and one place
_RARE = 0.1  # share of the values that a level needs before it counts
_FENCE = 4.0  # standard deviations above the steady level, for the first calls that filters hide


@dataclass(frozen=True, kw_only=True)
class Steady:
    """The steady state of a series.

    Attributes:
        first: index of its first value; None where there is no steady state.
        changes: indices at which the level changes, to within a bin of the search.
        tau: autocorrelation time about the levels, in values, that the search allowed for.
    """

    first: int | None
    changes: tuple[int, ...]
    tau: float


def steady_state(
    values_s: Sequence[float],
    *,
    tolerance: float = 0.05,
    seconds: Sequence[float] | None = None,
    min_share: float = 0.5,
    min_s: float = 2.0,
) -> Steady:
    """Find the steady state: what remains after the levels that are never visited again.

    The logarithms, median-filtered, are split into levels by least squares with a penalty per
    change of 3 ln n times the long-run variance (Killick, Fearnhead and Eckley, JASA 107, 2012;
    the long-run variance in place of the variance: Romano and others, JASA 117, 2022). Warm-up
    ends at the last change before which at most a tenth of the values were within the tolerance of
    the levels after it (from their 10 % to their 90 % quantile). So a load that comes and goes is
    part of the state, not warm-up, and a level that holds the last tenth of the values ends
    what was before it, whichever way it went. What remains is no steady state if its last third
    shares no level with its first.

    Args:
        values_s: durations of calls, or means of several, in time order, above 0.
        tolerance: levels within this relative distance count as one, 1 % at the least.
        seconds: time that each value took; by default the values themselves.
        min_share: share of the values that the steady state must hold.
        min_s: seconds that it must hold, or half of all seconds where that is less.

    Raises:
        ValueError: a value is not above 0, or `seconds` has another length.
    """
    values = np.asarray(values_s, dtype=float)
    spent_s = values if seconds is None else np.asarray(seconds, dtype=float)
    if spent_s.shape != values.shape:
        raise ValueError(f"{values.size} values, but seconds of {spent_s.size}")
    if not (values > 0).all():
        raise ValueError("durations must be above 0")
    if values.size < 2 * _FILTER:
        return Steady(first=0 if values.size else None, changes=(), tau=1.0)
    logs = np.log(values)
    width = -(-logs.size // _MAX_BINS)
    smooth = _smooth(logs, width)
    noise = long_run_variance(smooth)
    penalty = _PENALTY * float(np.log(smooth.size)) * noise
    starts = [0, *(change_points(smooth, penalty))]
    begin = _first_steady(smooth, starts, max(_FLOOR, tolerance))
    first = None if begin is None else _skip_outlying(logs, begin * width)
    return Steady(
        first=first if first is not None and _enough(spent_s, first, min_share, min_s) else None,
        changes=tuple(start * width for start in starts[1:]),
        tau=_relative_noise(smooth, starts, noise) * width,
    )


def _enough(spent_s: Floats, first: int, min_share: float, min_s: float) -> bool:
    """Whether what is left from `first` holds its share of the values and of the time."""
    share = (spent_s.size - first) / spent_s.size
    return bool(share >= min_share and spent_s[first:].sum() >= min(min_s, spent_s.sum() / 2))


def change_points(values: Floats, penalty: float) -> list[int]:
    """Indices where a new level begins: the split with the least squares plus penalty per change.

    Exact, by dynamic programming with pruning (PELT: Killick, Fearnhead and Eckley, Optimal
    detection of changepoints with a linear computational cost, JASA 107, 2012).
    """
    n = values.size
    centred = values - values.mean()
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    best = np.empty(n + 1)
    best[0] = -penalty
    previous = np.zeros(n + 1, dtype=np.intp)
    candidates = np.array([0], dtype=np.intp)
    for end in range(1, n + 1):
        fit = squares[end] - squares[candidates]
        fit -= (sums[end] - sums[candidates]) ** 2 / (end - candidates)
        costs = best[candidates] + fit
        chosen = int(np.argmin(costs))
        best[end] = costs[chosen] + penalty
        previous[end] = candidates[chosen]
        candidates = np.append(candidates[costs <= best[end]], end)
    return _walk_back(previous)


def _walk_back(previous: NDArray[np.intp]) -> list[int]:
    """The changes, first to last, from the best last change before each end."""
    found = []
    end = int(previous[-1])
    while end > 0:
        found.append(end)
        end = int(previous[end])
    return found[::-1]


def long_run_variance(values: Floats) -> float:
    """Variance of the mean of n neighbours, times n, for large n: blind to changes of level.

    Robust spread of the differences between means of neighbouring blocks, of lengths from one
    value up to a 24th of the series; the largest counts. A few changes of level move a few
    differences, which the median absolute deviation ignores.
    """
    largest, length = 0.0, 1
    while length == 1 or values.size // length >= _MIN_BLOCKS:
        blocks = values[: values.size // length * length].reshape(-1, length).mean(axis=1)
        steps = np.diff(blocks)
        spread = float(np.median(np.abs(steps - np.median(steps)))) / _NORMAL_MAD
        largest = max(largest, length * spread**2 / 2)
        length *= 2
    return largest


def _smooth(logs: Floats, width: int) -> Floats:
    """Medians of bins; of running windows where a bin is narrower than the filter."""
    pad = _FILTER // 2
    if width < _FILTER:
        padded = np.pad(logs, pad, mode="reflect")
        logs = np.median(np.lib.stride_tricks.sliding_window_view(padded, _FILTER), axis=1)
    if width == 1:
        return logs
    whole = logs.size // width * width
    bins = np.median(logs[:whole].reshape(-1, width), axis=1)
    return bins if whole == logs.size else np.append(bins, np.median(logs[whole:]))


def _first_steady(smooth: Floats, starts: Sequence[int], tolerance: float) -> int | None:
    """The last start whose past hardly ever was at the levels of its future; None in a ramp."""
    ends = [*starts[1:], smooth.size]
    levels = np.concatenate(
        [np.full(b - a, np.median(smooth[a:b])) for a, b in zip(starts, ends, strict=True)]
    )
    margin = float(np.log1p(tolerance))
    for start in reversed(starts[1:]):
        future = levels[start:]
        low, high = np.quantile(future, (_RARE, 1 - _RARE), method="nearest")
        past = levels[:start]
        alike = (past >= low - margin) & (past <= high + margin)
        if future.size >= _RARE * smooth.size and alike.mean() <= _RARE:
            return None if _ramps(future, margin) else start
    return None if _ramps(levels, margin) else 0


def _ramps(levels: Floats, margin: float) -> bool:
    """Whether the last third of the values shares no level with the first."""
    third = -(-levels.size // 3)
    a, b = (
        np.quantile(part, (_RARE, 1 - _RARE), method="nearest")
        for part in (levels[:third], levels[-third:])
    )
    return bool(a[0] > b[1] + margin or b[0] > a[1] + margin)


def _skip_outlying(logs: Floats, first: int) -> int:
    """Advance past leading values above the steady level, which the median filter hides."""
    rest = logs[first:]
    middle = float(np.median(rest))
    limit = middle + max(
        _FENCE * float(np.median(np.abs(rest - middle))) / _NORMAL_MAD, float(np.log1p(_FLOOR))
    )
    lead = rest[: 2 * _FILTER] > limit
    # all of them: a level, which the search has judged
    return first if lead.all() else first + int(np.argmin(lead))


def _relative_noise(smooth: Floats, starts: Sequence[int], noise: float) -> float:
    """Long-run variance over the variance about the levels, at least 1."""
    rests = [part - np.median(part) for part in np.split(smooth, starts[1:])]
    spread = float(np.median(np.abs(np.concatenate(rests)))) / _NORMAL_MAD
    return max(1.0, noise / spread**2) if spread else 1.0
