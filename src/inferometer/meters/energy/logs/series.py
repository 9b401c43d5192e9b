"""From the rows of a log to power over time: order, repeats, resets, gaps. Knows no format.

Each reading stands for the time from half the way to its neighbours, at most half a period on the
side of a gap, of a missing figure, and of the ends; or for as long as its format says. Means are
weighted by that time. What was turned, sorted, averaged or left out is counted in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inferometer.meters.energy.logs.channel import Channel, Floats, LogProblemError, floats

GAP_PERIODS = 5.0
"""A longer step between two rows than so many periods is a gap, where few are."""
MOST_GAPS = 0.25
"""Where more of the steps are as long, the log has no period, and its steps are not gaps."""
JITTER_PERIODS = 5.0
"""Times that go back by less are out of order; by more, they begin again."""
AGE_SPANS, AGE_S = 100.0, 600.0
"""A first row that is so many times the span of all others before them, and so many seconds."""
HALF = 0.5
"""The least part of the rows that a stretch without a reset must have."""

_DAY_S = 86_400.0
_SMALL = 0.01  # of the largest power: so far below zero is the noise of a meter about zero
_EDGE_S = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """Power over time, in order, with one reading for each time.

    Attributes:
        times_s: ascending.
        watts: at each of them.
        weights_s: seconds that each reading stands for.
        period_s: median distance of two times; 0 where there is one.
        holds: whether each power holds until the next row.
        broken: whether a figure is missing right before a reading, or there is a gap.
        notes: what was changed and left out.
    """

    times_s: Floats
    watts: Floats
    weights_s: Floats
    period_s: float
    holds: bool
    broken: NDArray[np.bool_]
    notes: tuple[str, ...]

    @property
    def span_s(self) -> float:
        """Seconds from the first reading to the last."""
        return float(self.times_s[-1] - self.times_s[0])

    @property
    def mean_w(self) -> float:
        """Mean power, weighted by time."""
        total = float(self.weights_s.sum())
        if total <= 0:
            return float(self.watts.mean())
        return float((self.watts * self.weights_s).sum() / total)

    def points(self) -> tuple[Floats, Floats]:
        """Times and powers between which a straight line is the power.

        A power that holds is two points, of which the second is right before the next reading.
        """
        if not self.holds:
            return self.times_s, self.watts
        ends = self.times_s + np.maximum(self.weights_s - _EDGE_S, self.weights_s / 2)
        lasting = self.weights_s > 0
        times = np.concatenate([self.times_s, ends[lasting]])
        order = np.argsort(times, kind="stable")
        return times[order], np.concatenate([self.watts, self.watts[lasting]])[order]


def series_of(channel: Channel) -> Series:
    """The power of a channel over time.

    Raises:
        LogProblemError: there is no figure, most are negative, or times begin again and again.
    """
    notes: list[str] = []
    rows = _Rows(
        times=channel.times_s,
        watts=channel.watts,
        spans=channel.spans_s if channel.spans_s is not None else np.full_like(channel.watts, -1.0),
    )
    if not np.isfinite(rows.watts).any():
        raise LogProblemError(f"{channel.name!r} has no figure in any row: the meter read none")
    if channel.clock == "start":
        rows = _over_midnight(rows, notes)
    rows = _without_an_old_row(rows, notes)
    rows = _in_order(rows, notes)
    rows = _single(rows, notes)
    _check_signs(rows.watts, notes)
    return _weighted(rows, channel, notes)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    times: Floats
    watts: Floats
    spans: Floats

    def taken(self, which: NDArray[np.intp] | NDArray[np.bool_] | slice) -> _Rows:
        return _Rows(times=self.times[which], watts=self.watts[which], spans=self.spans[which])


def _over_midnight(rows: _Rows, notes: list[str]) -> _Rows:
    """Times of the day go on after midnight."""
    if not rows.times.size or rows.times.min() < 0 or rows.times.max() >= _DAY_S:
        return rows
    nights = np.cumsum(np.diff(rows.times, prepend=rows.times[0]) < -_DAY_S / 2)
    if not nights[-1]:
        return rows
    notes.append("Its times of the day go on after midnight.")
    return replace(rows, times=rows.times + _DAY_S * nights)


def _without_an_old_row(rows: _Rows, notes: list[str]) -> _Rows:
    if rows.times.size < 3:  # noqa: PLR2004 - one, and two whose distance tells
        return rows
    rest = rows.times[1:]
    span_s, before_s = float(np.ptp(rest)), float(rest[0] - rows.times[0])
    if span_s <= 0 or abs(before_s) < max(AGE_S, AGE_SPANS * span_s):
        return rows
    notes.append(f"Its first row is {abs(before_s):.3g} s away from all others, and was left out.")
    return rows.taken(slice(1, None))


def _in_order(rows: _Rows, notes: list[str]) -> _Rows:
    steps = np.diff(rows.times)
    if (steps >= 0).all():
        return rows
    if (steps <= 0).all():
        notes.append("The rows stand in reverse order; they were turned round.")
        return rows.taken(slice(None, None, -1))
    forward = steps[steps > 0]
    period_s = float(np.median(forward)) if forward.size else 0.0
    ahead = np.maximum.accumulate(rows.times)
    resets = np.flatnonzero((steps < 0) & (ahead[:-1] - rows.times[1:] > JITTER_PERIODS * period_s))
    if resets.size:
        rows = _longest(rows, resets + 1, notes)
        steps = np.diff(rows.times)
    back = int((steps < 0).sum())
    if back:
        go = "rows go" if back > 1 else "row goes"
        notes.append(f"{back} {go} back in time, by up to {-steps.min():.3g} s; sorted.")
        rows = rows.taken(np.argsort(rows.times, kind="stable"))
    return rows


def _longest(rows: _Rows, starts: NDArray[np.intp], notes: list[str]) -> _Rows:
    """The longest stretch in which the times do not begin again.

    Raises:
        LogProblemError: it is the smaller part of the log.
    """
    edges = np.concatenate([[0], starts, [rows.times.size]])
    sizes = np.diff(edges)
    longest = int(np.argmax(sizes))
    left_out = int(rows.times.size - sizes[longest])
    if sizes[longest] < HALF * rows.times.size:
        raise LogProblemError(
            f"its times begin again {_times(starts.size)}, so that it holds several logs: cut it "
            "to the one of the run"
        )
    notes.append(
        f"Its times begin again {_times(starts.size)}; only the longest stretch was read, and "
        f"{left_out} row{' was' if left_out == 1 else 's were'} left out."
    )
    return rows.taken(slice(int(edges[longest]), int(edges[longest + 1])))


def _single(rows: _Rows, notes: list[str]) -> _Rows:
    """One row for each time."""
    single, index = np.unique(rows.times, return_inverse=True)
    repeats = rows.times.size - single.size
    if not repeats:
        return rows
    known = np.isfinite(rows.watts)
    counts = np.bincount(index[known], minlength=single.size)
    sums = np.bincount(index[known], weights=rows.watts[known], minlength=single.size)
    spans = floats(np.bincount(index, weights=rows.spans, minlength=single.size))
    watts = np.full(single.size, np.nan)
    np.divide(sums, counts, out=watts, where=counts > 0)
    share = "rows share their" if repeats > 1 else "row shares its"
    notes.append(f"{repeats} {share} time with another: averaged.")
    return _Rows(times=single, watts=watts, spans=spans)


def _check_signs(watts: Floats, notes: list[str]) -> None:
    watts = watts[np.isfinite(watts)]
    below = int((watts < 0).sum())
    if not below:
        return
    lowest, highest = float(watts.min()), float(watts.max())
    if -lowest > _SMALL * highest:
        raise LogProblemError(
            f"{below} powers are negative, down to {lowest:.3g} W: turn the meter round, or give "
            "the figures the other sign"
        )
    notes.append(f"{below} powers are just below zero, down to {lowest:.3g} W; kept.")


def _weighted(rows: _Rows, channel: Channel, notes: list[str]) -> Series:
    known = np.isfinite(rows.watts)
    steps = np.diff(rows.times)
    period_s = float(np.median(steps)) if steps.size else 0.0
    after_a_missing = np.concatenate([[False], ~known[:-1]])[known]
    kept = rows.taken(known)
    gaps = np.concatenate([[False], _gaps(np.diff(kept.times), period_s, channel, notes)])
    broken = (after_a_missing | gaps) if not channel.holds else after_a_missing
    if channel.spans_s is not None:
        weights = kept.spans
    elif channel.holds:
        weights = np.append(steps, 0.0)[known]
    else:
        weights = _halves(kept.times, broken, period_s)
    return Series(
        times_s=kept.times,
        watts=kept.watts,
        weights_s=weights,
        period_s=period_s,
        holds=channel.holds,
        broken=broken,
        notes=tuple(notes),
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _gaps(steps: Floats, period_s: float, channel: Channel, notes: list[str]) -> NDArray[np.bool_]:
    """Which steps are gaps."""
    long = steps > GAP_PERIODS * period_s
    count = int(long.sum())
    if not count or channel.holds:
        return np.zeros(steps.size, bool)
    if count > MOST_GAPS * steps.size:
        notes.append(
            f"Its rows have no regular distance: {steps.min():.3g} to {steps.max():.3g} s."
        )
        return np.zeros(steps.size, bool)
    notes.append(
        f"{count} gap{' is' if count == 1 else 's are'} longer than {GAP_PERIODS:g} periods, up to "
        f"{steps.max():.3g} s; the mean is of the time around."
    )
    return long


def _halves(times: Floats, broken: NDArray[np.bool_], period_s: float) -> Floats:
    """Half the distance to both neighbours."""
    halves = np.diff(times) / 2
    most = floats(period_s / 2)
    halves_before = np.concatenate([[most], halves])
    halves_after = np.concatenate([halves, [most]])
    halves_before[broken] = np.minimum(halves_before[broken], most)
    ends = np.append(broken[1:], False)
    halves_after[ends] = np.minimum(halves_after[ends], most)
    return floats(halves_before + halves_after)
