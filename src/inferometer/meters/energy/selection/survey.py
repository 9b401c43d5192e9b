"""What can be read on a device, each sensor once, in the order in which one would want it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from inferometer.core.energy import Absence, SourceInfo
from inferometer.core.protocols import PowerSource
from inferometer.meters.energy.selection import kinds
from inferometer.meters.energy.surroundings import Surroundings

REPEATS = {"jtop": "jetson", "powertop": "battery"}
"""Kinds that read the sensor of another one again, and are a load themselves."""

_FIRST = ("jetson", "hwmon", "pi_pmic", "rapl", "apple")
_LAST = ("jtop", "battery", "powertop")
_GPU, _PSYS, _OTHERS = len(_FIRST), len(_FIRST) + 1, len(_FIRST) + 2
_NOT_A_GPU = ("package", "package+dram", "psys")
"""Scopes that leave a graphics card out, or may."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """All that can be read, and why the rest cannot.

    Attributes:
        sources: opened, the best for work on the CPU first; each sensor once.
        absences: those that matter on this device first.
    """

    sources: tuple[PowerSource, ...] = ()
    absences: tuple[Absence, ...] = ()


def survey(surroundings: Surroundings, *, asked: Iterable[str] = (), device: str = "cpu") -> Survey:
    """Look for every kind. One that reads another's sensor again is asked only where it must be.

    Args:
        surroundings: where to look.
        asked: kinds that the user named.
        device: what the work runs on.
    """
    wanted = set(asked)
    sources: list[PowerSource] = []
    absences: list[Absence] = []
    for kind in kinds.searched():
        there = {source.info.kind for source in sources}
        if REPEATS.get(kind) in there and kind not in wanted:
            continue
        found = kinds.find(kind, surroundings)
        sources += found.sources
        absences += found.absences
    return Survey(
        sources=tuple(sorted(sources, key=lambda source: _place(source.info, device))),
        absences=tuple(sorted(absences, key=lambda absence: not absence.relevant)),
    )


def covers(info: SourceInfo, device: str) -> bool:
    """Whether a source covers what does the work: the processor, or the graphics card."""
    return info.scope not in _NOT_A_GPU if on_cuda(device) else info.scope != "gpu"


def close(sources: Iterable[PowerSource]) -> None:
    """Close sources; what that raises is nobody's loss."""
    for source in sources:
        with suppress(Exception):
            source.close()


def _place(info: SourceInfo, device: str) -> tuple[int, bool]:
    """Place in the order of the sources; of several graphics cards the one that works is first."""
    other_card = info.scope == "gpu" and not info.name.endswith(f":{_card(device)}")
    if info.scope == "gpu":
        return (-1 if on_cuda(device) else _GPU), other_card
    if info.scope == "psys":
        return _PSYS, False
    if info.kind == "hwmon" and info.scope == "soc":  # an APU, which the package covers as well
        return _GPU, False
    if info.kind in _LAST:
        return _OTHERS + 1 + _LAST.index(info.kind), False
    return (_FIRST.index(info.kind) if info.kind in _FIRST else _OTHERS), False


def on_cuda(device: str) -> bool:
    """Whether the work runs on a graphics card, or on the one that a Jetson has in its chip."""
    return device.partition(":")[0] == "cuda"


def _card(device: str) -> str:
    return device.partition(":")[2] or "0"
