"""RAPL: energy counters of x86 processors, for their packages and memory, and for the platform.

Counters in microjoules under `sys/class/powercap`, updated about every millisecond (Intel SDM
volume 3B, "Platform specific power management support"; AMD offers the same since Zen). Whether
they measure or model depends on the processor: Intel measures since Haswell, AMD models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from inferometer.core.energy import Absence, EnergyMethod, Reading, Scope, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.host.cpus import cpuinfo_blocks
from inferometer.host.identity import hypervisor
from inferometer.host.processor import has_flag
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.counter import CounterKind, WrappingCounter
from inferometer.meters.energy.sources.rapl_zones import FOLDER, Zone, Zones, lost, mirrored, zones
from inferometer.meters.energy.sources.sensorfile import SensorFile
from inferometer.meters.energy.surroundings import Finding, Surroundings

KIND = "rapl"
PERIOD_S = 0.001
MOST_W = 2000.0
"""More than any processor or its memory draws: a step that needs more is a reset."""
_COUNTS = 2**32
"""The register behind the file has so many steps; its range tells the size of one."""
_MODELLED_INTEL = {"42", "45", "58", "62"}
"""Models of family 6 before Haswell: Sandy Bridge and Ivy Bridge, which estimate."""

READS = (
    *(f"{FOLDER}/*rapl*:*/{name}" for name in ("name", "energy_uj", "max_energy_range_uj")),
    "proc/cpuinfo",
    "proc/1/cgroup",
    ".dockerenv",
    "run/.containerenv",
)
"""What is looked at, for a dump of it."""

UDEV_RULE = """\
# /etc/udev/rules.d/70-inferometer-rapl.rules
#
# Lets members of the group "energy" read the energy counters of the processor (RAPL).
#
# WARNING: from these counters a program can infer what other programs compute, secret keys
# included (CVE-2020-8694, the PLATYPUS attack); therefore Linux keeps them for root. This rule
# opens them to one group, not to everybody. Do not use it on a machine that you share with people
# or programs that you do not trust, and remove the file when you have finished measuring.
#
# To use it:
#   sudo groupadd --system --force energy
#   sudo usermod --append --groups energy "$USER"
#   (write this file)
#   sudo udevadm control --reload
#   sudo udevadm trigger --subsystem-match=powercap --action=add
#   (log out, and in again)
SUBSYSTEM=="powercap", KERNEL=="*rapl*:*", ACTION=="add|change", \\
  RUN+="/bin/chgrp energy /sys%p/energy_uj", RUN+="/bin/chmod 0440 /sys%p/energy_uj"
"""
"""What `inferometer doctor` prints: the careful way to read the counters without root."""

_METERS = (
    "a metering plug (`--meter shelly://HOST`) or the log of any power meter (`--power-log FILE`)"
)


class RaplSource:
    """Counters that are added up, each unwrapped on its own.

    Args:
        surroundings: the clock.
        info: what is known of the source.
        counters: the files, each with what is known of it.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        info: SourceInfo,
        counters: Sequence[tuple[SensorFile, CounterKind]],
    ) -> None:
        self.info = info
        self._clock = surroundings.clock
        self._counters = [(file, WrappingCounter(kind)) for file, kind in counters]
        self.read()

    def read(self) -> Reading:
        """Joules since the source was opened.

        Raises:
            SourceLostError: a counter is gone, frozen, was reset, or may no longer be read.
        """
        before_s = self._clock()
        values = [file.value() for file, _ in self._counters]
        at_s = (before_s + self._clock()) / 2
        joules = (
            counter.joules(value, at_s)
            for value, (_, counter) in zip(values, self._counters, strict=True)
        )
        return Reading(at_s=at_s, value=sum(joules))

    def close(self) -> None:
        """Let go of the files; a second call does nothing."""
        for file, _ in self._counters:
            file.close()


def find(surroundings: Surroundings) -> Finding:
    """The packages with their memory, and the platform apart: it contains them."""
    found = zones(surroundings)
    if not found.packages and found.psys is None:
        return Finding(absences=(_absent(surroundings, found),))
    outcomes = [_tried(look, surroundings, found) for look in (_packages, _psys)]
    absences = [outcome for outcome in outcomes if isinstance(outcome, Absence)]
    return Finding(
        sources=tuple(outcome for outcome in outcomes if isinstance(outcome, RaplSource)),
        absences=tuple({absence.way_out: absence for absence in reversed(absences)}.values()),
    )


