"""Mean powers at work and idle, with the parts of their uncertainty that the readings show.

What the sensor's maker allows for is not in them. The formulas and their sources are in
docs/method/energy-arithmetic.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from inferometer.stats.energy_windows import (
    Floats,
    Readings,
    Sensor,
    Window,
    WithheldError,
    edge_w,
    mean_power_w,
    piece_powers_w,
    why_too_short,
)
from inferometer.stats.expanded import Part

_PIECES = 5  # of each idle window, whose spread tells how well its mean is known


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


@dataclass(frozen=True, kw_only=True)
class Rest:
    """Rest before and after.

    Attributes:
        levels_w: mean power of each of the two.
        parts: uncertainty of their mean as the idle power during the work, without gain and
            offset, watts.
    """

    levels_w: tuple[float, float]
    parts: tuple[Part, ...]

    @property
    def mean_w(self) -> float:
        """What is taken to be drawn idle during the work."""
        return sum(self.levels_w) / 2


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
        rounding_w=_rounding_w(sensor, readings, load),
    )


def _rounding_w(sensor: Sensor, readings: Readings, windows: Sequence[Window]) -> float:
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

    Args:
        values: one per window.
        work: the windows.
        per_watt: what a watt is in the unit of the values.
    """
    count = values.size
    spread = float(np.std(values, ddof=1))
    unseen = max(0.0, (work.edge_w * per_watt) ** 2 - spread**2) ** 0.5
    return [
        Part(name="windows", standard=spread / count**0.5, shape="student", freedom=count - 1),
        Part(name="edges", standard=unseen / count**0.5, shape="triangular"),
        Part(name="steps", standard=work.rounding_w * per_watt, shape="uniform"),
    ]


def rest_of(sensor: Sensor, readings: Readings, idle: Sequence[Window]) -> Rest:
    """Both idle levels, and how well their mean stands for that during the work.

    Between them the power may have been anywhere, hence (B₁ - B₂)²/12. The spread of the pieces of
    a window shows how well its mean is known. The edges between pieces cancel in the mean, so that
    what they add is taken off and only the outer edges are added.

    Raises:
        WithheldError: there are not two windows, they are too short, or the readings do not cover
            them.
    """
    if len(idle) < 2:  # noqa: PLR2004 - before and after
        raise WithheldError("idle power was not measured both before and after the work")
    for window in idle:
        reason = why_too_short(sensor, window.duration_s)
        if reason is not None:
            raise WithheldError(f"idle: {reason}")
    first, last = (mean_power_w(sensor, readings, window) for window in idle)
    pieces = [piece_powers_w(sensor, readings, window, _PIECES) for window in idle]
    variance = float(np.mean([np.var(powers, ddof=1) for powers in pieces]))
    mean_w, length_s = (first + last) / 2, min(window.duration_s for window in idle)
    inner = edge_w(sensor, mean_w, (length_s - sensor.lag_s) / _PIECES + sensor.lag_s)
    spread = max(0.0, variance - inner**2) ** 0.5
    freedom = len(idle) * (_PIECES - 1)
    outer = edge_w(sensor, mean_w, length_s) / len(idle) ** 0.5
    return Rest(
        levels_w=(first, last),
        parts=(
            Part(
                name="spread",
                standard=spread / (len(idle) * _PIECES) ** 0.5,
                shape="student",
                freedom=freedom,
            ),
            Part(name="edges", standard=outer, shape="triangular"),
            Part(name="steps", standard=_rounding_w(sensor, readings, idle), shape="uniform"),
            Part(name="drift", standard=abs(first - last) / 12**0.5, shape="uniform"),
        ),
    )
