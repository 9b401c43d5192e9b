"""How far the clock of a power log is from ours, from the step that a load makes in it.

Knows times, watts and intervals; not where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.stats.alignment_course import Course, Floats, Guess
from inferometer.stats.alignment_edges import Found, Log, levelled, refine
from inferometer.stats.autocorrelation import autocorrelation_time

Intervals = Sequence[tuple[float, float]]

MAX_OFFSET_S = 60.0
"""Clocks that are set by hand are a minute wrong; whole hours are a wrong time zone instead."""

MIN_SHARE = 0.9
"""Of the known time: what must lie in the log at an offset that is considered."""

_MIN_SAMPLES = 5  # in each state
_COARSE = 0.5  # step of the search, in periods
_MOST_OFFSETS = 200_000
_REACH = 20.0  # periods that two places are apart at the most; the sensor may average so long
_ALIKE = 0.98  # of the best share: what noise may take away
_SIGNIFICANCE = 6.0  # standard errors of the step: thousands of offsets are looked at
_SHARED = 2.0  # periods of a gap that the log cannot show
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
class View:
    """When a load ran, on our clock.

    Attributes:
        loads: when it is known to have run; the more closely loads and idles abut, the better the
            edges are known.
        idles: when it is known not to have run.
    """

    loads: Intervals
    idles: Intervals


def align(
    times_s: Sequence[float] | Floats,
    watts: Sequence[float] | Floats,
    loads: Intervals,
    idles: Intervals,
    *,
    others: Sequence[View] = (),
    max_offset_s: float = MAX_OFFSET_S,
    least_share: float = MIN_SHARE,
) -> Alignment | None:
    """Fit the clock offset of a log by least squares of two levels, idle and load.

    All offsets within the limits are tried in steps of half a period, by sums over the samples
    that fall into the intervals. About the best one, the samples near the edges are fitted again
    in far smaller steps (`stats.alignment_edges`), with each edge drawn out to a ramp, as a sensor
    that averages over the past makes of it, and with a drift of the clock.

    Args:
        times_s: times of the log, ascending, on its own clock, seconds.
        watts: power at each of them.
        loads: when the load is known to have run, on our clock.
        idles: when it is known not to have run.
        others: what else may have been, such as pauses in which the device went on working. The
            one that fits best counts: edges in the wrong place look like a sensor that averages
            over a long time, and move the offset by half of it.
        max_offset_s: largest offset that is considered, seconds.
        least_share: how much of the known time must lie in the log.

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
    log = Log(times=times, power=power, period_s=period_s)
    views = [View(loads=loads, idles=idles), *others]
    limits = (max_offset_s, least_share)
    rough = [one for view in views if (one := _roughly(log, view, limits))]
    if not rough:
        return None
    best = max(rough, key=lambda one: one.explained)
    if best.rival:
        return None
    near = [one for one in rough if abs(one.offset_s - best.offset_s) <= _apart_s(best, period_s)]
    guesses = [guess for one in near for guess in _guesses(one.view, one.offset_s, period_s)]
    found = refine(log, guesses)
    return _judge(log, best, found)


@dataclass(frozen=True, kw_only=True)
class _Rough:
    """About where a log lies.

    Attributes:
        spans: of the view that it lies in.
        view: that.
        offset_s: the middle of those that fit about as well as the best.
        explained: share of the variance that two levels explain.
        rival: whether another place explains nearly as much.
    """

    spans: _Spans
    view: View
    offset_s: float
    explained: float
    rival: bool


def _roughly(log: Log, view: View, limits: tuple[float, float]) -> _Rough | None:
    """The best place in steps of half a period, within a largest offset and a least share."""
    most_s, least_share = limits
    spans = _closed(view, _SHARED * log.period_s)
    offsets = _offsets(log.period_s, most_s)
    explained = _explained(log, spans, offsets, least_share)
    best = int(np.argmax(explained))
    if not 0 < best < offsets.size - 1 or explained[best] <= 0:
        return None
    return _Rough(
        spans=spans,
        view=view,
        offset_s=sum(_plateau(offsets, explained, best)) / 2,
        explained=float(explained[best]),
        rival=_has_rival(offsets, explained, best, _separation_s(spans, log.period_s)),
    )


def _apart_s(best: _Rough, period_s: float) -> float:
    """How far another view may put the log and still mean the same place."""
    return _separation_s(best.spans, period_s) + _REACH * period_s


