"""`inferometer backends`: the runtimes, and how to install those that are missing."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import click

from inferometer.cli.options import json_option, write_json
from inferometer.core.registry import Plugin, Registry

Precisions = Mapping[str, tuple[str, ...] | None]


@dataclass(frozen=True, kw_only=True)
class PluginState:
    """Whether a plug-in can be used.

    Attributes:
        name: its name.
        installed: whether everything that it needs is installed.
        version: of what it is for, the last package that it needs; None where that is unknown.
        missing: modules that are not installed.
        install: the command that installs them; None where nothing is missing.
    """

    name: str
    installed: bool
    version: str | None
    missing: tuple[str, ...]
    install: str | None


def plugin_states(registry: Registry) -> list[PluginState]:
    """The state of each plug-in of a registry. Imports none of them."""
    return [_state(name, plugin) for name, plugin in registry.plugins().items()]


def state_lines(states: list[PluginState]) -> list[str]:
    """For each plug-in a line: its name, its version, or the command that installs it."""
    width = max(len(state.name) for state in states)
    return [
        f"{state.name:<{width}}  "
        + (
            f"installed  {state.version or ''}".rstrip()
            if state.installed
            else f"missing    {state.install}"
        )
        for state in states
    ]


@click.command()
@json_option
def backends(*, json_path: str | None) -> None:
    """List the runtimes: which are installed, and how to install the others."""
    from inferometer.backends import BACKENDS

    states = plugin_states(BACKENDS)
    precisions = {state.name: _precisions(BACKENDS, state) for state in states}
    if json_path is not None:
        rows = [{**asdict(state), "precisions": precisions[state.name]} for state in states]
        write_json(rows, json_path)
    if json_path != "-":
        click.echo("\n".join(_table(states, precisions)))


def _table(
    states: list[PluginState], precisions: Mapping[str, tuple[str, ...] | None]
) -> list[str]:
    rows = [("name", "state", "version", "precisions")]
    for state in states:
        word = "installed" if state.installed else "missing"
        rows.append(
            (state.name, word, state.version or "", ", ".join(precisions[state.name] or ()))
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    to_install = [f"  {state.name}: {state.install}" for state in states if state.install]
    return [*lines, *(["", "To install:", *to_install] if to_install else [])]


def _state(name: str, plugin: Plugin) -> PluginState:
    missing = tuple(plugin.missing)
    return PluginState(
        name=name,
        installed=not missing,
        version=None if missing else _version(plugin),
        missing=missing,
        install=_install(plugin, missing) if missing else None,
    )


def _version(plugin: Plugin) -> str | None:
    from inferometer.host.software import installed_version

    if plugin.requires:
        return installed_version(plugin.requires[-1])
    return platform.python_version() if _is_ours(plugin) else None


def _precisions(registry: Registry, state: PluginState) -> tuple[str, ...] | None:
    """What a backend can run; None where only its runtime, or a third party's code, can tell."""
    if not state.installed or not _is_ours(registry.find(state.name)):
        return None
    precisions: tuple[str, ...] = registry.get(state.name).precisions
    return precisions


def _install(plugin: Plugin, missing: tuple[str, ...]) -> str:
    wanted = f"'inferometer[{plugin.extra}]'" if plugin.extra else " ".join(missing)
    return f"pip install {wanted}"


def _is_ours(plugin: Plugin) -> bool:
    return plugin.path.startswith("inferometer.")
