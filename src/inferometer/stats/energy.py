"""Energy per sample and its uncertainty, from the readings of one sensor over one measurement.

The formulas and their sources are in docs/method/energy-arithmetic.md. Does not know which sensor
it is, nor what ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inferometer.stats.energy_faults import check
from inferometer.stats.energy_idle import Idle, idle_of
from inferometer.stats.energy_levels import Work, parts_of, work_of
from inferometer.stats.energy_windows import (
    MIN_WINDOWS,
    Floats,
    Readings,
    Sensor,
    Window,
    WithheldError,
    why_too_short,
)
from inferometer.stats.expanded import Part, combined, expanded

CONFIDENCE = 0.95


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
        gross_j: joules per sample, all that the device used.
        net_j: joules per sample above idle.
        mean_w: mean power under load.
        idle_w: mean idle power at the time of the windows.
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


def energy_per_sample(
    sensor: Sensor,
    at_s: Sequence[float] | Floats,
    values: Sequence[float] | Floats,
    load: Sequence[Window],
    *,
    idle: Sequence[Window] = (),
    lost: str | None = None,
    publish: bool = False,
) -> EnergyResult:
    """Energy per sample, gross and net, each with a 95 % interval or a reason.

    Args:
        sensor: what is known of it.
        at_s: when each reading was taken, seconds, ascending.
        values: joules that only grow, or watts.
        load: windows of work in time order, apart by random gaps of at least up to the sensor's
            period, so that the moments at which it is read are independent between windows.
        idle: idle windows in time order, model loaded: before, perhaps among, and after the work.
        lost: why the source stopped answering, if it did.
        publish: ask for windows of 60 s.
    """
    if lost is not None:
        return EnergyResult(reason=lost, net_reason=lost)
    try:
        _check_windows(sensor, load, publish=publish)
        readings = Readings.of(at_s, values)
        check(sensor, readings, load, idle)
        work = work_of(sensor, readings, load)
    except WithheldError as error:
        return EnergyResult(reason=str(error), net_reason=str(error))
    gross_j = _figure(sensor, work.power_w * work.seconds, work)
    mean_w = _figure(sensor, work.power_w, work)
    found = EnergyResult(
        gross_j=gross_j, mean_w=mean_w, method=_method(gross_j, load), windows=len(load)
    )
    return _with_net(sensor, readings, work, (load, idle), found)


def windows_would_help(figure: Estimate, target: float) -> bool:
    """Whether a figure misses its target, and further windows could mend that.

    They mend what differs between windows, not what the sensor is off by.

    Args:
        figure: mean of windows.
        target: half-width to reach, as a share of the figure.
    """
    if figure.half is None or figure.half <= target * figure.value:
        return False
    lasting = [part for part in figure.parts if part.name != "windows"]
    return expanded(lasting, CONFIDENCE) < target * figure.value


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


def _figure(sensor: Sensor, values: Floats, work: Work) -> Estimate:
    """Mean of one value per window, with all parts of its uncertainty."""
    value = float(values.mean())
    per_watt = value / float(work.power_w.mean())
    return _bounded(sensor, value, parts_of(values, work, per_watt), per_watt)


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
    sensor: Sensor,
    readings: Readings,
    work: Work,
    windows: tuple[Sequence[Window], Sequence[Window]],
    found: EnergyResult,
) -> EnergyResult:
    """Add the idle power and the net energy, or why that is not known."""
    load, idle = windows
    try:
        level = idle_of(sensor, readings, idle, load)
    except WithheldError as error:
        return replace(found, net_reason=str(error))
    idle_w = _bounded(sensor, level.mean_w, level.parts, 1.0)
    net_j = _net(sensor, work, level)
    found = replace(found, idle_w=idle_w)
    if level.moved_w > abs(float(work.power_w.mean()) - level.mean_w):
        return replace(
            found,
            net_reason=f"idle power moved by {level.moved_w:.3g} W between before and after, "
            "by more than the work added",
        )
    half_j = net_j.half or 0.0
    if net_j.value <= half_j:
        below_j = max(net_j.value, 0.0) + half_j
        reason = "not distinguishable from idle" + (f", < {below_j:.3g} J" if below_j else "")
        return replace(found, net_below_j=below_j or None, net_reason=reason)
    return replace(found, net_j=net_j)


def _net(sensor: Sensor, work: Work, level: Idle) -> Estimate:
    values = (work.power_w - level.level_w) * work.seconds
    seconds = float(work.seconds.mean())
    parts = parts_of(values, work, seconds)
    parts += [
        Part(
            name=f"idle {part.name}",
            standard=part.standard * seconds,
            shape=part.shape,
            freedom=part.freedom,
        )
        for part in level.parts
    ]
    return _bounded(sensor, float(values.mean()), parts, None)


def _method(gross: Estimate, load: Sequence[Window]) -> str:
    length_s = min(window.duration_s for window in load)
    method = f"mean of {len(load)} windows of {length_s:.3g} s, ± holds {CONFIDENCE:.0%}"
    if "gain" in gross.unknown:
        return f"{method}, ± statistical only: the accuracy of the sensor is not stated"
    if "offset" in gross.unknown:
        return f"{method}, ± without the offset of the sensor, which is not stated"
    return method
