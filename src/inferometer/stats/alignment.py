"""How far the clock of a power log is from ours, from the step that a load makes in it.

Knows times, watts and intervals; not where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inferometer.stats.autocorrelation import autocorrelation_time

Floats = NDArray[np.float64]
Intervals = Sequence[tuple[float, float]]

MAX_OFFSET_S = 60.0
"""Clocks that are set by hand are a minute wrong; whole hours are a wrong time zone instead."""

_MIN_SAMPLES = 5  # in each state
_MIN_SHARE = 0.9  # of the known time that must lie in the log, at an offset that is considered
_COARSE = 0.5  # step of the search, in periods
_MOST_OFFSETS = 200_000
_REACH = 20.0  # periods about an edge that are looked at closely; the sensor may average so long
_SMOOTHINGS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)  # spans that a sensor averages over, in periods
_FINE_STEP = 0.2  # of the closer search, in periods
_MOST_FINE = 150  # steps to either side
_ALIKE = 0.98  # of the best share: what noise may take away
_FINE_REACH = 8.0  # to either side, in periods: where the sensor averages, the first fit lags
_SIGNIFICANCE = 6.0  # standard errors of the step: thousands of offsets are looked at
_FAR_S = 1e6  # beyond the first and the last edge
_RIVAL = 0.9  # share of the explained variance that another place may not explain as well


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Where a log lies on our clock.

    Attributes:
        offset_s: to be added to the times of the log to get ours, seconds.
        uncertainty_s: standard uncertainty of the offset, seconds.
        idle_w: level without load, watts.
        load_w: level under load, watts.
        explained: share of the variance of the log that the two levels explain, 0 to 1.
    """

    offset_s: float
    uncertainty_s: float
    idle_w: float
    load_w: float
    explained: float


@dataclass(frozen=True, kw_only=True)
class _Fit:
    offset_s: float
    ramp_s: float
    square: float
    samples: int
    idle_w: float
    load_w: float


def align(
    times_s: Sequence[float] | Floats,
    watts: Sequence[float] | Floats,
    loads: Intervals,
    idles: Intervals,
    *,
    max_offset_s: float = MAX_OFFSET_S,
) -> Alignment | None:
    """Fit the clock offset of a log by least squares of two levels, idle and load.

    All offsets within the limits are tried in steps of half a period, by sums over the samples
    that fall into the intervals. About the best one, the samples near the edges are fitted again
    in far smaller steps, with each edge drawn out to a ramp, as a sensor that averages over the
    past makes of it; that keeps its delay from being taken for an offset. The offset is the mean
    over these fits, weighted by their likelihoods under normal noise of unknown size (Gelman et
    al., Bayesian Data Analysis, 3rd edition, 3.2; even priors), for as many samples as are
    independent. Its uncertainty is their standard deviation, and beside it a period over the root
    of 12 for the shapes of edges that no ramp is.

    Args:
        times_s: times of the log, ascending, on its own clock, seconds.
        watts: power at each of them.
        loads: when the load is known to have run, on our clock; the more closely loads and
            idles abut, the better the edges are known.
        idles: when it is known not to have run.
        max_offset_s: largest offset that is considered, seconds.

    Returns:
        The alignment, or None where the step cannot be told from noise, where the log covers too
        little of the intervals, where the best offset is at the limit, or where another offset
        fits nearly as well, as with periodic windows.
    """
    times, power = np.asarray(times_s, float), np.asarray(watts, float)
    if times.size < 2 * _MIN_SAMPLES or not loads or not idles:
        return None
    period_s = float(np.median(np.diff(times)))
    if not period_s > 0:
        return None
    log = _Log(times=times, power=power, period_s=period_s)
    spans = _closed(loads, idles, 2 * period_s)
    offsets = _offsets(period_s, max_offset_s)
    explained = _explained(log, spans, offsets)
    best = int(np.argmax(explained))
    if not 0 < best < offsets.size - 1 or explained[best] <= 0:
        return None
    if _has_rival(offsets, explained, best, _separation_s(spans, period_s)):
        return None
    fits = _refine(log, spans, _plateau(offsets, explained, best))
    return _judge(log, spans, fits, float(explained[best])) if fits else None


@dataclass(frozen=True, kw_only=True)
class _Log:
    times: Floats
    power: Floats
    period_s: float


