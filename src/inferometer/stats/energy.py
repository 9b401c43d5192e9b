"""Energy per input and its uncertainty, from the readings of one sensor over one measurement.

The formulas and their sources are in docs/method/energy-arithmetic.md. Does not know which sensor
it is, nor what ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from inferometer.stats.energy_faults import check
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
from inferometer.stats.expanded import Part, combined, expanded

CONFIDENCE = 0.95
MIN_WINDOWS = 5
_PIECES = 5  # of each idle window, whose spread tells how well its mean is known


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and how well it is known.

    Attributes:
        value: the figure.
        standard: its standard uncertainty u.
        half: half of its 95 % interval, what follows the ±; about 2u, but see `expanded`. None
            where nothing at all is known about its uncertainty.
        parts: what the uncertainty is made of.
        unknown: what is not in it, because nobody states it: `gain`, `offset`.
    """

    value: float
    standard: float
    half: float | None
    parts: tuple[Part, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EnergyResult:
    """Everything that is said of one source about one workload; what is not known is None.

    Attributes:
        gross_j: joules per input, all that the device used.
        net_j: joules per input above rest.
        mean_w: mean power under load.
        idle_w: mean of the power at rest before and after.
        net_below_j: where the net energy cannot be told from nothing, what it is below, joules.
        reason: why there is no figure at all.
        net_reason: why there is no net figure.
        method: how the figures were taken, in words.
        windows: how many windows of work they rest on.
    """

    gross_j: Estimate | None = None
    net_j: Estimate | None = None
    mean_w: Estimate | None = None
    idle_w: Estimate | None = None
    net_below_j: float | None = None
    reason: str | None = None
    net_reason: str | None = None
    method: str = ""
    windows: int = 0


@dataclass(frozen=True, kw_only=True)
class _Load:
    """Windows of work, as arrays with one value each."""

    power_w: Floats
    seconds: Floats  # per input
    edge_w: float
    rounding_w: float


@dataclass(frozen=True, kw_only=True)
class _Idle:
    """Rest before and after.

    Attributes:
        levels_w: mean power of each of the two.
        parts: uncertainty of their mean as the power at rest during the work, without gain and
            offset, watts.
    """

    levels_w: tuple[float, float]
    parts: tuple[Part, ...]

    @property
    def mean_w(self) -> float:
        return sum(self.levels_w) / 2


def energy_per_input(
    sensor: Sensor,
    at_s: Sequence[float],
    values: Sequence[float],
    load: Sequence[Window],
    *,
    idle_before: Window | None = None,
    idle_after: Window | None = None,
    lost: str | None = None,
    publish: bool = False,
) -> EnergyResult:
    """Energy per input, gross and above rest, each with a 95 % interval or a reason.

    Args:
        sensor: what is known of it.
        at_s: when each reading was taken, seconds, ascending.
        values: joules that only grow, or watts.
        load: windows of work, apart by random gaps of up to the sensor's period, so that the
            moments at which it is read are independent between windows.
        idle_before: rest before the work, model loaded.
        idle_after: rest after it.
        lost: why the source stopped answering, if it did.
        publish: ask for windows of 60 s.
    """
    idle = tuple(window for window in (idle_before, idle_after) if window is not None)
    if lost is not None:
        return EnergyResult(reason=lost, net_reason=lost)
    try:
        _check_windows(sensor, load, publish=publish)
        readings = Readings.of(at_s, values)
        check(sensor, readings, load, idle)
        work = _work(sensor, readings, load)
    except WithheldError as error:
        return EnergyResult(reason=str(error), net_reason=str(error))
    gross_j = _with_bounds(sensor, work.power_w * work.seconds, work, offset=True)
    mean_w = _with_bounds(sensor, work.power_w, work, offset=True)
    found = EnergyResult(
        gross_j=gross_j, mean_w=mean_w, method=_method(gross_j, load), windows=len(load)
    )
    return _with_net(sensor, readings, work, idle, found)


def _check_windows(sensor: Sensor, load: Sequence[Window], *, publish: bool) -> None:
    if len(load) < MIN_WINDOWS:
        raise WithheldError(
            f"there are {len(load)} windows of work; fewer than {MIN_WINDOWS} do not show "
            "how much they differ"
        )
    for window in load:
        reason = why_too_short(sensor, window.duration_s, publish=publish)
        if reason is not None:
            raise WithheldError(reason)
        if window.inputs < 1:
            raise WithheldError("nothing was inferred in a window of work")


def _work(sensor: Sensor, readings: Readings, load: Sequence[Window]) -> _Load:
    power_w = np.array([mean_power_w(sensor, readings, window) for window in load])
    if power_w.mean() <= 0:
        raise WithheldError("the sensor reads no power under load")
    durations_s = np.array([window.duration_s for window in load])
    return _Load(
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


def _with_bounds(sensor: Sensor, values: Floats, work: _Load, *, offset: bool) -> Estimate:
    """Mean of one value per window, with all parts of its uncertainty."""
    value = float(values.mean())
    parts = _load_parts(values, work, value / float(work.power_w.mean()))
    return _bounded(sensor, value, parts, value / float(work.power_w.mean()) if offset else None)


def _load_parts(values: Floats, work: _Load, per_watt: float) -> list[Part]:
    """Spread of the windows, and what it cannot show.

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


def _bounded(
    sensor: Sensor, value: float, parts: Sequence[Part], per_watt: float | None
) -> Estimate:
    """Add what the sensor's maker allows for: uniform within bounds (JCGM 100:2008, 4.3.7).

    Args:
        sensor: what is known of it.
        value: the figure.
        parts: what else is uncertain of it.
        per_watt: what a watt of offset does to it; None where an offset cancels.
    """
    found, unknown = list(parts), []
    if sensor.gain is None:
        unknown.append("gain")
    else:
        gain = sensor.gain * abs(value) / 3**0.5
        found.append(Part(name="gain", standard=gain, shape="uniform"))
    if per_watt is not None and sensor.offset_w is None:
        unknown.append("offset")
    elif per_watt is not None and sensor.offset_w is not None:
        offset = sensor.offset_w * per_watt / 3**0.5
        found.append(Part(name="offset", standard=offset, shape="uniform"))
    half = expanded(found, CONFIDENCE)
    return Estimate(
        value=value,
        standard=combined(found),
        half=half if half > 0 else None,
        parts=tuple(found),
        unknown=tuple(unknown),
    )


def _with_net(
    sensor: Sensor, readings: Readings, work: _Load, idle: Sequence[Window], found: EnergyResult
) -> EnergyResult:
    """Add what rest and the work above it cost, or why that is not known."""
    try:
        rest = _rest(sensor, readings, idle)
    except WithheldError as error:
        return replace(found, net_reason=str(error))
    idle_w = _bounded(sensor, rest.mean_w, rest.parts, 1.0)
    net_j = _net(sensor, work, rest)
    found = replace(found, idle_w=idle_w)
    moved_w = abs(rest.levels_w[0] - rest.levels_w[1])
    if moved_w > abs(float(work.power_w.mean()) - rest.mean_w):
        return replace(
            found,
            net_reason=f"the power at rest moved by {moved_w:.3g} W between before and after, "
            "by more than the work added",
        )
    half_j = net_j.half or 0.0
    if net_j.value <= half_j:
        below_j = max(net_j.value, 0.0) + half_j
        reason = "not distinguishable from idle" + (f", < {below_j:.3g} J" if below_j else "")
        return replace(found, net_below_j=below_j or None, net_reason=reason)
    return replace(found, net_j=net_j)


def _net(sensor: Sensor, work: _Load, rest: _Idle) -> Estimate:
    values = (work.power_w - rest.mean_w) * work.seconds
    seconds = float(work.seconds.mean())
    parts = _load_parts(values, work, seconds)
    parts += [
        Part(
            name=f"idle {part.name}",
            standard=part.standard * seconds,
            shape=part.shape,
            freedom=part.freedom,
        )
        for part in rest.parts
    ]
    return _bounded(sensor, float(values.mean()), parts, None)


def _rest(sensor: Sensor, readings: Readings, idle: Sequence[Window]) -> _Idle:
    """Both levels at rest, and how well their mean stands for rest during the work.

    Between them the power may have been anywhere, hence (B₁ - B₂)²/12. The spread of the pieces of
    a window shows how well its mean is known. The edges between pieces cancel in the mean, so that
    what they add is taken off and only the outer edges are added.
    """
    if len(idle) < 2:  # noqa: PLR2004 - before and after
        raise WithheldError("power at rest was not measured both before and after the work")
    for window in idle:
        reason = why_too_short(sensor, window.duration_s)
        if reason is not None:
            raise WithheldError(f"at rest, {reason}")
    first, last = (mean_power_w(sensor, readings, window) for window in idle)
    pieces = [piece_powers_w(sensor, readings, window, _PIECES) for window in idle]
    variance = float(np.mean([np.var(powers, ddof=1) for powers in pieces]))
    mean_w, length_s = (first + last) / 2, min(window.duration_s for window in idle)
    inner = edge_w(sensor, mean_w, (length_s - sensor.lag_s) / _PIECES + sensor.lag_s)
    spread = max(0.0, variance - inner**2) ** 0.5
    freedom = len(idle) * (_PIECES - 1)
    outer = edge_w(sensor, mean_w, length_s) / len(idle) ** 0.5
    return _Idle(
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


def _method(gross: Estimate, load: Sequence[Window]) -> str:
    length_s = min(window.duration_s for window in load)
    method = f"mean of {len(load)} windows of {length_s:.3g} s, ± holds {CONFIDENCE:.0%}"
    if "gain" in gross.unknown:
        return f"{method}, ± statistical only: the accuracy of the sensor is not stated"
    if "offset" in gross.unknown:
        return f"{method}, ± without the offset of the sensor, which is not stated"
    return method
