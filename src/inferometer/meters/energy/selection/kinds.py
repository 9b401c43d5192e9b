"""The kinds of power sources by name, imported when they are first used.

Another package adds one through the entry point group `inferometer.power_sources`, whose value is
a module that fits `FindsSources`, `ConnectsToSource`, or both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol, runtime_checkable

from inferometer.core.energy import Absence, SourceInfo
from inferometer.core.errors import InputError, MeterError, in_one_line
from inferometer.core.protocols import PowerSource
from inferometer.core.references import did_you_mean
from inferometer.core.registry import Plugin, Registry, lacking
from inferometer.core.shown import shown
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
    table={
        **{name: Plugin(path=f"{_HERE}.sources.{name}") for name in (*FOUND, "estimate")},
        **{name: Plugin(path=f"{_HERE}.network.{name}") for name in ("shelly", "tasmota")},
    },
)


@runtime_checkable
class FindsSources(Protocol):
    """A kind that is looked for."""

    def find(self, surroundings: Surroundings) -> Finding:
        """Open what can be read, or say why nothing can; whatever it raises becomes a reason."""
        ...


@runtime_checkable
class ConnectsToSource(Protocol):
    """A kind that the user names with an address, as `KIND://TARGET`."""

    def connect(self, target: str, surroundings: Surroundings) -> PowerSource:
        """Open the source at an address.

        Raises:
            MeterError: why it cannot be; the sentence is shown as it is.
        """
        ...


@runtime_checkable
class SupportsDump(Protocol):
    """A kind that reads files, which a recording of the device must hold.

    Attributes:
        READS: patterns of their paths under the root.
    """

    READS: Sequence[str]


@runtime_checkable
class SupportsRecord(Protocol):
    """A kind that reads what commands print."""

    def record(self, surroundings: Surroundings) -> Mapping[str, str]:
        """What they print now, by file name."""
        ...


def known() -> tuple[str, ...]:
    """Every kind that `--meter` takes: ours, then those of other packages."""
    others = sorted(set(KINDS.names()) - KINDS.table.keys())
    return (*FOUND, *CONNECTED, *others, LOG, OFF)


def searched() -> tuple[str, ...]:
    """Kinds that are looked for: ours, then those of other packages."""
    return (*FOUND, *sorted(KINDS.plugins().keys() - KINDS.table.keys()))


def module(kind: str) -> FindsSources | ConnectsToSource:
    """The file of a kind.

    Raises:
        MeterError: there is no such kind, or it cannot be used.
    """
    plugin = KINDS.plugins().get(kind)
    if plugin is None:
        raise MeterError(
            f"no power meter is called {shown(repr(kind))}{did_you_mean(kind, known())}; known: "
            f"{', '.join(known())}"
        )
    try:
        offered: object = KINDS.load(kind)
    except InputError as error:
        raise MeterError(str(error)) from error
    if isinstance(offered, FindsSources | ConnectsToSource):
        return offered
    raise MeterError(f"{KINDS.named(kind, plugin)} offers neither find nor connect")


def find(kind: str, surroundings: Surroundings) -> Finding:
    """Look for one kind; whatever goes wrong is a reason, since another kind may be there."""
    try:
        offered = module(kind)
        found = offered.find(surroundings) if isinstance(offered, FindsSources) else Finding()
        problem = _problem(kind, found)
        if not problem:
            return found
        reason = f"Looking for {kind} gave {problem}."
        _close(found)
    except MeterError as error:
        reason = f"{str(error)[:1].upper()}{str(error)[1:]}."
    except Exception as error:  # noqa: BLE001 - one reader that fails must not hide the others
        reason = f"Looking for {kind} failed ({in_one_line(error)})."
    return Finding(absences=(Absence(kind=kind, reason=reason),))


def _problem(kind: str, found: object) -> str:
    """What is wrong with a finding, as another package may give it; empty where nothing is."""
    if not isinstance(found, Finding):
        return f"a {type(found).__name__} and no Finding"
    for source in found.sources:
        lacks = lacking(source, PowerSource)
        if lacks:
            return f"a source that lacks {' and '.join(lacks)}"
        info: object = source.info
        if not isinstance(info, SourceInfo):
            return "a source whose info is no SourceInfo"
        if info.kind != kind and kind not in KINDS.table:
            return f"a source of the kind {shown(repr(info.kind))}"
    return ""


def _close(found: object) -> None:
    for source in found.sources if isinstance(found, Finding) else ():
        with suppress(Exception):  # it lacks something: perhaps this
            source.close()


def connect(kind: str, target: str, surroundings: Surroundings) -> PowerSource:
    """Open the source of a kind at an address.

    Raises:
        MeterError: the kind has no addresses, or it cannot be opened.
    """
    offered = module(kind)
    if not isinstance(offered, ConnectsToSource):
        raise MeterError(f"the power meter {kind} has no address: write --meter {kind}")
    try:
        source = offered.connect(target, surroundings)
    except MeterError:
        raise
    except Exception as error:
        raise MeterError(f"the power meter {kind} cannot be used ({in_one_line(error)})") from error
    problem = _problem(kind, Finding(sources=(source,)))
    if problem:
        raise MeterError(f"the power meter {kind} cannot be used: it gave {problem}")
    return source
