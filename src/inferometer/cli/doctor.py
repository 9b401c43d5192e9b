"""`inferometer doctor`: what this device is, what is installed, and what would help."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.backends import PluginState, plugin_states, state_lines
from inferometer.cli.options import json_option, write_json

if TYPE_CHECKING:
    from inferometer.host.conditions import Conditions
    from inferometer.host.memory import Memory

WIDTH = 80
UNSEEN = "not observable"
LITTLE_MEMORY_BYTES = 1024**3
SWAP_THAT_COUNTS_BYTES = 16 * 1024**2


@click.command()
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    help="Read a recorded device tree (proc/, sys/, etc/) instead of this machine's.",
)
@json_option
def doctor(*, root: Path, json_path: str | None) -> None:
    """Look at this device and at what is installed, and say what would help."""
    root = _checked(root)
    found = examine(root)
    if json_path is not None:
        write_json(found, json_path)
    if json_path != "-":
        click.echo("\n".join(_lines(found, root)))


def examine(root: Path) -> dict[str, Any]:
    """Everything that the doctor sees, as a JSON object. Imports no runtime."""
    from inferometer.backends import BACKENDS
    from inferometer.host.conditions import conditions
    from inferometer.host.identity import identify
    from inferometer.host.memory import memory
    from inferometer.host.software import versions
    from inferometer.models.registry import SOURCES

    device, amounts, state = identify(root), memory(root), conditions(root)
    return {
        "device": device,
        "memory": asdict(amounts),
        "conditions": asdict(state),
        "software": versions(),
        "backends": [asdict(backend) for backend in plugin_states(BACKENDS)],
        "sources": [asdict(source) for source in plugin_states(SOURCES)],
        "advice": advise(device, amounts, state),
    }


def advise(device: Mapping[str, Any], memory: Memory, conditions: Conditions) -> list[str]:
    """What would make figures of this device steadier, one or two sentences each."""
    found = [
        _governor_advice(device),
        _memory_advice(memory),
        _swap_advice(memory),
        _load_advice(device, conditions),
        "It runs from a battery, which lowers the clock: connect the power supply."
        if conditions.on_battery
        else None,
        "This is a virtual machine: others on its host can slow it, unseen from here. Repeat a run "
        "at another time before trusting small differences."
        if device["hypervisor"]
        else None,
    ]
    return [advice for advice in found if advice]


def _governor_advice(device: Mapping[str, Any]) -> str | None:
    governor = device["governor"]
    if governor in (None, "performance"):
        return None
    jetson = "Jetson" in (device["board"] or "")
    command = "sudo jetson_clocks" if jetson else "sudo cpupower frequency-set -g performance"
    return (
        f"The CPU's frequency governor is {governor}: the clock changes under way. Try:\n{command}"
    )


def _memory_advice(memory: Memory) -> str | None:
    from inferometer.core.units import byte_count

    available = memory.available_bytes
    if available is None or available >= LITTLE_MEMORY_BYTES:
        return None
    return (
        f"Only {byte_count(available)} of memory can be had: larger shapes may run out of it. "
        "Close other programs, or choose smaller batch sizes."
    )


def _swap_advice(memory: Memory) -> str | None:
    from inferometer.core.units import byte_count

    used = memory.swap_used_bytes or 0
    if used < SWAP_THAT_COUNTS_BYTES:
        return None
    return (
        f"{byte_count(used)} of swap are in use: memory was short, and what was moved out comes "
        "back slowly. Close other programs, or restart the device."
    )


def _load_advice(device: Mapping[str, Any], conditions: Conditions) -> str | None:
    load, cores = conditions.load_1min, device["cores_logical"] or 1
    # A large server is never quite idle.
    if load is None or load <= max(0.5, cores / 16):
        return None
    return (
        f"The load average is {load:.2f}: other programs are running, and they make figures slower "
        "and less steady. Close them, or wait."
    )


def _checked(root: Path) -> Path:
    root = root.resolve()
    if not any((root / name).is_dir() for name in ("proc", "sys")) and root != Path("/"):
        raise click.UsageError(
            f"{root} holds neither proc/ nor sys/: it is not a recorded device tree"
        )
    return root


def _lines(found: Mapping[str, Any], root: Path) -> list[str]:
    """The sections, at most 80 columns wide."""
    device = "Device" if root == Path("/") else f"Device recorded in {root}"
    sections = {
        device: _pairs(_device_part(found["device"])),
        "Memory and state": _pairs(_state_part(found)),
        "Backends": state_lines([PluginState(**state) for state in found["backends"]]),
        "Model sources": state_lines([PluginState(**state) for state in found["sources"]]),
        "Software": _pairs(found["software"]),
        "Advice": [f"- {advice}" for advice in found["advice"]] or ["Nothing to advise."],
    }
    lines: list[str] = []
    for title, part in sections.items():
        lines += ["", title, *(row for line in part for row in _wrapped(line))]
    return lines[1:]


def _device_part(device: Mapping[str, Any]) -> dict[str, str | None]:
    cores = device["cores_physical"]
    return {
        "name": device["name"],
        "board": device["board"],
        "CPU": device["cpu_model"],
        "architecture": device["architecture"],
        "usable cores": cores and f"{cores}, with {device['cores_logical']} hardware threads",
        "vector units": ", ".join(device["simd"]) or None,
        "governor": device["governor"],
        "hypervisor": device["hypervisor"] or "none seen",
        "system": device["os"],
        "kernel": device["kernel"],
    }


def _state_part(found: Mapping[str, Any]) -> dict[str, str | None]:
    from inferometer.core.units import byte_count

    memory, state = found["memory"], found["conditions"]
    amounts = {name: None if n is None else byte_count(n) for name, n in memory.items()}
    battery = state["on_battery"]
    return {
        "memory": amounts["total_bytes"],
        "available": amounts["available_bytes"],
        "limit": amounts["limit_bytes"] or "none seen",
        "swap": amounts["swap_total_bytes"],
        "swap in use": amounts["swap_used_bytes"],
        "load average": None if state["load_1min"] is None else f"{state['load_1min']:.2f}",
        "power": None if battery is None else "battery" if battery else "mains",
    }


def _pairs(values: Mapping[str, str | None]) -> list[str]:
    width = max(map(len, values))
    return [f"{name:<{width}}  {value or UNSEEN}" for name, value in values.items()]


def _wrapped(line: str) -> list[str]:
    """Lines of 80 columns at most; a command after a line break is kept whole."""
    words, _, command = line.partition("\n")
    rows = textwrap.wrap(
        words, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )
    return [*rows, f"      {command}"] if command else rows
