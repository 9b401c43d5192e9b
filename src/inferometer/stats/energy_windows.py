"""Mean power over a stretch of time, from the readings of a counter or of a power sensor.

Does not know which sensor it is, nor what ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Quantity = Literal["energy", "power"]

MIN_WINDOWS = 5
MIN_WINDOW_S = 1.0
MIN_IDLE_S = 10.0
PUBLISHED_WINDOW_S = 60.0  # as in MLPerf Power
MIN_WARM_UP_S = 10.0
PIECES = 5  # of each idle window, whose spread tells how well its mean is known
_PERIODS = 40  # of a counter in a window, so that the standard uncertainty of its edges is 1 %
_READINGS = 10  # of a power sensor in a window; none of them tells of another time
_READINGS_OF_PIECE = 4
_AVERAGES = 3  # sensor averages in a window
_SLACK = 100  # a window is covered where this part of it at either end is all that is missing
_WARM_UP_AVERAGES = 3
_MOST_MISSING = 10  # periods without a reading
_LEAST_MISSING_S = 1.0
_ROUNDING_S = 1e-6


class WithheldError(Exception):
    """There is no figure; the message is the reason."""


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """What is known of a sensor.

    Attributes:
        quantity: `energy` where readings are joules that only grow, `power` where they are watts.
        period_s: seconds between two updates.
        polling_s: seconds between two readings; 0 where the edges of windows are read themselves.
        window_s: seconds over which the sensor averages; 0 for none.
        resolution: smallest step of a reading, in joules or watts.
        gain: largest relative error; None where nobody knows.
        offset_w: largest constant error, watts; None where nobody knows.
        stated: whether there is no sensor at all, only what a user stated, which may stand still.
    """

    quantity: Quantity
    period_s: float
    polling_s: float = 0.0
    window_s: float = 0.0
    resolution: float = 0.0
    gain: float | None = None
    offset_w: float | None = None
    stated: bool = False

    @property
    def tau_s(self) -> float:
        """Seconds by which a reading may be late."""
        return max(self.period_s, self.polling_s)

    @property
    def lag_s(self) -> float:
        """Seconds after a change of power until no reading remembers the time before it."""
        return self.window_s + self.period_s


@dataclass(frozen=True, kw_only=True)
class Readings:
    """All readings of one sensor, in time order.

    Attributes:
        at_s: when each was taken, seconds.
        values: joules since the first one, or watts.
    """

    at_s: Floats
    values: Floats

    @classmethod
    def of(cls, at_s: Sequence[float] | Floats, values: Sequence[float] | Floats) -> Readings:
        """Take plain numbers.

        Raises:
            WithheldError: one is not finite, or the clock went backwards.
        """
        found = cls(at_s=np.asarray(at_s, float), values=np.asarray(values, float))
        if not (np.isfinite(found.at_s).all() and np.isfinite(found.values).all()):
            raise WithheldError("a reading is not a finite number")
        if (np.diff(found.at_s) < 0).any():
            raise WithheldError("the clock went backwards between two readings")
        return found

    def around(self, window: Window) -> Readings:
        """Those taken in a window, with the last one before it and the first one after it."""
        first = max(0, int(np.searchsorted(self.at_s, window.start_s, "left")) - 1)
        last = int(np.searchsorted(self.at_s, window.end_s, "right")) + 1
        return Readings(at_s=self.at_s[first:last], values=self.values[first:last])

    def between(self, start_s: float, end_s: float) -> Readings:
        """Those taken in a stretch, its ends included."""
        part = slice(
            np.searchsorted(self.at_s, start_s, "left"), np.searchsorted(self.at_s, end_s, "right")
        )
        return Readings(at_s=self.at_s[part], values=self.values[part])


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of steady work, or of idling.

    Attributes:
        start_s: its start, on the clock of the readings.
        end_s: its end.
        inputs: how many samples were inferred; 0 idle.
    """

    start_s: float
    end_s: float
    inputs: int = 0

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


def needed_window_s(sensor: Sensor, *, publish: bool = False) -> float:
    """Shortest window of work that a sensor supports; with `publish`, at least 60 s.

    A counter is blurred at both edges, by 1 % of a window of 40 τ; of power samples those that
    remember other times are left out, so that ten updates and three averages beyond them suffice.
    What shorter windows lack in steadiness, their spread shows, and their number makes good.
    """
    least = PUBLISHED_WINDOW_S if publish else MIN_WINDOW_S
    updates = _PERIODS if sensor.quantity == "energy" else _READINGS
    steady_s = max(updates * sensor.tau_s, _AVERAGES * sensor.window_s)
    return max(least, sensor.lag_s + steady_s)