def _tried(
    look: Callable[[Surroundings, Zones], RaplSource | None],
    surroundings: Surroundings,
    found: Zones,
) -> RaplSource | Absence | None:
    try:
        return look(surroundings, found)
    except SourceLostError as error:
        return Absence(kind=KIND, reason=f"{error}.", way_out=f"Use {_METERS} instead.")
    except PermissionError as error:
        return _closed(surroundings, str(error.filename))


def _packages(surroundings: Surroundings, found: Zones) -> RaplSource | None:
    if not found.packages:
        return None
    files = {zone: _opened(surroundings, zone) for zone in found.packages.values()}
    repeats = mirrored(list(files.values()), surroundings.sleep)
    kept = {zone: file for zone, file in files.items() if file not in repeats}
    notes = _double_notes(found, [zone for zone, file in files.items() if file in repeats])
    for file in repeats:
        file.close()
    memory, note = _memory(surroundings, found, [zone.name for zone in kept])
    scope: Scope = "package+dram" if memory else "package"
    name = "+".join([zone.name for zone in kept] + (["dram"] if memory else []))
    return _source(surroundings, name, scope, {**kept, **memory}, [*notes, *note])


def _memory(
    surroundings: Surroundings, found: Zones, packages: Sequence[str]
) -> tuple[dict[Zone, SensorFile], list[str]]:
    """Counters of the memory, where every package has a working one."""
    wanted = [found.drams[name] for name in packages if name in found.drams]
    if not wanted:
        return {}, []
    if len(wanted) < len(packages):
        return {}, ["memory left out: not every package counts it"]
    try:
        files = {zone: _opened(surroundings, zone) for zone in wanted}
    except OSError:
        return {}, ["memory left out: its counter may not be read"]
    problem = lost(list(files.values()))
    if problem or not all(file.value() for file in files.values()):
        for file in files.values():
            file.close()
        return {}, [f"memory left out: {problem or 'its counter shows 0'}"]
    return files, []


def _psys(surroundings: Surroundings, found: Zones) -> RaplSource | None:
    if found.psys is None:
        return None
    files = {found.psys: _opened(surroundings, found.psys)}
    note = "the platform as its maker wired it; contains the package, never add the two"
    return _source(surroundings, "psys", "psys", files, [note])


def _source(
    surroundings: Surroundings,
    name: str,
    scope: Scope,
    files: dict[Zone, SensorFile],
    notes: Sequence[str],
) -> RaplSource:
    counters = [(file, _kind(surroundings, zone)) for zone, file in files.items()]
    dead = [f"/{file.path}" for file, _ in counters if file.value() == 0]
    if dead:
        raise SourceLostError(f"{' and '.join(dead)} shows 0: the counter does not count")
    kinds = [kind for _, kind in counters]
    where = ", ".join(f"/{file.path}" for file, _ in counters)
    info = SourceInfo(
        name=f"{KIND}:{name}",
        kind=KIND,
        scope=scope,
        method=_method(surroundings),
        quantity="energy",
        period_s=PERIOD_S,
        resolution=max((kind.range_counts or 0) / _COUNTS * kind.unit_j for kind in kinds),
        poll_s=min(kind.poll_s or 0.0 for kind in kinds),
        where="; ".join([where, *notes]),
    )
    return RaplSource(surroundings, info, counters)


def _kind(surroundings: Surroundings, zone: Zone) -> CounterKind:
    path = f"{zone.path}/max_energy_range_uj"
    most = sensorfile.number(surroundings, path)
    if most is None or most <= 0:
        raise SourceLostError(f"/{path} does not say at which count the counter begins again")
    return CounterKind(
        what=f"/{zone.counter_path}",
        unit_j=1e-6,
        range_counts=most,
        most_w=MOST_W,
        period_s=PERIOD_S,
    )


