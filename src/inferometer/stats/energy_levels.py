"""Mean power at work, with the parts of its uncertainty that the readings show.

What the sensor's maker allows for is not in them. The formulas and their sources are in
docs/method/energy-arithmetic.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from inferometer.stats.energy_windows import (
    MIN_WINDOWS,
    Floats,
    Readings,
    Sensor,
    Window,
    WithheldError,
    edge_w,
    mean_power_w,
)
from inferometer.stats.expanded import Part


@dataclass(frozen=True, kw_only=True)
class Work:
    """Windows of work.

    Attributes:
        power_w: mean power of each.
        seconds: time per sample in each.
        edge_w: standard uncertainty of the power of one by its edges.
        rounding_w: that of their mean by the steps of the readings.
    """

    power_w: Floats
    seconds: Floats
    edge_w: float
    rounding_w: float


def work_of(sensor: Sensor, readings: Readings, load: Sequence[Window]) -> Work:
    """Power and time per sample of each window of work.

    Raises:
        WithheldError: the readings do not cover them, or show no power.
    """
    power_w = np.array([mean_power_w(sensor, readings, window) for window in load])
    if power_w.mean() <= 0:
        raise WithheldError("the sensor reads no power under load")
    durations_s = np.array([window.duration_s for window in load])
    return Work(
        power_w=power_w,
        seconds=durations_s / np.array([window.inputs for window in load]),
        edge_w=edge_w(sensor, float(power_w.mean()), float(durations_s.min())),
        rounding_w=rounding_w(sensor, readings, load),
    )


def rounding_w(sensor: Sensor, readings: Readings, windows: Sequence[Window]) -> float:
    """Standard uncertainty of the mean power by the steps of the readings: LSB/√(12N).

    That holds where noise moves the readings over the steps. Where they spread by less than half a
    step, all are rounded alike and N is 1 (Widrow & Kollár, Quantization Noise, 2008, chapter 19).
    """
    if sensor.quantity == "energy":
        length_s = min(window.duration_s for window in windows)
        return sensor.resolution / length_s / sqrt(6 * len(windows))
    inside = np.concatenate(
        [readings.between(w.start_s + sensor.lag_s, w.end_s).values for w in windows]
    )
    moved = float(np.std(inside)) >= sensor.resolution / 2
    return sensor.resolution / sqrt(12 * (inside.size if moved else 1))


def parts_of(values: Floats, work: Work, per_watt: float) -> list[Part]:
    """Uncertainty of the mean of one value per window: their spread, and what it cannot show.

    The edges are read at random moments, so that the spread between windows holds them already;
    to add them again would count them twice (JCGM 100:2008, 4.3.10). Only what they should have
    spread beyond what was seen is added.

    Who measures on until the spread is small stops where it happens to be small. The degrees of
    freedom therefore stay those of the first windows, however many follow, as in Stein's two stages
    (1945): with those of all of them, intervals of 95 % held 92 % in simulation.

    Args:
        values: one per window.
        work: the windows.
        per_watt: what a watt is in the unit of the values.
    """
    count = values.size
    freedom = min(count, MIN_WINDOWS) - 1
    spread = float(np.std(values, ddof=1))
    unseen = max(0.0, (work.edge_w * per_watt) ** 2 - spread**2) ** 0.5
    return [
        Part(name="windows", standard=spread / count**0.5, shape="student", freedom=freedom),
        Part(name="edges", standard=unseen / count**0.5, shape="triangular"),
        Part(name="steps", standard=work.rounding_w * per_watt, shape="uniform"),
    ]
