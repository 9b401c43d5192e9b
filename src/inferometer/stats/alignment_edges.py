"""The clock offset of a power log to a fraction of its period, from the samples near the edges.

Knows when a load began and ended, and that a sensor may average over the past, or not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inferometer.stats.alignment_course import Course, Floats, Guess, Ramp
from inferometer.stats.autocorrelation import autocorrelation_time

MOST_DRIFT = 1.2e-4
"""Of a clock: 100 ppm is what a poor crystal has."""

_MOMENT = 0.1
"""In periods: a reading of one moment, by a clock that is no better. Without it, a log whose many
edges leave only a thousandth of a period would fit nowhere on a grid."""
_SMOOTHINGS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Spans that a sensor may average over, in periods."""
_REACH = 12.0  # periods about an edge that are looked at; the sensor may average so long
_SEARCH = 6.0  # periods to either side of the first guess, which lags where the sensor averages
_STEP = 0.1  # of the search, in periods
_DRIFT_STEP = 0.2  # in periods, from the middle of the log to its end
_MOST_DRIFTS = 20  # to either side of none
_MOST_GROUPS = 40
_MOST = 400  # steps to either side
_NARROW = 1.0  # periods to either side of the best, looked at more closely
_NARROW_STEPS = 81
_NARROW_DRIFTS = 9
_LEAST_STEP = 0.3  # of the usual step of power: what a load of its own level differs by
_FLOOR = 1e-6  # of the square of a step: nothing is known better than that
_BLUR = 0.05  # of a period: what the shape of an edge, which no ramp is, moves it by


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where the edges put the log.

    Attributes:
        offset_s: to be added to its times in the middle of the edges, seconds.
        uncertainty_s: standard uncertainty, seconds.
        drift: by how much it grows in a second.
        course: the one that fits best.
        ramp: over what the sensor averages in the best fit.
    """

    offset_s: float
    uncertainty_s: float
    drift: float
    course: Course
    ramp: Ramp


@dataclass(frozen=True, kw_only=True)
class Log:
    """Times on its own clock, power, and their usual distance."""

    times: Floats
    power: Floats
    period_s: float


def refine(log: Log, guesses: Sequence[Guess]) -> Found:
    """Offset, drift and averaging of the sensor, as the samples near the edges have them.

    Every course, span of averaging, drift and offset weighs as much as it is likely under normal
    noise of unknown size, for as many samples as are independent (Gelman et al., Bayesian Data
    Analysis, 3rd edition, 3.2; even priors). Where only the beginning and the end of a stretch of
    offsets are told, the mean is its middle.

    Args:
        log: what the meter wrote.
        guesses: what may have run; the first says what of the log is known.
    """
    found = [_fitted(log, one) for one in guesses]
    rests = [_rest(log, one, guesses[0].course) for one in found]
    squares = np.array([max(float((rest**2).mean()), _FLOOR) for rest in rests])
    best = int(squares.argmin())
    independent = rests[best].size / autocorrelation_time(rests[best])
    weights = (squares[best] / squares) ** (independent / 2)
    means = np.array([one.offset_s for one in found])
    mean = float(np.average(means, weights=weights))
    own = np.array([one.uncertainty_s for one in found])
    variance = float(np.average(own**2 + (means - mean) ** 2, weights=weights))
    return replace(found[best], offset_s=mean, uncertainty_s=math.sqrt(variance))


def _rest(log: Log, found: Found, known: Course) -> Floats:
    """What a fit leaves of all of the log, over the step of the load."""
    moved = log.times + found.offset_s
    steps = levelled(log, Guess(course=found.course, offset_s=found.offset_s))
    return (steps - found.course.share(moved, found.ramp))[known.is_known(moved)]


def _fitted(log: Log, guess: Guess) -> Found:
    """The fit of one course: wide steps first, then narrow ones about the best."""
    period_s, edges = log.period_s, guess.course.edges_s
    groups = _groups(log, guess)
    watts = levelled(log, guess)
    at_s = [float(log.times[one].mean()) + guess.offset_s for one in groups]
    near = _Near(
        times=[log.times[one] for one in groups],
        watts=[watts[one] for one in groups],
        apart_s=np.array(at_s) - (edges[0] + edges[-1]) / 2,
        course=guess.course,
        ramps=_ramps(period_s),
    )
    half_s = float(np.abs(near.apart_s).max())
    drifts = MOST_DRIFT * _grid(MOST_DRIFT * half_s, _DRIFT_STEP * period_s, _MOST_DRIFTS)
    reach_s = _SEARCH * period_s + MOST_DRIFT * half_s
    wide = near.fits(guess.offset_s + reach_s * _grid(reach_s, _STEP * period_s, _MOST), drifts)
    if wide.spread_s > _NARROW * period_s / 2:
        return wide.found(period_s)
    step = float(drifts[-1] - drifts[-2]) if drifts.size > 1 else 0.0
    narrow = near.fits(
        wide.best[1] + _NARROW * period_s * np.linspace(-1, 1, _NARROW_STEPS),
        wide.best[2] + step * np.linspace(-1, 1, _NARROW_DRIFTS),
    )
    return narrow.found(period_s)


def _ramps(period_s: float) -> list[Ramp]:
    moment_s = _MOMENT * period_s
    return [
        Ramp(length_s=moment_s, late_s=moment_s / 2),
        *(Ramp(length_s=one * period_s, late_s=0.0) for one in _SMOOTHINGS),
    ]


def _grid(reach: float, step: float, most: int) -> Floats:
    """From -1 to 1 in steps of a length, or in as many as are allowed."""
    count = min(math.ceil(reach / step - 0.5), most)
    return np.arange(-count, count + 1) / max(count, 1)


@dataclass(frozen=True, kw_only=True)
class _Near:
    """The samples near the edges, a group for edges that lie close together.

    Attributes:
        times: of each group, on the clock of the log.
        watts: of each group, over the step of the load.
        apart_s: seconds from the middle of all edges to that of each group.
        course: what may have run.
        ramps: over what the sensor may average.
    """

    times: Sequence[Floats]
    watts: Sequence[Floats]
    apart_s: Floats
    course: Course
    ramps: Sequence[Ramp]

    def fits(self, offsets: Floats, drifts: Floats) -> _Fits:
        """How badly each ramp, drift and offset fits."""
        squares = np.zeros((len(self.ramps), drifts.size, offsets.size))
        for place, ramp in enumerate(self.ramps):
            for times, watts, apart_s in zip(self.times, self.watts, self.apart_s, strict=True):
                moved = drifts[:, None] * apart_s + offsets
                tried = offsets + float(moved[:, 0].mean()) - offsets[0]
                alone = _squares(times + tried[:, None], watts, self.course, ramp)
                squares[place] += np.interp(moved, tried, alone)
        return _Fits(near=self, squares=squares, offsets=offsets, drifts=drifts)


@dataclass(frozen=True, kw_only=True)
class _Fits:
    """Sums of squares by ramp, drift and offset."""

    near: _Near
    squares: Floats
    offsets: Floats
    drifts: Floats

    @cached_property
    def best(self) -> tuple[Ramp, float, float]:
        """Ramp, offset and drift of the best fit."""
        ramp, drift, at = np.unravel_index(int(self.squares.argmin()), self.squares.shape)
        return self.near.ramps[int(ramp)], float(self.offsets[at]), float(self.drifts[drift])

    @cached_property
    def _weights(self) -> Floats:
        """How likely each offset is."""
        ramp, offset_s, drift = self.best
        near = self.near
        rest = np.concatenate(
            [
                watts - near.course.share(times + offset_s + drift * apart_s, ramp)
                for times, watts, apart_s in zip(near.times, near.watts, near.apart_s, strict=True)
            ]
        )
        floored = np.maximum(self.squares, _FLOOR * rest.size)
        independent = rest.size / autocorrelation_time(rest)
        likely = (floored.min() / floored) ** (independent / 2)
        return np.asarray(likely.sum(axis=(0, 1)))

    @cached_property
    def mean_s(self) -> float:
        """The offset, each fit weighing as much as it is likely."""
        return float(np.average(self.offsets, weights=self._weights))

    @cached_property
    def spread_s(self) -> float:
        """Standard deviation of the same."""
        apart = (self.offsets - self.mean_s) ** 2
        return math.sqrt(float(np.average(apart, weights=self._weights)))

    def found(self, period_s: float) -> Found:
        """The fit."""
        ramp, _, drift = self.best
        return Found(
            offset_s=self.mean_s,
            uncertainty_s=math.hypot(self.spread_s, _BLUR * period_s),
            drift=drift,
            course=self.near.course,
            ramp=ramp,
        )


def _groups(log: Log, guess: Guess) -> list[NDArray[np.intp]]:
    """Samples near edges, those of edges that lie close together in one group."""
    moved, edges = log.times + guess.offset_s, guess.course.edges_s
    after = np.searchsorted(edges, moved)
    apart = np.minimum(
        np.abs(moved - edges[np.maximum(after - 1, 0)]),
        np.abs(moved - edges[np.minimum(after, edges.size - 1)]),
    )
    near = np.flatnonzero(apart <= (_REACH + _SEARCH) * log.period_s)
    parts = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)
    step = math.ceil(len(parts) / _MOST_GROUPS)  # the last one is as far from the middle as any
    return [one for one in parts[::-step] if one.size][::-1]


def levelled(log: Log, guess: Guess) -> Floats:
    """The log with each load at 1 and idling at 0: workloads need not use the same power."""
    moved, power, course = log.times + guess.offset_s, log.power, guess.course
    high = course.is_load(moved)
    idle, usual = float(np.median(power[~high])), float(np.median(power[high]))
    usual_step = usual - idle if usual > idle else 1.0
    steps = np.full(power.shape, usual_step)
    between = (course.ends_s[:-1] + course.starts_s[1:]) / 2
    mine = np.searchsorted(between, moved)
    for number, (start_s, end_s) in enumerate(zip(course.starts_s, course.ends_s, strict=True)):
        inset_s = min(_REACH * log.period_s, (end_s - start_s) / 3)
        inside = (moved >= start_s + inset_s) & (moved < end_s - inset_s)
        step = float(np.median(power[inside])) - idle if inside.any() else 0.0
        if step > _LEAST_STEP * usual_step:
            steps[mine == number] = step
    return np.asarray((power - idle) / steps)


def _squares(moved: Floats, watts: Floats, course: Course, ramp: Ramp) -> Floats:
    """Sum of squares of what two levels leave, per row.

    A sample of unknown state leaves as much as the others do, so that none is worth hiding.
    """
    known = course.is_known(moved)
    share = course.share(moved, ramp)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    spread = np.where(known, share - (share * known).sum(axis=1, keepdims=True) / count, 0.0)
    rest = np.where(known, watts - (watts * known).sum(axis=1, keepdims=True) / count, 0.0)
    weight = (spread**2).sum(axis=1)
    step = (spread * rest).sum(axis=1) / np.where(weight > 0, weight, 1.0)
    squares = ((rest - np.maximum(step, 0.0)[:, None] * spread) ** 2).mean(axis=1)
    return np.asarray(squares * moved.shape[1] ** 2 / count[:, 0])