def _opened(surroundings: Surroundings, zone: Zone) -> SensorFile:
    """Open a counter.

    Raises:
        PermissionError: it is for root only; `filename` is the path under the root.
        SourceLostError: there is none, or it cannot be read.
    """
    try:
        sensorfile.read(surroundings, zone.counter_path)
        return SensorFile(surroundings, zone.counter_path)
    except PermissionError as error:
        raise PermissionError(error.errno, error.strerror, zone.counter_path) from error
    except OSError as error:
        reason = f"/{zone.counter_path} cannot be read: {error.strerror or error}"
        raise SourceLostError(reason) from error


def _method(surroundings: Surroundings) -> EnergyMethod:
    """Intel measures since Haswell; AMD and Hygon model from activity (Schöne et al., 2021)."""
    for block in cpuinfo_blocks(surroundings.root):
        if block.get("vendor_id") != "GenuineIntel":
            return "vendor_model"
        old = block.get("cpu family") == "6" and block.get("model") in _MODELLED_INTEL
        return "vendor_model" if old else "measured"
    return "vendor_model"


def _double_notes(found: Zones, mirrors: Sequence[Zone]) -> list[str]:
    notes = []
    if mirrors:
        names = ", ".join(zone.name for zone in mirrors)
        notes.append(f"{names} left out: repeats the counter of another package, counted once")
    if found.doubles:
        notes.append(f"not counted twice: {', '.join(f'/{path}' for path in found.doubles)}")
    return notes


def _closed(surroundings: Surroundings, path: str) -> Absence:
    bits = sensorfile.mode(surroundings, path)
    shown = f" (mode {bits})" if bits else ""
    return Absence(
        kind=KIND,
        reason=f"The processor counts its energy, but /{path}{shown} may be read by root only: "
        "Linux closed it because one program could spy on others through it (CVE-2020-8694).",
        way_out="`inferometer doctor` prints a udev rule that opens it to a group, and says what "
        f"that risks; or measure as root; or use {_METERS}.",
        brief=f"/{path}{shown} may be read by root only (CVE-2020-8694): `inferometer doctor` "
        "prints a rule that opens it to a group; or measure as root, or use a metering plug "
        "(--meter shelly://HOST).",
        remedy=UDEV_RULE,
    )


def _absent(surroundings: Surroundings, found: Zones) -> Absence:
    root, looked = surroundings.root, f"/{FOLDER}/*-rapl:*"
    if not has_flag(root, "fpu"):  # every x86 processor shows it, no other does
        reason = f"No {looked}: RAPL is a counter of x86 processors, and this is another kind."
        return Absence(kind=KIND, reason=reason, relevant=False)
    host = hypervisor(root)
    if host:
        on = "a hypervisor that does not name itself" if host == "unknown" else host
        return Absence(
            kind=KIND,
            reason=f"No {looked}: this is a virtual machine on {on}, and there the energy counters "
            "of the processor are hidden.",
            way_out="Measure energy on bare metal.",
        )
    if found.nameless or _in_container(surroundings):
        return Absence(
            kind=KIND,
            reason=f"Nothing can be read in /{FOLDER}: a container hides the energy counters "
            "(Docker masks /sys/devices/virtual/powercap since CVE-2020-8694).",
            way_out="Measure outside the container, or start it with `docker run --security-opt "
            "systempaths=unconfined` (Podman: `--security-opt "
            "unmask=/sys/devices/virtual/powercap`), as root; that lifts a protection, so only "
            "for images that you trust.",
            brief=f"A container hides the energy counters of the processor (/{FOLDER}): measure "
            "outside of it, or as `inferometer doctor` tells.",
        )
    return Absence(
        kind=KIND,
        reason=f"No {looked}: the kernel offers no energy counter of this processor.",
        way_out="Try `sudo modprobe intel_rapl_msr` (it loads intel_rapl_common, and serves AMD "
        f"Zen too); if that fails, use {_METERS}.",
        brief=f"The kernel offers no energy counter of this processor (no {looked}): try `sudo "
        "modprobe intel_rapl_msr`, or use a metering plug (--meter shelly://HOST).",
    )


def _in_container(surroundings: Surroundings) -> bool:
    if any(sensorfile.exists(surroundings, path) for path in (".dockerenv", "run/.containerenv")):
        return True
    groups = sensorfile.text(surroundings, "proc/1/cgroup") or ""
    return bool(re.search(r"docker|kubepods|containerd|lxc|libpod", groups))