@dataclass(frozen=True, kw_only=True)
class _Spans:
    """Intervals in time order; `high` says which of them are load."""

    starts: Floats
    ends: Floats
    high: NDArray[np.bool_]

    @cached_property
    def edges(self) -> Floats:
        """When the state changes; unknown time belongs to what follows."""
        return np.sort(self.ends[:-1][self.high[1:] != self.high[:-1]])

    @cached_property
    def levels(self) -> Floats:
        """Load (1) or not (0) before the first edge and after each."""
        return np.asarray((np.arange(self.edges.size + 1) + self.high[0]) % 2.0)

    @cached_property
    def loads_s(self) -> tuple[Floats, Floats]:
        """Times, and seconds of load until each; straight lines between them are exact."""
        times = np.concatenate([[self.edges[0] - _FAR_S], self.edges, [self.edges[-1] + _FAR_S]])
        return times, np.concatenate([[0.0], np.cumsum(np.diff(times) * self.levels)])


def _closed(loads: Intervals, idles: Intervals, gap_s: float) -> _Spans:
    """All intervals in order, with the gaps that are shorter than the log can show shared out."""
    marked = sorted([(a, b, True) for a, b in loads] + [(a, b, False) for a, b in idles])
    starts = np.array([a for a, _, _ in marked], float)
    ends = np.array([b for _, b, _ in marked], float)
    for k in range(len(marked) - 1):
        if starts[k + 1] - ends[k] <= gap_s:
            starts[k + 1] = ends[k] = (starts[k + 1] + ends[k]) / 2
    return _Spans(starts=starts, ends=ends, high=np.array([high for _, _, high in marked]))