def needed_idle_s(sensor: Sensor) -> float:
    """Shortest idle window: long enough for pieces whose spread can be told."""
    piece_s = max(_READINGS_OF_PIECE * sensor.tau_s, sensor.window_s)
    return max(MIN_IDLE_S, needed_window_s(sensor), sensor.lag_s + PIECES * piece_s)


def needed_warm_up_s(sensor: Sensor) -> float:
    """Shortest work before the first window: max(10 s, 3 w)."""
    return max(MIN_WARM_UP_S, _WARM_UP_AVERAGES * sensor.window_s)


def why_too_short(sensor: Sensor, duration_s: float, *, publish: bool = False) -> str | None:
    """Why a window of work is withheld for its length; None where it is long enough."""
    return _too_short(sensor, duration_s, needed_window_s(sensor, publish=publish))


def why_idle_too_short(sensor: Sensor, duration_s: float) -> str | None:
    """The same of an idle window."""
    return _too_short(sensor, duration_s, needed_idle_s(sensor))


def _too_short(sensor: Sensor, duration_s: float, needed: float) -> str | None:
    if duration_s >= needed - _ROUNDING_S:
        return None
    if needed in (MIN_WINDOW_S, MIN_IDLE_S, PUBLISHED_WINDOW_S):
        cause = "shorter ones hang on a few moments of the device"
    elif sensor.window_s > sensor.tau_s:
        cause = f"the sensor averages over {sensor.window_s:.3g} s"
    else:
        cause = f"the sensor gives a new value only every {sensor.tau_s:.3g} s"
    return f"the window lasted {duration_s:.3g} s, of {needed:.3g} s that it needs: {cause}"


def mean_power_w(sensor: Sensor, readings: Readings, window: Window) -> float:
    """Mean power over a window, without its first moments.

    The first `lag_s` is left out: until then a reading may still tell of the time before. For a
    counter this matters too. It lags by 0 to τ at both edges, which cancels on average only if
    the power just before the first edge is that of the window.

    Raises:
        WithheldError: the readings do not cover the window.
    """
    return power_between_w(sensor, readings, window.start_s + sensor.lag_s, window.end_s)


def power_between_w(sensor: Sensor, readings: Readings, start_s: float, end_s: float) -> float:
    """Mean power of a stretch in which power is steady.

    Raises:
        WithheldError: the readings do not cover the stretch.
    """
    if sensor.quantity == "energy":
        return _from_counter(sensor, readings, start_s, end_s)
    return _from_samples(sensor, readings.between(start_s, end_s), start_s, end_s)


def piece_powers_w(sensor: Sensor, readings: Readings, window: Window, count: int) -> Floats:
    """Mean power of equal, consecutive parts of a window; shape (count,).

    Raises:
        WithheldError: the readings do not cover each part.
    """
    edges = np.linspace(window.start_s + sensor.lag_s, window.end_s, count + 1)
    return np.array(
        [
            power_between_w(sensor, readings, float(start), float(end))
            for start, end in pairwise(edges)
        ]
    )


def edge_w(sensor: Sensor, power_w: float, duration_s: float) -> float:
    """Standard uncertainty of one window's mean power by its edges: P̄τ/(T√6).

    A counter is late by something between 0 and τ at each end; the difference of two such is
    triangular. Power samples have none: those that remember other times are left out.
    """
    if sensor.quantity == "power":
        return 0.0
    return abs(power_w) * sensor.period_s / (max(duration_s - sensor.lag_s, _ROUNDING_S) * 6**0.5)


def _from_counter(sensor: Sensor, readings: Readings, start_s: float, end_s: float) -> float:
    at_s = readings.at_s
    slack_s = max(sensor.period_s, (end_s - start_s) / _SLACK)
    if at_s.size < 2 or at_s[0] > start_s + slack_s or at_s[-1] < end_s - slack_s:  # noqa: PLR2004 - a difference needs two
        raise WithheldError("the counter was not read at both ends of a window")
    start_s, end_s = max(start_s, float(at_s[0])), min(end_s, float(at_s[-1]))
    first, last = np.interp([start_s, end_s], at_s, readings.values)
    return float(last - first) / (end_s - start_s)


def _from_samples(sensor: Sensor, inside: Readings, start_s: float, end_s: float) -> float:
    """Trapezoidal rule over the readings, over the time that they span."""
    most_s = max(_MOST_MISSING * sensor.tau_s, _LEAST_MISSING_S)
    silent_s = np.diff(inside.at_s, prepend=start_s, append=end_s).max()
    if inside.at_s.size < 2:  # noqa: PLR2004 - a trapezoid needs two
        raise WithheldError("the sensor gave fewer than two readings in a window")
    if silent_s > most_s:
        raise WithheldError(f"the sensor gave no reading for {silent_s:.3g} s within a window")
    steps_s = np.diff(inside.at_s)
    heights = (inside.values[1:] + inside.values[:-1]) / 2
    return float((heights * steps_s).sum() / steps_s.sum())
