"""The kinds of power sources by name, imported when they are first used.

Another package adds one through the entry point group `inferometer.power_sources`, whose value is
a module that offers `find(surroundings) -> Finding`, `connect(target, surroundings) ->
PowerSource`, or both.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from inferometer.core.energy import Absence
from inferometer.core.errors import MeterError, in_one_line
from inferometer.core.registry import Plugin, Registry
from inferometer.meters.energy.surroundings import Finding, Surroundings

_HERE = "inferometer.meters.energy"

FOUND = ("jetson", "pi_pmic", "rapl", "nvml", "hwmon", "apple", "battery", "jtop", "powertop")
"""Kinds that are looked for, and whose reasons weigh in this order where none is there."""
CONNECTED = ("shelly", "tasmota", "estimate")
"""Kinds that only the user can name."""
LOG = "csv"
"""The log of a meter: not a source that is read meanwhile, but one that is read afterwards."""
OFF = "none"

KINDS = Registry(
    what="power meter",
    group="inferometer.power_sources",
    table={name: Plugin(path=f"{_HERE}.{name}") for name in (*FOUND, *CONNECTED)},
)


def known() -> tuple[str, ...]:
    """Every kind that `--meter` takes: ours, then those of other packages."""
    others = sorted(KINDS.plugins().keys() - KINDS.table.keys())
    return (*FOUND, *CONNECTED, *others, LOG, OFF)


def searched() -> tuple[str, ...]:
    """Kinds that are looked for: ours, then those of other packages."""
    return (*FOUND, *sorted(KINDS.plugins().keys() - KINDS.table.keys()))


def module(kind: str) -> ModuleType:
    """The file of a kind.

    Raises:
        MeterError: there is no such kind, or it cannot be imported.
    """
    plugin = KINDS.plugins().get(kind)
    if plugin is None:
        raise MeterError(f"no power meter is called {kind!r}; known: {', '.join(known())}")
    try:
        return import_module(plugin.path)
    except Exception as error:
        raise MeterError(
            f"the power meter {kind} cannot be loaded ({in_one_line(error)})"
        ) from error


def find(kind: str, surroundings: Surroundings) -> Finding:
    """Look for one kind; whatever goes wrong is a reason, since another kind may be there."""
    try:
        look: Callable[[Surroundings], Finding] | None = getattr(module(kind), "find", None)
        return Finding() if look is None else look(surroundings)
    except MeterError as error:
        reason = f"{str(error)[:1].upper()}{str(error)[1:]}."
    except Exception as error:  # noqa: BLE001 - one reader that fails must not hide the others
        reason = f"Looking for {kind} failed ({in_one_line(error)})."
    return Finding(absences=(Absence(kind=kind, reason=reason),))


def offers(kind: str, what: str) -> Any:  # noqa: ANN401 - each name has its own type
    """Something that a kind's file may offer, such as `connect` or `READS`; None where not.

    Raises:
        MeterError: as for `module`.
    """
    return getattr(module(kind), what, None)
