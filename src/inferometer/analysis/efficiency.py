"""What devices give for what they take: throughput over power, cores and price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.analysis.devices import Device, common_places
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.workload import Shape, Variant


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """What a device gives for what it takes, at the batch size at which it is fastest.

    Attributes:
        device: its name.
        variant: what ran.
        shape: the batch size of the highest throughput, among those that the devices share.
        throughput: samples per second.
        per_joule: samples per joule, which is throughput per watt.
        scope: what the energy covers, and by which source.
        per_core: throughput over the cores that worked; None of an accelerator.
        per_price: throughput over the price.
    """

    device: str
    variant: Variant
    shape: Shape
    throughput: Estimate
    per_joule: Estimate | None
    scope: str
    per_core: float | None
    per_price: float | None


def efficiencies(devices: Sequence[Device]) -> list[Efficiency]:
    """Throughput of each variant at each input size that devices share, over what it takes."""
    batches: dict[tuple[Variant, int | None], list[Shape]] = defaultdict(list)
    for variant, shape in common_places(devices):
        batches[variant, shape.input_size].append(shape)
    found = [
        _efficiency(device, variant, shapes)
        for (variant, _), shapes in batches.items()
        for device in devices
    ]
    return [one for one in found if one is not None]


def _efficiency(device: Device, variant: Variant, shapes: Sequence[Shape]) -> Efficiency | None:
    records = [one for shape in shapes if (one := device.by_place.get((variant, shape)))]
    known = [(rate, one) for one in records if one.status == "ok" and (rate := one.throughput)]
    if not known:
        return None
    rate, record = max(known, key=lambda pair: pair[0].value)
    energy = _energy(record)
    cores = _cores(device, record)
    scope = (str(record.figures.get(f"energy_{name}") or "") for name in ("scope", "source"))
    return Efficiency(
        device=device.name,
        variant=variant,
        shape=record.workload.shape,
        throughput=rate,
        per_joule=None if energy is None else energy.inverted(),
        scope="" if energy is None else ", ".join(filter(None, scope)),
        per_core=None if cores is None else rate.value / cores,
        per_price=None if device.price is None else rate.value / device.price,
    )


def _energy(record: Record) -> Estimate | None:
    """Joules per sample; None where they are not known, or not above 0."""
    value, half = record.number("energy_per_inference_j"), record.number("energy_uncertainty_j")
    if value is None or value <= 0:
        return None
    return Estimate(
        value=value,
        low=None if half is None else value - half,
        high=None if half is None else value + half,
        confidence=0.95,
        method="",
        n=0,
    )


def _cores(device: Device, record: Record) -> float | None:
    """Cores that worked: as many as threads, and no more than there are."""
    if record.workload.device != "cpu":
        return None
    known = (record.number("threads") or record.workload.threads, device.said("cores_physical"))
    return min(
        (float(one) for one in known if isinstance(one, int | float) and one > 0), default=None
    )
