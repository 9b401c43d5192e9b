"""What would make figures of this device steadier, judged from what was seen before a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inferometer.core.units import byte_count
from inferometer.host.conditions import Conditions
from inferometer.host.memory import Memory

LITTLE_MEMORY_BYTES = 1024**3
SWAP_THAT_COUNTS_BYTES = 16 * 1024**2
HOT_C = 80.0
"""Processors begin to lower their clock at 80 °C (Raspberry Pi) to 100 °C."""
_SLOW_PROFILES = ("low-power", "quiet", "cool")
_OTHER_PROFILES = ("balanced", "balanced-performance", "performance", "max-power", "custom")
"""Profiles of the kernel (Documentation/ABI/testing/sysfs-class-platform-profile)."""


def advise(device: Mapping[str, Any], memory: Memory, conditions: Conditions) -> list[str]:
    """What would help, one sentence each; a command to try follows after a line break.

    Args:
        device: what the device is (`host.identity`).
        memory: how much of it there is.
        conditions: the state it is in.
    """
    found = [
        _governor(device),
        _power_mode(conditions),
        _temperature(conditions),
        _memory(memory),
        _swap(memory),
        _load(device, conditions),
        "It runs from a battery, which lowers the clock: connect the power supply."
        if conditions.on_battery
        else None,
        "It is a virtual machine, which others on its host can slow unseen: measure small "
        "differences twice."
        if device["hypervisor"]
        else None,
    ]
    return [advice for advice in found if advice]


def _governor(device: Mapping[str, Any]) -> str | None:
    governor = device["governor"]
    if governor in (None, "performance"):
        return None
    jetson = "Jetson" in (device["board"] or "")
    command = "sudo jetson_clocks" if jetson else "sudo cpupower frequency-set -g performance"
    return f"The frequency governor is {governor}, so that the clock changes. Try:\n{command}"


def _power_mode(conditions: Conditions) -> str | None:
    """A Jetson's modes other than MAXN cap its clocks; which of them is wanted is a choice."""
    mode = conditions.power_mode
    if mode in _SLOW_PROFILES or conditions.energy_preference == "power":
        what = f"power mode is {mode}" if mode in _SLOW_PROFILES else "CPU is set to save power"
        return f"The {what}, which lowers the clock. Try:\npowerprofilesctl set performance"
    if mode is None or mode in _OTHER_PROFILES or mode.startswith("MAXN"):
        return None
    return f"The power mode is {mode}, which caps the clocks: compare only runs of the same mode."


def _temperature(conditions: Conditions) -> str | None:
    degrees = conditions.temperature_c
    if degrees is None or degrees <= HOT_C:
        return None
    return f"It is at {degrees:.0f} °C already, and slows down when it gets hotter: let it cool."


def _memory(memory: Memory) -> str | None:
    available = memory.available_bytes
    if available is None or available >= LITTLE_MEMORY_BYTES:
        return None
    return (
        f"Only {byte_count(available)} of memory can be had, too little for larger shapes: close "
        "other programs."
    )


def _swap(memory: Memory) -> str | None:
    used = memory.swap_used_bytes or 0
    if used < SWAP_THAT_COUNTS_BYTES:
        return None
    return (
        f"{byte_count(used)} of swap are in use, and come back slowly: close other programs, or "
        "restart the device."
    )


def _load(device: Mapping[str, Any], conditions: Conditions) -> str | None:
    load, cores = conditions.load_1min, device["cores_logical"] or 1
    # A large server is never quite idle.
    if load is None or load <= max(0.5, cores / 16):
        return None
    return (
        f"The load average of the last minute is {load:.2f}: close what else is running, or wait."
    )
