"""The zones of RAPL, the energy counters of x86 processors: which there are, which count twice.

Knows `sys/class/powercap`; does not know what a source is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.sensorfile import SensorFile
from inferometer.meters.energy.surroundings import Surroundings

FOLDER = "sys/class/powercap"
_ZONE = re.compile(r"(?P<control>.*rapl[^:]*):(?P<place>\d+(?::\d+)*)$")
_PROBES = 3
_PROBE_GAP_S = 0.05
_NEAR_UJ = 100_000
"""Microjoules by which a mirror may be off: a processor's draw within a millisecond or so."""
_RECORDED_NEAR_UJ = 10_000_000
"""The same of a dump, whose counters do not move: it copied other files between the two."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One zone.

    Attributes:
        path: its folder, relative to the root.
        name: what the kernel calls it: `package-0`, `dram`, `core`, `psys`.
        package: name of the zone above it, or its own where there is none.
    """

    path: str
    name: str
    package: str

    @property
    def counter_path(self) -> str:
        """The file with the counter."""
        return f"{self.path}/energy_uj"


@dataclass(frozen=True, kw_only=True)
class Zones:
    """All zones, each counter once.

    Attributes:
        packages: the processors, by name.
        drams: their memory, by the name of the package.
        psys: the whole platform, which contains the packages.
        doubles: paths of zones that show a counter of another zone again.
        nameless: paths of zones that are there but say nothing, as a container masks them.
    """

    packages: dict[str, Zone]
    drams: dict[str, Zone]
    psys: Zone | None
    doubles: tuple[str, ...]
    nameless: tuple[str, ...]


def zones(surroundings: Surroundings) -> Zones:
    """Look for zones; the MMIO interface shows those of the MSR interface a second time."""
    found, nameless = _all_zones(surroundings)
    packages: dict[str, Zone] = {}
    drams: dict[str, Zone] = {}
    psys: Zone | None = None
    doubles = []
    double: Zone | None
    for zone in found:
        if zone.name == "psys":
            psys, double = psys or zone, psys
        elif zone.name == "dram":
            double = drams.get(zone.package)
            drams.setdefault(zone.package, zone)
        elif zone.name.startswith("package"):
            double = packages.get(zone.name)
            packages.setdefault(zone.name, zone)
        else:  # core and uncore are parts of the package
            continue
        doubles += [zone.path] if double else []
    return Zones(
        packages=packages,
        drams=drams,
        psys=psys,
        doubles=tuple(doubles),
        nameless=tuple(nameless),
    )


def mirrored(
    counters: Sequence[SensorFile], sleep: Callable[[float], None]
) -> dict[SensorFile, SensorFile]:
    """Counters that show another one again, as the dies of some Zen processors do.

    Each is read before and after the others: a mirror lies between the two readings of its
    original every time, give or take what a processor draws meanwhile. Counters of their own, of a
    range of at least 65 kJ, begin that close by a chance of a few in a million (in a dump, in ten
    thousand), and then grow apart unless both processors draw the same.

    Returns:
        For each mirror, the counter that it repeats.

    Raises:
        SourceLostError: one of them cannot be read.
    """
    if len(counters) < 2:  # noqa: PLR2004 - one alone repeats nothing
        return {}
    suspects = [(a, b) for b in range(len(counters)) for a in range(b)]
    begun = [counter.value() for counter in counters]
    for probe in range(_PROBES):
        if probe:
            sleep(_PROBE_GAP_S)
        first = [counter.value() for counter in counters]
        second = [counter.value() for counter in counters]
        near = _NEAR_UJ if second != begun else _RECORDED_NEAR_UJ
        suspects = [
            (a, b)
            for a, b in suspects
            if first[b] and first[a] - near <= first[b] <= second[a] + near
        ]
    return {counters[b]: counters[a] for a, b in reversed(suspects)}


def lost(counters: Sequence[SensorFile]) -> str:
    """Why one of the counters cannot be read; nothing where all can."""
    try:
        for counter in counters:
            counter.value()
    except SourceLostError as error:
        return str(error)
    return ""


def _all_zones(surroundings: Surroundings) -> tuple[list[Zone], list[str]]:
    paths = {}
    for path in sensorfile.folders(surroundings, f"{FOLDER}/*rapl*:*"):
        match = _ZONE.fullmatch(path.rpartition("/")[2])
        if match:
            paths[path] = match
    names = {path: sensorfile.text(surroundings, f"{path}/name") for path in paths}
    found = []
    for path in sorted(paths, key=lambda path: "mmio" in path):
        name, above = names[path], path.rpartition(":")[0]
        if name:
            found.append(Zone(path=path, name=name, package=names.get(above) or name))
    return found, [path for path, name in names.items() if not name]
