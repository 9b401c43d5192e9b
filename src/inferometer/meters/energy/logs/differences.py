"""Power from energy: by the differences of a counter, or by the energy of each interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inferometer.meters.energy.logs.channel import Channel, Floats, LogProblemError


def from_counter(channel: Channel, joules: Floats) -> tuple[Channel, list[str]]:
    """The mean power between two readings of a counter, in the middle of the two.

    Where the count falls, the counter was reset or has wrapped, which cannot be told apart: that
    interval is left out.

    Raises:
        LogProblemError: it does not count upwards, or there are fewer than two readings.
    """
    known = np.isfinite(joules)
    times, joules = channel.times_s[known], joules[known]
    order = np.argsort(times, kind="stable")
    times, joules = times[order], joules[order]
    steps, gained = np.diff(times), np.diff(joules)
    if not steps.size:
        raise LogProblemError(f"{channel.name!r} has fewer than two readings of its counter")
    falls = gained < 0
    if falls.sum() > max(1, steps.size // 10):
        raise LogProblemError(
            f"{channel.name!r} falls in {int(falls.sum())} of {steps.size} rows, so that it is no "
            "counter of energy: name a power"
        )
    used = ~falls & (steps > 0)
    notes = []
    if falls.any():
        notes.append(
            f"{channel.name!r} was reset or wrapped {int(falls.sum())} times; left out there."
        )
    if not used.any():
        raise LogProblemError(f"{channel.name!r} has fewer than two times")
    return replace(
        channel,
        times_s=(times[:-1] + steps / 2)[used],
        watts=gained[used] / steps[used],
        spans_s=steps[used],
    ), notes


def from_intervals(channel: Channel, joules: Floats) -> Channel:
    """The mean power of each interval, which begins at the time of its row, in the middle of it.

    Raises:
        LogProblemError: there are fewer than two rows.
    """
    steps = np.diff(np.unique(channel.times_s))
    if not steps.size:
        raise LogProblemError("it has fewer than two rows, so that nobody knows how long they are")
    interval_s = float(np.median(steps))
    return replace(
        channel,
        times_s=channel.times_s + interval_s / 2,
        watts=joules / interval_s,
        spans_s=np.full(channel.times_s.shape, interval_s),
    )
