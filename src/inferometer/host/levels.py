"""What a device shows at one moment: clock, temperature, reasons for throttling."""

from __future__ import annotations

import re
from pathlib import Path

from inferometer.host.counters import some_cpus
from inferometer.host.files import read_text
from inferometer.host.gpu import Events
from inferometer.host.kept import KeptFile, keep, keep_matching, numbers

_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_NOW = 0xF
"""Raspberry Pi: under-voltage, clock capped, throttled, soft limit, at this moment."""
_SINCE_BOOT = 0xF0000
"""The same since the device started; only what is new since we look is ours."""
_CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "scpi_sensors")
"""Thermometers of processors; those of disks take milliseconds to answer."""
_COLDEST_C, _HOTTEST_C = -50.0, 150.0


class Levels:
    """Reads all levels under a root; the files are looked for once.

    Args:
        root: where `sys/` is.
        gpu: reads why the clock of the workload's GPU is held back; None where it has none.
    """

    def __init__(self, root: Path, gpu: Events | None = None) -> None:
        clocks = [keep(root, f"{cpu}/cpufreq/scaling_cur_freq") for cpu in some_cpus(root)]
        self._clocks = [file for file in clocks if file is not None]
        self._thermometers = thermometers(root)
        self._throttled = keep(root, _THROTTLED)
        self._known = self._firmware_bits() or 0
        self._gpu = gpu or (lambda: None)

    def read(self) -> dict[str, float]:
        """All levels that can be read, by name."""
        found: dict[str, float] = {}
        clocks_khz = [clock for clock in numbers(self._clocks) if clock > 0]
        if clocks_khz:
            # The fastest one: idle CPUs slow down, which is none of the workload's business.
            found["frequency_min_hz"] = found["frequency_max_hz"] = 1e3 * max(clocks_khz)
        if (degrees := hottest_c(self._thermometers)) is not None:
            found["temperature_c"] = degrees
        if (bits := self._firmware_bits()) is not None:
            found["throttled_bits"] = float(bits & _NOW | bits & ~self._known & _SINCE_BOOT)
        if (events := self._gpu()) is not None:
            found["gpu_clock_event_bits"] = float(events)
        return found

    def _firmware_bits(self) -> int | None:
        text = self._throttled.text() if self._throttled else ""
        return int(text, 16) if re.fullmatch("(0x)?[0-9a-fA-F]{1,8}", text) else None


def widest(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Two looks in one: the extremes of what is in both, and all bits that were set."""
    found = {**before, **after}
    for name in before.keys() & after.keys():
        pair = before[name], after[name]
        if name.endswith("_bits"):
            found[name] = float(int(pair[0]) | int(pair[1]))
        else:
            found[name] = min(pair) if name == "frequency_min_hz" else max(pair)
    return found


def thermometers(root: Path) -> list[KeptFile]:
    """The thermal zones of the kernel and the sensors of the processor."""
    found = keep_matching(root, "sys/class/thermal", "thermal_zone*/temp")
    for chip in _entries(root, "sys/class/hwmon"):
        if read_text(root, f"{chip}/name") in _CPU_CHIPS:
            found += keep_matching(root, chip, "temp*_input")
    return found


def _entries(root: Path, folder: str) -> list[str]:
    """Paths of what lies in a folder."""
    try:
        return sorted(str(entry.relative_to(root)) for entry in (root / folder).iterdir())
    except OSError:
        return []


def hottest_c(files: list[KeptFile]) -> float | None:
    """The highest believable temperature, degrees Celsius."""
    degrees = [value / 1000 for value in numbers(files)]
    return max((t for t in degrees if _COLDEST_C < t < _HOTTEST_C), default=None)
