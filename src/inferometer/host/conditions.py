"""The state that a device is in now, as far as it bears on a measurement."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from inferometer.host.files import LIVE, is_live, read_text


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The state of a device; None where it is not observable.

    Attributes:
        load_1min: average number of runnable processes in the last minute.
        on_battery: whether it runs from a battery.
    """

    load_1min: float | None
    on_battery: bool | None


def conditions(root: Path = LIVE) -> Conditions:
    """The state of a device now."""
    return Conditions(load_1min=_load(root), on_battery=_on_battery(root))


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
