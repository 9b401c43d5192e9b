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

MIN_WINDOW_S = 10.0
PUBLISHED_WINDOW_S = 60.0  # as in MLPerf Power
MIN_WARM_UP_S = 10.0
_PERIODS = 100  # in a window, so that its two edges are below 1 %
_AVERAGES = 10  # sensor averages in a window
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
    """Shortest window in which a sensor can be trusted: max(10 s, 100 τ, 10 w).

    The two edges of a window of 100 τ cost at most 1 % together. With `publish`, at least 60 s.
    """
    least = PUBLISHED_WINDOW_S if publish else MIN_WINDOW_S
    return max(least, _PERIODS * sensor.tau_s, _AVERAGES * sensor.window_s)


def needed_warm_up_s(sensor: Sensor) -> float:
    """Shortest work before the first window: max(10 s, 3 w)."""
    return max(MIN_WARM_UP_S, _WARM_UP_AVERAGES * sensor.window_s)


def why_too_short(sensor: Sensor, duration_s: float, *, publish: bool = False) -> str | None:
    """Why a window is withheld for its length; None where it is long enough."""
    needed = needed_window_s(sensor, publish=publish)
    if duration_s >= needed - _ROUNDING_S:
        return None
    if needed == _AVERAGES * sensor.window_s:
        cause = f"the sensor averages over {sensor.window_s:.3g} s"
    elif needed == _PERIODS * sensor.tau_s:
        cause = f"the sensor tells something new every {sensor.tau_s:.3g} s"
    else:
        cause = "shorter ones hang on a few moments of the device"
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
    slack_s = max(sensor.period_s, (end_s - start_s) / _PERIODS)
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