def _guesses(view: View, offset_s: float, period_s: float) -> Iterator[Guess]:
    """What a view may mean: in pauses too short for the log to show, nothing ran, or work did.

    Before the first idling and after the last one nobody knows what ran.
    """
    spans = _ordered(view)
    low = np.flatnonzero(~spans.high)
    inner = slice(low[0], low[-1] + 1)
    if not spans.high[inner].any():  # no load between two idles: one edge at the most
        inner = slice(None)
    starts, ends, high = spans.starts[inner], spans.ends[inner], spans.high[inner]
    gaps = starts[1:] - ends[:-1]
    wide = gaps > _SHARED * period_s
    outside = [(-np.inf, starts[0]), (ends[-1], np.inf)]
    unknown = np.array([*outside, *zip(ends[:-1][wide], starts[1:][wide], strict=True)])
    pauses = bool((high[1:] & high[:-1] & (gaps > 0) & ~wide).any())
    for least_s in (0.0, _SHARED * period_s)[: 1 + pauses]:
        firsts, lasts = _merged(starts[high], ends[high], least_s)
        course = Course(starts_s=firsts, ends_s=lasts, unknown_s=unknown)
        yield Guess(course=course, offset_s=offset_s)


def _merged(starts: Floats, ends: Floats, gap_s: float) -> tuple[Floats, Floats]:
    """Loads, with those made one that are no further apart."""
    apart = starts[1:] - ends[:-1] > gap_s
    return starts[np.concatenate([[True], apart])], ends[np.concatenate([apart, [True]])]


@dataclass(frozen=True, kw_only=True)
class _Spans:
    """Intervals in time order; `high` says which of them are load."""

    starts: Floats
    ends: Floats
    high: NDArray[np.bool_]


def _ordered(view: View) -> _Spans:
    marked = sorted([(a, b, True) for a, b in view.loads] + [(a, b, False) for a, b in view.idles])
    return _Spans(
        starts=np.array([a for a, _, _ in marked], float),
        ends=np.array([b for _, b, _ in marked], float),
        high=np.array([high for _, _, high in marked]),
    )


def _closed(view: View, gap_s: float) -> _Spans:
    """All intervals in order, with the gaps that are shorter than the log can show shared out."""
    spans = _ordered(view)
    starts, ends = spans.starts, spans.ends
    for k in range(starts.size - 1):
        if starts[k + 1] - ends[k] <= gap_s:
            starts[k + 1] = ends[k] = (starts[k + 1] + ends[k]) / 2
    return spans


def _offsets(period_s: float, most_s: float) -> Floats:
    count = min(math.ceil(most_s / (_COARSE * period_s)), _MOST_OFFSETS // 2)
    return np.linspace(-most_s, most_s, 2 * count + 1)


def _explained(log: Log, spans: _Spans, offsets: Floats, least_share: float) -> Floats:
    """Share of the variance that two levels explain, per offset.

    It is 0 where the load would be the lower level, or where the log covers too little.
    """
    (n0, s0, q0), (n1, s1, q1) = (_sums(log, spans, offsets, high=high) for high in (False, True))
    expected = float((spans.ends - spans.starts).sum()) / log.period_s
    enough = (n0 >= _MIN_SAMPLES) & (n1 >= _MIN_SAMPLES) & (n0 + n1 >= least_share * expected)
    n0, n1 = np.maximum(n0, 1), np.maximum(n1, 1)
    total = q0 + q1 - (s0 + s1) ** 2 / (n0 + n1)
    between = (s1 / n1 - s0 / n0) ** 2 * n0 * n1 / (n0 + n1)
    rising = enough & (s1 / n1 > s0 / n0) & (total > 0)
    return np.where(rising, between / np.where(total > 0, total, 1), 0.0)


def _sums(log: Log, spans: _Spans, offsets: Floats, *, high: bool) -> tuple[Floats, ...]:
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
    enough, noise = _RIVAL * explained[best], (1 - _ALIKE) * explained[best]
    for side in (explained[best:], explained[: best + 1][::-1]):
        falls = np.flatnonzero(side < enough)
        step = float(offsets[1] - offsets[0])
        after = max(int(falls[0]) if falls.size else side.size, math.ceil(apart_s / step))
        rises = side - np.minimum.accumulate(side) > noise
        if (rises & (side >= enough))[after:].any():
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


def _judge(log: Log, best: _Rough, found: Found) -> Alignment | None:
    """The offset with the levels there; None where the step is within the noise."""
    moved = log.times + found.offset_s
    known = found.course.is_known(moved)
    share, power = found.course.share(moved[known], found.ramp), log.power[known]
    spread = share - share.mean()
    counts = float(share.sum()), float((1 - share).sum())
    # no dot products: they wake a pool of threads for a few thousand values
    weight = float((spread**2).sum())
    if min(counts) < _MIN_SAMPLES or not weight:
        return None
    step = float((spread * power).sum()) / weight
    idle = float(power.mean()) - step * float(share.mean())
    rest = levelled(log, Guess(course=found.course, offset_s=found.offset_s))[known] - share
    tau = autocorrelation_time(rest)
    error = math.sqrt(float(rest.var()) * tau * (1 / counts[0] + 1 / counts[1]))
    if not (step > 0 and _SIGNIFICANCE * error < 1):  # of the step, each load by its own
        return None
    return Alignment(
        offset_s=found.offset_s,
        uncertainty_s=found.uncertainty_s,
        idle_w=idle,
        load_w=idle + step,
        explained=best.explained,
    )
