"""`inferometer doctor`: what this device is, what is installed, and what would help."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from inferometer.cli.backends import PluginState, plugin_states, state_lines
from inferometer.cli.doctor_power import examine_power, power_lines, remedies
from inferometer.cli.flags import root_option
from inferometer.cli.options import FOLDER, json_option, write_json
from inferometer.core.shown import shown

WIDTH = 80
UNSEEN = "not observable"


@click.command()
@root_option
@click.option(
    "--dump",
    "dump_path",
    metavar="DIR",
    type=FOLDER,
    help="Write what was read to this new folder, without names, addresses and serial numbers.",
)
@json_option
def doctor(*, root: Path, dump_path: Path | None, json_path: str | None) -> None:
    """Check this device and what is installed, and say what would help.

    \b
    Examples:
      inferometer doctor
      inferometer doctor --dump board             to send, or for run --root
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    if dump_path is not None:
        from inferometer.meters.energy.recording import dump
        from inferometer.meters.energy.surroundings import Surroundings

        click.echo(dump(Surroundings(root=root), dump_path), err=True)
        return
    found = examine(root)
    if json_path is not None:
        write_json(found, json_path)
    if json_path != "-":
        click.echo("\n".join(_lines(found, root)))


def examine(root: Path) -> dict[str, Any]:
    """Everything that the doctor sees, as a JSON object. Imports no runtime."""
    from inferometer.backends import BACKENDS
    from inferometer.host.advice import advise
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
        **examine_power(root),
    }


def _lines(found: Mapping[str, Any], root: Path) -> list[str]:
    """The sections, at most 80 columns wide."""
    device = "Device" if root == Path("/") else f"Device recorded in {shown(root)}"
    sections = {
        device: _pairs(_device_part(found["device"])),
        "Memory and state": _pairs(_state_part(found)),
        "Power sources": power_lines(found),
        "Backends": state_lines([PluginState(**state) for state in found["backends"]]),
        "Model sources": state_lines([PluginState(**state) for state in found["sources"]]),
        "Software": _pairs(found["software"]),
        "Advice": [f"- {advice}" for advice in found["advice"]] or ["Nothing to advise."],
    }
    lines: list[str] = []
    for title, part in sections.items():
        lines += ["", title, *(row for line in part for row in _wrapped(line))]
    for remedy in remedies(found):
        lines += ["", *remedy.rstrip().splitlines()]
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
    battery, turbo, degrees = state["on_battery"], state["turbo"], state["temperature_c"]
    return {
        "memory": amounts["total_bytes"],
        "available": amounts["available_bytes"],
        "limit": amounts["limit_bytes"] or "none seen",
        "swap": amounts["swap_total_bytes"],
        "swap in use": amounts["swap_used_bytes"],
        "load average": None if state["load_1min"] is None else f"{state['load_1min']:.2f}",
        "temperature": None if degrees is None else f"{degrees:.0f} °C",
        "power": None if battery is None else "battery" if battery else "mains",
        "power mode": state["power_mode"],
        "turbo": None if turbo is None else "on" if turbo else "off",
        "energy preference": state["energy_preference"],
    }


def _pairs(values: Mapping[str, str | None]) -> list[str]:
    width = max(map(len, values))
    return [f"{name:<{width}}  {value or UNSEEN}" for name, value in values.items()]


def _wrapped(line: str) -> list[str]:
    """Lines of 80 columns at most; a command after a line break is kept whole."""
    words, _, command = line.partition("\n")
    indent = " " * (2 + (len(words) - len(words.lstrip()) or 2))
    rows = textwrap.wrap(
        words, WIDTH, initial_indent="  ", subsequent_indent=indent, break_on_hyphens=False
    )
    return [*rows, f"      {command}"] if command else rows
