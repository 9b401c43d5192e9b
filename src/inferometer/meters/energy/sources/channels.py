"""Power from kernel files: one that holds watts, or volts times amperes; several added up.

Knows how the kernel's drivers for hwmon and IIO name and scale things; not which board it is on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.core.energy import Reading, Scope, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.sensorfile import SensorFile
from inferometer.meters.energy.surroundings import Surroundings

HWMON = "sys/class/hwmon"
CHIP_READS = tuple(
    f"{HWMON}/hwmon*/{name}"
    for name in (
        *("name", "update_interval", "in[1-3]_label", "in[1-3]_enable", "in[1-3]_input"),
        *("curr[1-3]_input", "shunt[1-3]_resistor"),
    )
)
"""What is looked at, for a dump of it."""
_INA3221_CHANNELS = (1, 2, 3)
"""`in4` to `in6` are shunt voltages and `in7` is their sum: no power."""
_INA3221_STEP_V = 40e-6
"""Step of the voltage over the shunt; data sheet SBOS576."""
_CURRENT_STEP_A = 0.008
"""Step with the 5 mΩ shunt of the Jetson modules, where the driver does not tell the shunt."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Something whose power can be read.

    Attributes:
        label: what the board's maker calls it, such as `VDD_IN`; may be empty.
        place: its number on the chip, such as `1`; empty where there is but one.
        files: their product, times `unit_w`, is the power.
        unit_w: watts of a product of 1.
        step_w: smallest step of the power, watts; 0 where nobody knows.
        unsigned: whether the sign tells only which way round the sensor is wired.
    """

    label: str
    place: str = ""
    files: tuple[SensorFile, ...]
    unit_w: float
    step_w: float = 0.0
    unsigned: bool = False

    @property
    def where(self) -> str:
        """The files and the label, for people."""
        files = " times ".join(f"/{file.path}" for file in self.files)
        return f"{files} ({self.label})" if self.label else files

    def watts(self) -> float:
        """The power now.

        Raises:
            SourceLostError: a file is gone, closed to us, or holds no number.
        """
        power = math.prod(file.value() for file in self.files) * self.unit_w
        return abs(power) if self.unsigned else power

    def close(self) -> None:
        """Let go of the files."""
        for file in self.files:
            file.close()


class ChannelSource:
    """A source whose power is the sum of its channels.

    Args:
        surroundings: the clock.
        info: what is known of it.
        channels: at least one.
    """

    def __init__(
        self, surroundings: Surroundings, info: SourceInfo, channels: Sequence[Channel]
    ) -> None:
        self.info = info
        self._clock = surroundings.clock
        self._channels = tuple(channels)

    def read(self) -> Reading:
        """Watts now.

        Raises:
            SourceLostError: a channel is gone, or may no longer be read.
        """
        before_s = self._clock()
        watts = sum(channel.watts() for channel in self._channels)
        return Reading(at_s=(before_s + self._clock()) / 2, value=watts)

    def close(self) -> None:
        """Let go of the files; a second call does nothing."""
        for channel in self._channels:
            channel.close()


def source_of(
    surroundings: Surroundings,
    channels: Sequence[Channel],
    *,
    kind: str,
    name: str,
    scope: Scope,
    period_s: float,
    note: str,
) -> ChannelSource:
    """A source of channels that are averaged over the time between two updates.

    Args:
        surroundings: the clock.
        channels: at least one.
        kind: as in `SourceInfo`.
        name: what makes it unique among those of its kind.
        scope: what it covers.
        period_s: seconds between two updates.
        note: what a reader should know of it.
    """
    info = SourceInfo(
        name=f"{kind}:{name}",
        kind=kind,
        scope=scope,
        method="measured",
        quantity="power",
        period_s=period_s,
        window_s=period_s,
        resolution=_step_of(channels),
        where=f"{', '.join(channel.where for channel in channels)}; {note}",
    )
    return ChannelSource(surroundings, info, channels)


def opened(
    surroundings: Surroundings,
    paths: Sequence[str],
    *,
    unit_w: float,
    label: str = "",
    place: str = "",
    step_w: float = 0.0,
    unsigned: bool = False,
) -> Channel | None:
    """A channel of files that are there and can be read now; None where one cannot."""
    try:
        files = tuple(SensorFile(surroundings, path) for path in paths)
        channel = Channel(
            label=label, place=place, files=files, unit_w=unit_w, step_w=step_w, unsigned=unsigned
        )
        channel.watts()
    except (OSError, SourceLostError):
        return None
    return channel


def ina3221_channels(surroundings: Surroundings, folder: str) -> list[Channel]:
    """The connected channels of an INA3221 chip in hwmon: millivolts times milliamperes."""
    found = []
    for number in _INA3221_CHANNELS:
        label = sensorfile.text(surroundings, f"{folder}/in{number}_label") or ""
        off = sensorfile.number(surroundings, f"{folder}/in{number}_enable") == 0
        if off or label.upper() == "NC":
            continue
        volts = f"{folder}/in{number}_input"
        shunt_uohm = sensorfile.number(surroundings, f"{folder}/shunt{number}_resistor")
        step_a = _INA3221_STEP_V / (shunt_uohm * 1e-6) if shunt_uohm else _CURRENT_STEP_A
        channel = opened(
            surroundings,
            (volts, f"{folder}/curr{number}_input"),
            label=label,
            place=str(number),
            unit_w=1e-6,
            step_w=step_a * (sensorfile.number(surroundings, volts) or 0) * 1e-3,
        )
        found += [channel] if channel else []
    return found


def iio_channels(surroundings: Surroundings, folder: str) -> list[Channel]:
    """The rails of an INA3221 chip under NVIDIA's older driver, in IIO: milliwatts."""
    found = []
    for path in sensorfile.folders(surroundings, f"{folder}/rail_name_*"):
        label, number = sensorfile.text(surroundings, path) or "", path.rpartition("_")[2]
        if not label or label.upper() == "NC":
            continue
        millivolts = sensorfile.number(surroundings, f"{folder}/in_voltage{number}_input") or 5000
        channel = opened(
            surroundings,
            (f"{folder}/in_power{number}_input",),
            label=label,
            place=number,
            unit_w=1e-3,
            step_w=_CURRENT_STEP_A * millivolts * 1e-3,
        )
        found += [channel] if channel else []
    return found


def _step_of(channels: Sequence[Channel]) -> float:
    """The step that a sum of channels has in effect: errors of rounding add in quadrature."""
    return math.hypot(*(channel.step_w for channel in channels))


def update_s(surroundings: Surroundings, folder: str, otherwise_s: float) -> float:
    """Seconds between two updates of a chip in hwmon, averages included."""
    said_ms = sensorfile.number(surroundings, f"{folder}/update_interval")
    return said_ms * 1e-3 if said_ms and said_ms > 0 else otherwise_s


def chips(surroundings: Surroundings) -> list[tuple[str, str]]:
    """Folder and name of each chip in hwmon."""
    return [
        (folder, name)
        for folder in sensorfile.folders(surroundings, f"{HWMON}/hwmon*")
        if (name := sensorfile.text(surroundings, f"{folder}/name"))
    ]
