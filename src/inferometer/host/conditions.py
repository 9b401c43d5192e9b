"""The state that a device is in now, as far as it bears on a measurement."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from inferometer.host.cpus import usable_cpus
from inferometer.host.files import LIVE, is_live, read_line, read_text
from inferometer.host.levels import hottest_c, thermometers

_CPUS = "sys/devices/system/cpu"
_JETSON_NOW = "var/lib/nvpmodel/status"
_JETSON_MODES = "etc/nvpmodel.conf"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The state of a device; None where it is not observable.

    Attributes:
        load_1min: average number of runnable processes in the last minute.
        on_battery: whether it runs from a battery.
        temperature_c: the hottest believable thermometer, degrees Celsius.
        power_mode: what the firmware or a Jetson's `nvpmodel` was set to: `balanced`, `MAXN`.
        turbo: whether the clock may rise above its nominal value for a while.
        energy_preference: how the processor weighs speed against power: `balance_performance`.
    """

    load_1min: float | None
    on_battery: bool | None
    temperature_c: float | None = None
    power_mode: str | None = None
    turbo: bool | None = None
    energy_preference: str | None = None


def conditions(root: Path = LIVE) -> Conditions:
    """The state of a device now."""
    return Conditions(
        load_1min=_load(root),
        on_battery=_on_battery(root),
        temperature_c=hottest_c(thermometers(root)),
        power_mode=_jetson_mode(root) or read_line(root, "sys/firmware/acpi/platform_profile"),
        turbo=_turbo(root),
        energy_preference=_energy_preference(root),
    )


def _load(root: Path) -> float | None:
    text = read_text(root, "proc/loadavg")
    try:
        if text is None:
            return os.getloadavg()[0] if is_live(root) else None
        load = float(text.split()[0])
    except (OSError, ValueError):
        return None
    return load if 0 <= load < math.inf else None


def _on_battery(root: Path) -> bool | None:
    """Whether no mains supply is on line and a battery discharges; None without either."""
    supplies = root / "sys/class/power_supply"
    try:
        names = sorted(entry.name for entry in supplies.iterdir())
    except OSError:
        return None
    states = [_supply(root, f"sys/class/power_supply/{name}") for name in names]
    if not any(states):
        return None
    return "discharging" in states and "on line" not in states


def _supply(root: Path, folder: str) -> str | None:
    kind = read_text(root, f"{folder}/type")
    # The battery of a mouse or a pen is of scope Device.
    if kind == "Battery" and read_text(root, f"{folder}/scope") != "Device":
        return (read_text(root, f"{folder}/status") or "").lower() or None
    if kind in ("Mains", "USB"):
        return "on line" if read_text(root, f"{folder}/online") == "1" else "off line"
    return None


def _jetson_mode(root: Path) -> str | None:
    """Name of the mode that `nvpmodel` was set to, or its number where the name is not known."""
    now = re.search(r"\bpmode:(\d{1,4})\b", read_text(root, _JETSON_NOW) or "")
    if now is None:
        return None
    number = int(now[1])
    modes = re.findall(
        r"^<\s*POWER_MODEL\s+ID=(\d{1,4})\s+NAME=(\S{1,40})\s*>",
        read_text(root, _JETSON_MODES) or "",
        re.MULTILINE,
    )
    return next((name for mode, name in modes if int(mode) == number), f"mode {number}")


def _turbo(root: Path) -> bool | None:
    """Intel's driver says where turbo is off, others where it is on."""
    switches = (("intel_pstate/no_turbo", "0"), ("cpufreq/boost", "1"))
    for name, on in switches:
        text = read_line(root, f"{_CPUS}/{name}")
        if text in ("0", "1"):
            return text == on
    return None


def _energy_preference(root: Path) -> str | None:
    """Of all CPUs that may be used; `mixed: …` where they differ."""
    paths = (f"{_CPUS}/cpu{cpu}/cpufreq/energy_performance_preference" for cpu in usable_cpus(root))
    found = sorted({text for path in paths if (text := read_line(root, path))})
    return f"mixed: {', '.join(found)}" if len(found) > 1 else next(iter(found), None)
