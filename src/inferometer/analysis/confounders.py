"""What differs between devices beside what they are: versions, settings, inputs, power sources.

A difference between two devices may be one of these instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from inferometer.analysis.audit import Finding, Side, common_findings
from inferometer.analysis.devices import Device, common_places
from inferometer.core.sweep import study_of

VERSIONS = {
    "inferometer": "another version may measure in another way",
    "python": "calling a runtime takes another time",
}
"""Software that bears on every workload, and why; others are runtimes."""
OF_RUNTIME = "another version of a runtime has other kernels: compare devices on the same one"
SETTINGS = {
    "governor": "a governor that saves power holds the clock down",
    "hypervisor": "a virtual machine shares its processor with others",
    "os": "another system schedules, and lays out memory, in another way",
}
"""What a run knows of its device at all times, and why it matters."""
STATE = {
    "on_battery": "on battery many devices lower their clock",
    "power_mode": "another power mode is another device",
    "turbo": "without turbo the clock stays lower, and steadier",
    "energy_preference": "the processor weighs speed against power in another way",
}
"""What it knew before the run."""
BEFORE = "before_the_run"
PROCEDURE = {
    "target": "precision",
    "processes": "fresh processes",
    "seed": "seed of weights and inputs",
}
"""Settings of the procedure that bear on what is compared, and what they are."""
WHY_PROCEDURE = "the devices were measured, or fed, in another way"
WHY_THREADS = "more threads are faster, whatever the device"
WHY_POWER = "energies that cover other parts of a device cannot be compared"


def confounders(devices: Sequence[Device]) -> list[Finding]:
    """What differs between devices, the weightiest kind first; each with what every device has.

    Args:
        devices: two at least; of their records only those of workloads that all of them have
            are looked at.
    """
    sides = _sides(devices)
    found = [
        *_software(devices),
        *_settings(devices),
        *_threads(devices),
        *_power(sides),
        *common_findings(sides),
        *_procedures(devices),
    ]
    return [replace(one, what=one.what.replace("_", " ")) for one in found]


def in_a_line(one: Finding) -> str:
    """A finding: `the devices differ in their governor: Pi 5 ondemand, PC performance`."""
    sides = ", ".join(f"{name} {value}" for name, value in one.sides.items())
    return f"the devices differ in {one.what}: {sides}; {one.why}"


def _sides(devices: Sequence[Device]) -> list[Side]:
    """Each device with its records of the workloads that all devices have, in one order."""
    places = [
        place
        for place in common_places(devices)
        if all(place in one.by_place and one.by_place[place].status == "ok" for one in devices)
    ]
    return [
        Side(
            variant=places[0][0],
            records=tuple(device.by_place[place] for place in places),
            called=device.name,
        )
        for device in devices
        if places
    ]


def _software(devices: Sequence[Device]) -> Iterable[Finding]:
    known = {one.name: one.runs[0].software for one in devices}
    for package in dict.fromkeys(name for software in known.values() for name in software):
        found = {
            name: str(software[package]) for name, software in known.items() if package in software
        }
        yield from _differing(package, found, VERSIONS.get(package, OF_RUNTIME))


def _settings(devices: Sequence[Device]) -> Iterable[Finding]:
    for key, why in SETTINGS.items():
        yield from _differing(key, {one.name: one.said(key) for one in devices}, why)
    states = {one.name: one.said(BEFORE) for one in devices}
    for key, why in STATE.items():
        found = {
            name: state.get(key) for name, state in states.items() if isinstance(state, Mapping)
        }
        yield from _differing(key, found, why)


def _threads(devices: Sequence[Device]) -> Iterable[Finding]:
    found = {
        one.name: ", ".join(dict.fromkeys(str(r.workload.threads) for r in one.records))
        for one in devices
        if any(record.workload.threads is not None for record in one.records)
    }
    yield from _differing("threads", found, WHY_THREADS)


def _power(sides: Sequence[Side]) -> Iterable[Finding]:
    scopes = {one.name: ", ".join(one.values("energy_scope")) for one in sides}
    known = {name: scope for name, scope in scopes.items() if scope}
    yield from _differing("power source", known, WHY_POWER)


def _procedures(devices: Sequence[Device]) -> Iterable[Finding]:
    studies = {one.name: study for one in devices if (study := study_of(one.runs[0]))}
    for field, what in PROCEDURE.items():
        found = {name: getattr(study.procedure, field) for name, study in studies.items()}
        yield from _differing(what, found, WHY_PROCEDURE)


def _differing(what: str, found: Mapping[str, object], why: str) -> Iterable[Finding]:
    """A finding where devices that know a value do not have the same."""
    known = {name: _text(value) for name, value in found.items() if value not in (None, "")}
    if len(set(known.values())) > 1:
        yield Finding(what=what, sides=known, why=why)


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
