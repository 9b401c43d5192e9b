"""What readings look like when the sensor behind them has failed without saying so.

A sensor that fails for good is found; one that freezes for part of the load and then goes on is
not, and need not be: its readings are still of the load, and the spread of the windows shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inferometer.stats.energy_windows import Floats, Readings, Sensor, Window, WithheldError

_LEAP = 3  # times the power of the load that no steady work reaches between two readings
_SURE_STEPS = 10  # of the resolution, that a counter should have gone while it stood still
_SURE_PERIODS = 5
_LIVELY = 4  # different readings within an idle window, of a sensor that does not stand still


def check(
    sensor: Sensor, readings: Readings, load: Sequence[Window], idle: Sequence[Window]
) -> None:
    """Look for a failure.

    Args:
        sensor: what is known of it.
        readings: all of one run.
        load: windows of work, in time order.
        idle: windows of idling, in time order; may be empty.

    Raises:
        WithheldError: the readings cannot be those of a working sensor.
    """
    if sensor.stated:
        return
    if sensor.quantity == "energy":
        _check_counter(sensor, readings, load, idle)
    else:
        _check_samples(sensor, readings, load, idle)


def _check_counter(
    sensor: Sensor, readings: Readings, load: Sequence[Window], idle: Sequence[Window]
) -> None:
    steps_s, rises = _steps_of(readings, (*load, *idle))
    if (rises < 0).any():
        raise WithheldError("the counter went backwards: it was reset")
    load_w = _typical_w(sensor, readings, load)
    if load_w <= 0:
        raise WithheldError("the counter did not move under load: it is frozen")
    most = _LEAP * load_w * (steps_s + 2 * sensor.period_s) + 2 * sensor.resolution
    if (rises > most).any():
        raise WithheldError(
            "the counter leapt by more than this device can use: it was reset, or wrapped unseen"
        )
    idle_w = max((_typical_w(sensor, readings, [window]) for window in idle), default=0.0)
    if idle and idle_w <= 0:
        raise WithheldError("the counter did not move while the device was idle: it is frozen")
    for windows, typical_w in ((load, load_w), (idle, idle_w)):
        if any(_stands_still(sensor, readings, window, typical_w) for window in windows):
            raise WithheldError("the counter stood still within a window: it is frozen")


def _steps_of(readings: Readings, windows: Sequence[Window]) -> tuple[Floats, Floats]:
    """Seconds and rises between readings of windows; other workloads may work between these."""
    around = [readings.around(window) for window in windows]
    return (
        np.concatenate([np.diff(one.at_s) for one in around]),
        np.concatenate([np.diff(one.values) for one in around]),
    )


def _typical_w(sensor: Sensor, readings: Readings, windows: Sequence[Window]) -> float:
    """Median power between two readings far enough apart to tell."""
    powers = [np.zeros(0)]
    for window in windows:
        inside = readings.between(window.start_s, window.end_s)
        steps_s = np.diff(inside.at_s)
        far = steps_s >= _far_s(sensor)
        powers.append(np.diff(inside.values)[far] / steps_s[far])
    found = np.concatenate(powers)
    return float(np.median(found)) if found.size else 0.0


def _stands_still(sensor: Sensor, readings: Readings, window: Window, typical_w: float) -> bool:
    inside = readings.between(window.start_s, window.end_s)
    steps_s = np.diff(inside.at_s)
    due = (steps_s >= _far_s(sensor)) & (typical_w * steps_s >= _SURE_STEPS * sensor.resolution)
    return bool((due & (np.diff(inside.values) == 0)).any())


def _far_s(sensor: Sensor) -> float:
    return max(_SURE_PERIODS * sensor.period_s, 1e-3)


def _check_samples(
    sensor: Sensor, readings: Readings, load: Sequence[Window], idle: Sequence[Window]
) -> None:
    """Repeated values alone prove nothing, since a coarse sensor gives them all the time.

    One that shows the same value idle and under load, with nothing else in between, is frozen,
    or too coarse for this load; neither gives a figure. One that varied while the device idled,
    and shows a single value in another idle window, froze before that.
    """
    worked = np.concatenate([_settled(sensor, readings, window) for window in load])
    if worked.size and (worked <= 0).all():
        raise WithheldError("the sensor reads no power under load")
    different = [np.unique(_settled(sensor, readings, window)).size for window in idle]
    if different and min(different) == 1 and max(different) >= _LIVELY:
        raise WithheldError("the sensor stood still while the device was idle: it is frozen")
    for window in idle:
        rested = _settled(sensor, readings, window)
        before, after = (
            [one for one in load if one.end_s <= window.start_s],
            [one for one in load if one.start_s >= window.end_s],
        )
        held = before and _holds(_settled(sensor, readings, before[-1])[-1:], rested)
        later = [_settled(sensor, readings, one) for one in after]
        if held or (later and _holds(rested[-1:], np.concatenate(later))):
            raise WithheldError(
                "the readings did not change between load and idle: "
                "the sensor is frozen, or its steps are too coarse for this load"
            )


def _holds(last: Floats, then: Floats) -> bool:
    """Whether all later readings are the last one."""
    return bool(last.size and then.size and (then == last[0]).all())


def _settled(sensor: Sensor, readings: Readings, window: Window) -> Floats:
    return readings.between(window.start_s + sensor.lag_s, window.end_s).values