def _offsets(period_s: float, most_s: float) -> Floats:
    count = min(math.ceil(most_s / (_COARSE * period_s)), _MOST_OFFSETS // 2)
    return np.linspace(-most_s, most_s, 2 * count + 1)


def _explained(log: _Log, spans: _Spans, offsets: Floats) -> Floats:
    """Share of the variance that two levels explain, per offset.

    It is 0 where the load would be the lower level, or where the log covers too little.
    """
    (n0, s0, q0), (n1, s1, q1) = (_sums(log, spans, offsets, high=high) for high in (False, True))
    expected = float((spans.ends - spans.starts).sum()) / log.period_s
    enough = (n0 >= _MIN_SAMPLES) & (n1 >= _MIN_SAMPLES) & (n0 + n1 >= _MIN_SHARE * expected)
    n0, n1 = np.maximum(n0, 1), np.maximum(n1, 1)
    total = q0 + q1 - (s0 + s1) ** 2 / (n0 + n1)
    between = (s1 / n1 - s0 / n0) ** 2 * n0 * n1 / (n0 + n1)
    rising = enough & (s1 / n1 > s0 / n0) & (total > 0)
    return np.where(rising, between / np.where(total > 0, total, 1), 0.0)


def _sums(log: _Log, spans: _Spans, offsets: Floats, *, high: bool) -> tuple[Floats, ...]:
    """Number, sum and sum of squares of the samples in the spans of one state, per offset."""
    centred = log.power - log.power.mean()  # the sums keep their digits
    before = [
        np.concatenate([[0.0], np.cumsum(values)])
        for values in (np.ones_like(centred), centred, centred**2)
    ]
    sums = [np.zeros(offsets.size) for _ in before]
    # span by span: all at once would be gigabytes for a long run and a fast meter
    for start_s, end_s in zip(
        spans.starts[spans.high == high], spans.ends[spans.high == high], strict=True
    ):
        first, last = (np.searchsorted(log.times, edge - offsets) for edge in (start_s, end_s))
        sums = [s + until[last] - until[first] for s, until in zip(sums, before, strict=True)]
    return tuple(sums)


def _separation_s(spans: _Spans, period_s: float) -> float:
    """How far apart two places are two: half of the shortest load, or the reach of a ramp."""
    shortest = float((spans.ends - spans.starts)[spans.high].min())
    return max(3 * period_s, min(shortest / 2, _REACH * period_s))


def _has_rival(offsets: Floats, explained: Floats, best: int, apart_s: float) -> bool:
    """Whether the share rises again, to nearly that of the best, away from it."""
    enough = _RIVAL * explained[best]
    for side in (explained[best:], explained[: best + 1][::-1]):
        falls = np.flatnonzero(side < enough)
        step = float(offsets[1] - offsets[0])
        after = max(int(falls[0]) if falls.size else side.size, math.ceil(apart_s / step))
        if (side[after:] >= enough).any():
            return True
    return False


def _plateau(offsets: Floats, explained: Floats, best: int) -> tuple[float, float]:
    """Where the share is about that of the best, on both sides of it."""
    less = np.flatnonzero(explained < _ALIKE * explained[best])
    low, high = less[less < best], less[less > best]
    return (
        float(offsets[low[-1] if low.size else 0]),
        float(offsets[high[0] if high.size else offsets.size - 1]),
    )


def _refine(log: _Log, spans: _Spans, between_s: tuple[float, float]) -> list[_Fit]:
    """Fits between two offsets and about them, for each span that the sensor may average over."""
    centre_s = sum(between_s) / 2
    half_s = (between_s[1] - between_s[0]) / 2 + _FINE_REACH * log.period_s
    near = _near(log, spans, centre_s, half_s)
    steps = min(math.ceil(half_s / (_FINE_STEP * log.period_s)), _MOST_FINE)
    tried = centre_s + half_s * np.linspace(-1, 1, 2 * steps + 1)
    return list(_fits(log.times[near], log.power[near], spans, tried, log.period_s))


def _near(log: _Log, spans: _Spans, offset_s: float, reach_s: float) -> NDArray[np.bool_]:
    """Samples near an edge of the load."""
    moved = log.times + offset_s
    after = np.searchsorted(spans.edges, moved)
    beside = (np.maximum(after - 1, 0), np.minimum(after, spans.edges.size - 1))
    apart = np.minimum(*(np.abs(moved - spans.edges[place]) for place in beside))
    near: NDArray[np.bool_] = apart <= 2 * _REACH * log.period_s + reach_s
    return near


def _inside(moved: Floats, spans: _Spans) -> NDArray[np.bool_]:
    place = np.searchsorted(spans.starts, moved, side="right") - 1
    inside: NDArray[np.bool_] = (place >= 0) & (moved < spans.ends[np.maximum(place, 0)])
    return inside


def _fits(
    times: Floats, power: Floats, spans: _Spans, offsets: Floats, period_s: float
) -> Iterator[_Fit]:
    """Fits of two levels at each offset, to the samples whose state is known there."""
    for offset in offsets:
        known = _inside(times + offset, spans)
        watts = power[known]
        if watts.size < 2 * _MIN_SAMPLES:
            continue
        for smoothing in _SMOOTHINGS:
            ramp_s = smoothing * period_s
            share = _load_share(times[known] + offset, spans, ramp_s)
            spread = share - share.mean()
            # no dot products: they wake a pool of threads for a few thousand values
            if not (weight := float((spread**2).sum())):
                continue
            step = float((spread * watts).sum()) / weight
            idle = float(watts.mean()) - step * float(share.mean())
            yield _Fit(
                offset_s=float(offset),
                ramp_s=ramp_s,
                square=float(((watts - idle - step * share) ** 2).mean()),
                samples=watts.size,
                idle_w=idle,
                load_w=idle + step,
            )


def _load_share(moved: Floats, spans: _Spans, ramp_s: float) -> Floats:
    """Share of load in the last `ramp_s` before each time."""
    if ramp_s:
        until, since = (np.interp(at, *spans.loads_s) for at in (moved, moved - ramp_s))
        return np.asarray((until - since) / ramp_s)
    return spans.levels[np.searchsorted(spans.edges, moved, side="right")]


def _judge(log: _Log, spans: _Spans, fits: list[_Fit], explained: float) -> Alignment | None:
    """The mean over all fits with its uncertainty; None where the step is within the noise."""
    fit = min(fits, key=lambda one: one.square)
    moved = log.times + fit.offset_s
    known = _inside(moved, spans)
    share = _load_share(moved[known], spans, fit.ramp_s)
    step = fit.load_w - fit.idle_w
    rest = log.power[known] - fit.idle_w - step * share
    tau = autocorrelation_time(rest)
    counts = float(share.sum()), float((1 - share).sum())
    if min(counts) < _MIN_SAMPLES:
        return None
    error = math.sqrt(float(rest.var()) * tau * (1 / counts[0] + 1 / counts[1]))
    if not step > _SIGNIFICANCE * error:
        return None
    mean_s, spread_s = _posterior(fits, fit.square, fit.samples / tau)
    return Alignment(
        offset_s=mean_s,
        uncertainty_s=math.hypot(spread_s, log.period_s / math.sqrt(12)),
        idle_w=fit.idle_w,
        load_w=fit.load_w,
        explained=explained,
    )


def _posterior(fits: list[_Fit], least: float, independent: float) -> tuple[float, float]:
    """Mean and standard deviation of the offset, each fit weighing as much as it is likely.

    Without smoothing whole stretches of offsets fit alike; the mean is their middle.
    """
    offsets = np.array([one.offset_s for one in fits])
    floor = max(least, float(np.finfo(float).tiny))
    squares = np.maximum([one.square for one in fits], floor)
    weights = (floor / squares) ** (independent / 2)
    mean = float(np.average(offsets, weights=weights))
    return mean, math.sqrt(float(np.average((offsets - mean) ** 2, weights=weights)))
