"""`inferometer backends`: the runtimes, and how to install those that are missing.

`install`, `use` and `remove` are about those that need an environment of their own.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import json_option, write_json
from inferometer.core.errors import InputError
from inferometer.core.registry import Environment, Plugin, Registry

if TYPE_CHECKING:
    from inferometer.core.artifact import BackendOption
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
        environment: the Python that it runs under; None where that is ours.
        stale: whether that was made from another lock file than there is now.
    """

    name: str
    installed: bool
    version: str | None
    missing: tuple[str, ...]
    install: str | None
    package: str | None = None
    problem: str | None = None
    environment: str | None = None
    stale: bool = False


def plugin_states(registry: Registry) -> list[PluginState]:
    """The state of each plug-in of a registry. Imports those of other packages alone."""
    return [_state(name, plugin, registry) for name, plugin in registry.plugins().items()]


def state_lines(states: list[PluginState]) -> list[str]:
    """For each plug-in a line: its name, its version, or the command that installs it."""
    width = max(len(state.name) for state in states)
    return [
        f"{state.name:<{width}}  "
        + (
            f"installed  {state.version or ''}".rstrip() + (f" ({_renewed(state)})" * state.stale)
            if state.installed
            else f"{_word(state):<9}  {state.problem or state.install}"
        )
        for state in states
    ]


@click.group(invoke_without_command=True)
@click.pass_context
@json_option
def backends(context: click.Context, *, json_path: str | None) -> None:
    """List the runtimes: which are installed, and how to install the others.

    Some need an environment of their own: `install` makes one, `use` takes one that you made.

    \b
    Examples:
      inferometer backends
      inferometer backends install executorch
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    if context.invoked_subcommand is not None:
        return
    from inferometer.backends import BACKENDS

    states = plugin_states(BACKENDS)
    made: dict[str, Backend | None] = {
        state.name: BACKENDS.peek(state.name) for state in states if state.problem is None
    }
    if json_path is not None:
        write_json([_row(state, made.get(state.name)) for state in states], json_path)
    if json_path != "-":
        click.echo("\n".join(_table(states, made)))


@backends.command()
@click.argument("name")
@click.option(
    "--python",
    metavar="PYTHON",
    help="Python to make it with, such as python3.12 [default: that of inferometer].",
)
def install(*, name: str, python: str | None) -> None:
    """Make an environment for the runtime NAME.

    Its versions were tested together, and it is kept in your cache folder. An installation that was
    interrupted goes on when the command is run again.

    \b
    Example:
      inferometer backends install executorch
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.report.terminal.installing import InstallDisplay
    from inferometer.runner.environments import check_name
    from inferometer.runner.environments import install as make

    check_name(name)  # before the display begins
    try:
        with InstallDisplay(name) as display:
            made = make(name, python=python, on_step=display.tell)
    except KeyboardInterrupt:
        click.echo(f"To go on: inferometer backends install {name}", err=True)
        raise
    click.echo(f"{name} runs under {made.python} (Python {made.version}).", err=True)


@backends.command()
@click.argument("name")
@click.option(
    "--python",
    metavar="PYTHON",
    required=True,
    help="Python of the environment, in which the runtime is installed.",
)
def use(*, name: str, python: str) -> None:
    """Let the runtime NAME run in an environment that you made.

    \b
    Example:
      inferometer backends use executorch --python ~/et/bin/python
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.runner.environments import use as name_it

    found = name_it(name, python)
    click.echo(f"{name} runs under {found.python} (Python {found.version}).", err=True)


@backends.command()
@click.argument("name")
def remove(*, name: str) -> None:
    """Remove the environment of the runtime NAME.

    One that you made yourself is kept, but no longer used.

    \b
    Example:
      inferometer backends remove executorch
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.runner.environments import remove as remove_it

    had = remove_it(name)
    click.echo(f"The environment of {name} was removed." if had else f"{name} has none.", err=True)


def _row(state: PluginState, backend: Backend | None) -> dict[str, object]:
    """A backend as a JSON object; what only a module that can be imported tells may be null."""
    from inferometer.core.protocols import SupportsOptions

    options: Mapping[str, BackendOption] = (
        backend.options if isinstance(backend, SupportsOptions) else {}
    )
    return {
        **asdict(state),
        "precisions": None if backend is None else backend.precisions,
        "devices": None if backend is None else backend.devices,
        "accepts": None if backend is None else sorted(one.value for one in backend.accepts),
        "options": {name: asdict(option) for name, option in options.items()},
    }


def _table(states: list[PluginState], made: Mapping[str, Backend | None]) -> list[str]:
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
    elsewhere = [
        f"  {state.name}: {state.environment}" + f" ({_renewed(state)})" * state.stale
        for state in states
        if state.environment
    ]
    return [
        *lines,
        *(["", "In an environment of their own:", *elsewhere] if elsewhere else []),
        *(["", "To install:", *to_install] if to_install else []),
        *(["", "Cannot be used:", *problems] if problems else []),
    ]


def _word(state: PluginState) -> str:
    return "installed" if state.installed else "broken" if state.problem else "missing"


def _renewed(state: PluginState) -> str:
    return f"stale; renewed by inferometer backends install {state.name}"


def _state(name: str, plugin: Plugin, registry: Registry) -> PluginState:
    missing = tuple(registry.missing(name, plugin))
    problem = _problem(name, plugin, registry)
    from inferometer.backends.environments import is_stale

    found = registry.elsewhere(name) if plugin.lock else None
    return PluginState(
        name=name,
        installed=not missing and problem is None,
        version=None if missing or problem else _version(plugin, found),
        missing=missing,
        install=registry.install_command(name, plugin),
        package=plugin.package or None,
        problem=problem,
        environment=None if found is None else found.python,
        stale=found is not None and is_stale(plugin, found),
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


def _version(plugin: Plugin, environment: Environment | None) -> str | None:
    from inferometer.host.software import installed_version

    if plugin.requires:
        return installed_version(
            plugin.requires[-1], None if environment is None else environment.path
        )
    return plugin.package.partition(" ")[2] or None if plugin.package else platform.python_version()
