"""Whether values drift with time, within processes that each have a level of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from inferometer.stats.autocorrelation import autocorrelation_time

Floats = NDArray[np.float64]

_MIN_VALUES = 4  # a level, a slope and something left to judge them by
_MAX_BLOCKS = 64  # per group: slopes are taken between all pairs
_NORMAL_MAD = 0.6745  # median absolute deviation of a standard normal variable
_ROBUSTNESS = 1.05  # Theil-Sen loses 5 % of the standard error on normal values (Sen 1968)


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Relative change over the longest span of one group; 0.03 is 3 % slower at its end.

    Attributes:
        change: the estimate.
        low: lower end of its interval; None where too few values are left to judge it by.
        high: upper end.
    """

    change: float
    low: float | None
    high: float | None


def trend(
    times_s: Sequence[float],
    values_s: Sequence[float],
    groups: Sequence[int],
    confidence: float = 0.95,
) -> Trend | None:
    """Fit one exponential drift to all groups, each with its own level.

    The median of the slopes of log values between all pairs of one group, each pair weighing as
    much as it is apart (Theil 1950; Sen, JASA 63, 1968; the weights: Jaeckel, Annals of
    Mathematical Statistics 43, 1972), so that spikes of a tenth of the values do not move it. The
    standard error is that of least squares with a robust residual spread, times the root of the
    residuals' autocorrelation time; Student's t with as many degrees of freedom as independent
    residuals. Groups of more than 64 values are reduced to medians of consecutive blocks.

    Args:
        times_s: when each value was taken.
        values_s: durations, above 0.
        groups: the process of each value.
        confidence: nominal coverage, 0 to 1.

    Returns:
        The trend, or None where every group has fewer than four values or spans no time.
    """
    parts = _parts(np.asarray(times_s, float), np.log(np.asarray(values_s, float)), groups)
    if not parts:
        return None
    slope = _slope(parts)
    span_s = max(float(np.ptp(times)) for times, _ in parts)
    half = _half_width(parts, slope, confidence)
    change = float(np.expm1(slope * span_s))
    if half is None:
        return Trend(change=change, low=None, high=None)
    return Trend(
        change=change,
        low=float(np.expm1((slope - half) * span_s)),
        high=float(np.expm1((slope + half) * span_s)),
    )


def _parts(times: Floats, logs: Floats, groups: Sequence[int]) -> list[tuple[Floats, Floats]]:
    """Times and logs of each group that is long enough, in time order, in at most 64 blocks."""
    labels = np.asarray(groups)
    parts = []
    for label in dict.fromkeys(groups):
        t, y = times[labels == label], logs[labels == label]
        if t.size < _MIN_VALUES or np.ptp(t) == 0:
            continue
        order = np.argsort(t, kind="stable")
        blocks = np.array_split(order, min(order.size, _MAX_BLOCKS))
        parts.append(
            (np.array([t[b].mean() for b in blocks]), np.array([np.median(y[b]) for b in blocks]))
        )
    return parts


def _slope(parts: Sequence[tuple[Floats, Floats]]) -> float:
    """Weighted median of the slopes between pairs of one group."""
    slopes, weights = [], []
    for times, logs in parts:
        a, b = np.triu_indices(times.size, 1)
        apart = times[b] - times[a]
        kept = apart > 0
        slopes.append((logs[b] - logs[a])[kept] / apart[kept])
        weights.append(apart[kept])
    slope, weight = np.concatenate(slopes), np.concatenate(weights)
    order = np.argsort(slope)
    reached = np.cumsum(weight[order])
    return float(slope[order][np.searchsorted(reached, reached[-1] / 2)])


def _half_width(
    parts: Sequence[tuple[Floats, Floats]], slope: float, confidence: float
) -> float | None:
    """Half of the interval of the slope; None where no degree of freedom is left."""
    rests = [logs - slope * times for times, logs in parts]
    rests = [rest - np.median(rest) for rest in rests]
    n = sum(rest.size for rest in rests)
    spread = float(np.median(np.abs(np.concatenate(rests)))) / _NORMAL_MAD
    limit = 4 * spread
    sizes = [rest.size for rest in rests]
    clipped = [np.clip(rest, -limit, limit) for rest in rests]
    tau = float(np.average([autocorrelation_time(rest) for rest in clipped], weights=sizes))
    freedom = n / tau - len(parts) - 1
    if freedom < 1:
        return None
    used = n - len(parts) - 1
    spread = max(spread, float(np.sqrt(sum((rest**2).sum() for rest in clipped) / used)))
    squares = sum(float(((times - times.mean()) ** 2).sum()) for times, _ in parts)
    error = _ROBUSTNESS * spread * float(np.sqrt(tau / squares))
    return float(stdtrit(freedom, 0.5 + confidence / 2)) * error
