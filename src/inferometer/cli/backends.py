"""`inferometer backends`: the runtimes, and how to install those that are missing."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import json_option, write_json
from inferometer.core.errors import InputError
from inferometer.core.registry import Plugin, Registry

if TYPE_CHECKING:
    from inferometer.core.protocols import Backend


@dataclass(frozen=True, kw_only=True)
class PluginState:
    """Whether a plug-in can be used.

    Attributes:
        name: its name.
        installed: whether everything that it needs is installed and, of another package's, whether
            it can be loaded.
        version: of what it is for: the last package that it needs, or the package that offers it;
            None where that is unknown.
        missing: modules that are not installed.
        install: the command that installs them; None where nothing is missing.
        package: the package that offers it, with its version; None for this project.
        problem: why it cannot be used, as a sentence; None where it can, or something is missing.
    """

    name: str
    installed: bool
    version: str | None
    missing: tuple[str, ...]
    install: str | None
    package: str | None = None
    problem: str | None = None


def plugin_states(registry: Registry) -> list[PluginState]:
    """The state of each plug-in of a registry. Imports those of other packages alone."""
    return [_state(name, plugin, registry) for name, plugin in registry.plugins().items()]


def state_lines(states: list[PluginState]) -> list[str]:
    """For each plug-in a line: its name, its version, or the command that installs it."""
    width = max(len(state.name) for state in states)
    return [
        f"{state.name:<{width}}  "
        + (
            f"installed  {state.version or ''}".rstrip()
            if state.installed
            else f"{_word(state):<9}  {state.problem or state.install}"
        )
        for state in states
    ]


@click.command()
@json_option
def backends(*, json_path: str | None) -> None:
    """List the runtimes: which are installed, and how to install the others."""
    from inferometer.backends import BACKENDS

    states = plugin_states(BACKENDS)
    made: dict[str, Backend] = {
        state.name: BACKENDS.make(state.name) for state in states if state.installed
    }
    if json_path is not None:
        write_json([_row(state, made.get(state.name)) for state in states], json_path)
    if json_path != "-":
        click.echo("\n".join(_table(states, made)))


def _row(state: PluginState, backend: Backend | None) -> dict[str, object]:
    """A backend as a JSON object; what only a usable one can tell is null elsewhere."""
    return {
        **asdict(state),
        "precisions": None if backend is None else backend.precisions,
        "devices": None if backend is None else backend.devices,
        "accepts": None if backend is None else sorted(one.value for one in backend.accepts),
    }


def _table(states: list[PluginState], made: Mapping[str, Backend]) -> list[str]:
    rows: list[tuple[str, ...]] = [("name", "state", "version", "precisions", "devices")]
    for state in states:
        backend = made.get(state.name)
        told = ("", "") if backend is None else (backend.precisions, backend.devices)
        rows.append((state.name, _word(state), state.version or "", *map(", ".join, told)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    to_install = [f"  {state.name}: {state.install}" for state in states if state.install]
    problems = [f"  {state.problem}" for state in states if state.problem]
    return [
        *lines,
        *(["", "To install:", *to_install] if to_install else []),
        *(["", "Cannot be used:", *problems] if problems else []),
    ]


def _word(state: PluginState) -> str:
    return "installed" if state.installed else "broken" if state.problem else "missing"


def _state(name: str, plugin: Plugin, registry: Registry) -> PluginState:
    missing = tuple(plugin.missing)
    problem = _problem(name, plugin, registry)
    return PluginState(
        name=name,
        installed=not missing and problem is None,
        version=None if missing or problem else _version(plugin),
        missing=missing,
        install=_install(plugin, missing) if missing else None,
        package=plugin.package or None,
        problem=problem,
    )


def _problem(name: str, plugin: Plugin, registry: Registry) -> str | None:
    """Why another package's plug-in cannot be used, which only loading it tells."""
    if not plugin.package:
        return None
    try:
        registry.make(name)
    except InputError as error:
        return str(error)
    return None


def _version(plugin: Plugin) -> str | None:
    from inferometer.host.software import installed_version

    if plugin.requires:
        return installed_version(plugin.requires[-1])
    return plugin.package.partition(" ")[2] or None if plugin.package else platform.python_version()


def _install(plugin: Plugin, missing: tuple[str, ...]) -> str:
    wanted = f"'inferometer[{plugin.extra}]'" if plugin.extra else " ".join(missing)
    return f"pip install {wanted}"
