"""Idle power at the time of each window of work, from idle windows among them.

Formulas and sources are in docs/method/energy-arithmetic.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inferometer.stats.energy_levels import rounding_w
from inferometer.stats.energy_windows import (
    PIECES,
    Floats,
    Readings,
    Sensor,
    Window,
    WithheldError,
    edge_w,
    mean_power_w,
    piece_powers_w,
    why_idle_too_short,
)
from inferometer.stats.expanded import Part


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Idle power during the work.

    Attributes:
        level_w: at the time of each window of work, interpolated.
        moved_w: most that it moved from one idle window to the next.
        parts: uncertainty of the mean of these levels, without gain and offset, watts.
    """

    level_w: Floats
    moved_w: float
    parts: tuple[Part, ...]

    @property
    def mean_w(self) -> float:
        """Mean idle power during the work."""
        return float(self.level_w.mean())


def idle_of(
    sensor: Sensor, readings: Readings, idle: Sequence[Window], load: Sequence[Window]
) -> Idle:
    """Idle power at each window of work, interpolated between the idle windows around it.

    Raises:
        WithheldError: the work does not lie between idle windows, one is too short, or the
            readings do not cover one.
    """
    if not idle or idle[0].end_s > load[0].start_s or idle[-1].start_s < load[-1].end_s:
        raise WithheldError("idle power was not measured both before and after the work")
    for window in idle:
        reason = why_idle_too_short(sensor, window.duration_s)
        if reason is not None:
            raise WithheldError(f"idle: {reason}")
    measured_w = np.array([mean_power_w(sensor, readings, window) for window in idle])
    at_s = np.array([middle_s(window) for window in idle])
    work_s = np.array([middle_s(window) for window in load])
    weights = np.array([np.interp(work_s, at_s, unit).mean() for unit in np.eye(at_s.size)])
    return Idle(
        level_w=np.interp(work_s, at_s, measured_w),
        moved_w=float(np.abs(np.diff(measured_w)).max()),
        parts=(
            *_measuring(sensor, readings, idle, weights, float(measured_w.mean())),
            _drift(at_s, measured_w, work_s),
        ),
    )


def middle_s(window: Window) -> float:
    """Time of the middle of a window."""
    return (window.start_s + window.end_s) / 2


def _measuring(
    sensor: Sensor, readings: Readings, idle: Sequence[Window], weights: Floats, mean_w: float
) -> tuple[Part, ...]:
    """How well the mean of the levels is known, by what each idle window shows.

    The spread of the pieces of a window tells how well its mean is known. The edges between pieces
    cancel in the mean, so that what they add is taken off and only the outer edges are added.
    """
    pieces = [piece_powers_w(sensor, readings, window, PIECES) for window in idle]
    variance = float(np.mean([np.var(powers, ddof=1) for powers in pieces]))
    length_s = min(window.duration_s for window in idle)
    inner = edge_w(sensor, mean_w, (length_s - sensor.lag_s) / PIECES + sensor.lag_s)
    spread = (max(0.0, variance - inner**2) / PIECES) ** 0.5
    share = float(np.sqrt((weights**2).sum()))
    used = [window for window, weight in zip(idle, weights, strict=True) if weight > 0]
    return (
        Part(
            name="spread",
            standard=spread * share,
            shape="student",
            freedom=len(idle) * (PIECES - 1),
        ),
        Part(name="edges", standard=edge_w(sensor, mean_w, length_s) * share, shape="triangular"),
        Part(name="steps", standard=rounding_w(sensor, readings, used), shape="uniform"),
    )


def _drift(at_s: Floats, measured_w: Floats, work_s: Floats) -> Part:
    """How far the idle power may have been from the line between two idle windows.

    Where it stepped by d at a moment that nobody knows, the error of the line at m windows, each at
    a moment of its own, has the variance d²(1 + 1/m)/12 in their mean. Stretches between two idle
    windows are independent, and count by their windows of work.
    """
    stretch = np.clip(np.searchsorted(at_s, work_s) - 1, 0, at_s.size - 2)
    counts = np.bincount(stretch, minlength=at_s.size - 1)
    taken = counts > 0
    shares, steps_w = counts[taken] / work_s.size, np.diff(measured_w)[taken]
    variance = float((shares**2 * steps_w**2 * (1 + 1 / counts[taken]) / 12).sum())
    alone = taken.sum() == 1
    return Part(name="drift", standard=variance**0.5, shape="uniform" if alone else "triangular")
