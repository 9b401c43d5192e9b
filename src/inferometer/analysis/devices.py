"""Runs on several devices, side by side: who has which workload, and which go with which.

How variants rank on each is in `analysis.rankings`, what a device gives for what it takes in
`analysis.efficiency`, what differs beside what the devices are in `analysis.confounders`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from inferometer.analysis.matching import Match, Matching, matched
from inferometer.core.errors import InputError
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.shown import shown
from inferometer.core.workload import Shape, Target, Variant

Place = tuple[Variant, Shape]
"""What two devices have in common: a variant at a shape."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device, or a part of one that models ran on, with the latest records of each workload.

    Attributes:
        name: for people, unique among the devices.
        runs: that were made on it, the latest first.
        records: of its workloads; of several runs of one workload the latest.
        price: in whatever unit all prices are given; None where nobody gave one.
    """

    name: str
    runs: tuple[Run, ...]
    records: tuple[Record, ...] = field(repr=False)
    price: float | None = None

    @cached_property
    def by_place(self) -> dict[Place, Record]:
        """Records by their variant and shape."""
        return {(one.workload.variant, one.workload.shape): one for one in self.records}

    def said(self, key: str) -> object:
        """What the latest run knows of the device; None where it does not."""
        return self.runs[0].device.get(key)


def devices_of(
    runs: Sequence[tuple[Run, Sequence[Record]]], prices: Mapping[str, float] | None = None
) -> list[Device]:
    """The devices of runs, in the order in which they come.

    Args:
        runs: each with its records.
        prices: by the name of the device, in place of those that the runs know.

    Raises:
        InputError: a price names none of the devices.
    """
    prices = prices or {}
    groups: dict[str, dict[Target, list[tuple[Run, Record]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for run, records in runs:
        for record in records:
            groups[run.device_name][record.workload.target].append((run, record))
    for name in prices:
        if name not in groups:
            known = ", ".join(shown(one) for one in groups)
            raise InputError(
                f"--price {shown(name)}: no run is of that device; they are of {known}"
            )
    return [
        _device(name, target, found, prices, alone=len(targets) == 1)
        for name, targets in groups.items()
        for target, found in targets.items()
    ]


def _device(
    name: str,
    target: Target,
    found: Sequence[tuple[Run, Record]],
    prices: Mapping[str, float],
    *,
    alone: bool,
) -> Device:
    ordered = sorted(found, key=lambda pair: -pair[0].created_at)
    latest: dict[str, Record] = {}
    for _, record in ordered:
        before = latest.setdefault(record.workload.key, record)
        if before.status != "ok" and record.status == "ok":
            latest[record.workload.key] = record
    order = dict.fromkeys(record.workload.key for _, record in found)
    runs = tuple({run.id: run for run, _ in ordered}.values())
    threads = "? threads" if target.threads is None else f"{target.threads} threads"
    return Device(
        name=name if alone else f"{name} ({target.device}, {threads})",
        runs=runs,
        records=tuple(latest[key] for key in order),
        price=prices.get(name) or _price(runs),
    )


def _price(runs: Sequence[Run]) -> float | None:
    found = (run.device.get("price") for run in runs)
    return next((float(one) for one in found if isinstance(one, int | float) and one > 0), None)


def match_devices(devices: Sequence[Device]) -> Matching:
    """The first device's workloads with those of each other device.

    Raises:
        InputError: there are not two devices, or no other has any workload of the first.
    """
    if len(devices) < 2:  # noqa: PLR2004 - two sides
        names = ", ".join(shown(one.name) for one in devices) or "none"
        raise InputError(
            f"--by device_name compares devices, and the runs are of {names}: give runs of two or "
            "more"
        )
    base, *others = devices
    found = [
        Match(
            workload=one.workload.label,
            names=(base.name, other.name),
            baseline=one,
            contender=other.by_place[place],
        )
        for other in others
        for place, one in base.by_place.items()
        if place in other.by_place
    ]
    if not found:
        raise InputError(
            f"no other device has a workload of {shown(base.name)}; measure the same study on each"
        )
    return matched(found, *_left_out(devices))


def _left_out(devices: Sequence[Device]) -> list[str]:
    """How many workloads are not on all devices."""
    every = dict.fromkeys(place for one in devices for place in one.by_place)
    lacking = sum(any(place not in one.by_place for one in devices) for place in every)
    return [f"{lacking} of {len(every)} workloads are not on every device"] * bool(lacking)


def common_places(devices: Sequence[Device]) -> list[Place]:
    """Variants and shapes that two devices at least have figures of, in their order."""
    every = dict.fromkeys(place for one in devices for place in one.by_place)
    return [
        place
        for place in every
        if sum(latency_of(one.by_place.get(place)) is not None for one in devices) > 1
    ]


def variant_names(variants: Sequence[Variant]) -> list[str]:
    """Names of variants: the model, with what tells it from others of that model."""
    settings = ("backend", "precision", "options_text")
    told = [name for name in settings if len({getattr(one, name) for one in variants}) > 1]
    return [
        " ".join(filter(None, (one.model, *(getattr(one, n) for n in told)))) for one in variants
    ]


def latency_of(record: Record | None) -> Estimate | None:
    """A latency that can be compared; None where there is none."""
    if record is None or record.status != "ok":
        return None
    return record.latency if record.latency and record.latency.value > 0 else None
