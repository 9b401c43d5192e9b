"""How variants rank on each of several devices, and where two devices surely differ in that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inferometer.analysis.devices import Device, common_places, latency_of, variant_names
from inferometer.analysis.matching import MEAN, MEDIAN
from inferometer.analysis.sides import difference_of, latency_side
from inferometer.core.workload import Shape, Variant
from inferometer.stats.comparison import Difference, Verdict, verdicts

MOST_PAIRS = 5_000
"""Of variants, over all devices and shapes, that are compared."""


@dataclass(frozen=True, kw_only=True)
class Rank:
    """Where a variant stands among those of one shape on one device, 1 is the fastest.

    Attributes:
        first: the best place that it may have.
        last: the worst one.
    """

    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """Two variants whose order surely differs between two devices.

    Attributes:
        shape: at which.
        faster: name of the variant that is the faster one on the first of the devices.
        slower: name of the other.
        on: names of the devices.
        ratios: latency of `faster` over that of `slower`, on each of them.
    """

    shape: Shape
    faster: str
    slower: str
    on: tuple[str, str]
    ratios: tuple[Difference, Difference]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Variants of one shape by their latency, on each device.

    Attributes:
        shape: of them all.
        variants: those that every device of the ranking has a latency of.
        ranks: by the name of the device, in the order of the variants.
        reversals: where the devices surely differ.
    """

    shape: Shape
    variants: tuple[Variant, ...]
    ranks: Mapping[str, tuple[Rank, ...]]
    reversals: tuple[Reversal, ...]


def rankings(devices: Sequence[Device]) -> list[Ranking]:
    """The order of the variants on each device, for each shape of two variants and devices.

    Within a device the pairs are compared as those of a run are, and surely means by Holm's method
    over all pairs of a shape. What would take more than `MOST_PAIRS` comparisons is left out.
    """
    found: list[Ranking] = []
    left = MOST_PAIRS
    for shape in dict.fromkeys(shape for _, shape in common_places(devices)):
        ranked, variants = _ranked(devices, shape)
        count = len(ranked) * len(variants) * (len(variants) - 1) // 2
        if not 0 < count <= left:
            continue
        left -= count
        found.append(_ranking(ranked, variants, shape))
    return found


def _ranked(devices: Sequence[Device], shape: Shape) -> tuple[list[Device], list[Variant]]:
    """The devices that take part, and the variants that all of them have."""
    having = {
        one.name: {
            variant
            for (variant, at), record in one.by_place.items()
            if at == shape and latency_of(record) is not None
        }
        for one in devices
    }
    ranked = [one for one in devices if len(having[one.name]) > 1]
    if len(ranked) < 2:  # noqa: PLR2004 - two orders
        return [], []
    every = set.intersection(*(having[one.name] for one in ranked))
    order = [variant for variant, at in ranked[0].by_place if at == shape and variant in every]
    return ranked, order


def _ranking(devices: Sequence[Device], variants: Sequence[Variant], shape: Shape) -> Ranking:
    pairs = [(a, b) for a in range(len(variants)) for b in range(a + 1, len(variants))]
    differences = {
        (one.name, a, b): _difference(one, variants[a], variants[b], shape)
        for one in devices
        for a, b in pairs
    }
    said = dict(zip(differences, verdicts(list(differences.values())), strict=True))
    return Ranking(
        shape=shape,
        variants=tuple(variants),
        ranks={one.name: _ranks(one.name, len(variants), said) for one in devices},
        reversals=tuple(_reversals(devices, variants, shape, differences, said)),
    )


Pair = tuple[str, int, int]
"""A device, and the places of two variants."""


def _difference(device: Device, one: Variant, other: Variant, shape: Shape) -> Difference:
    """The log-ratio of the latencies of two variants, the first over the second."""
    first, second = (device.by_place[variant, shape] for variant in (one, other))
    medians = all(record.number(MEDIAN) for record in (first, second))
    metric = MEDIAN if medians else MEAN
    return difference_of(latency_side(second, metric), latency_side(first, metric))


def _ranks(device: str, count: int, said: Mapping[Pair, Verdict]) -> tuple[Rank, ...]:
    """The places that each variant may have."""
    ahead, behind = [0] * count, [0] * count
    for (name, a, b), verdict in said.items():
        if name == device and verdict in ("faster", "slower"):
            fast, slow = (a, b) if verdict == "faster" else (b, a)
            ahead[slow] += 1
            behind[fast] += 1
    return tuple(Rank(first=1 + ahead[i], last=count - behind[i]) for i in range(count))


def _turned(one: Difference, sign: int) -> Difference:
    """A log-ratio, or that of its inverse where the sign is -1."""
    return replace(one, log_ratio=sign * one.log_ratio)


def _reversals(
    devices: Sequence[Device],
    variants: Sequence[Variant],
    shape: Shape,
    differences: Mapping[Pair, Difference],
    said: Mapping[Pair, Verdict],
) -> list[Reversal]:
    """Each pair of variants once: on the first devices that surely differ in their order."""
    names = variant_names(variants)
    found = []
    for a, b in dict.fromkeys((a, b) for _, a, b in differences):
        by_verdict: dict[Verdict, str] = {}
        for one in devices:
            by_verdict.setdefault(said[one.name, a, b], one.name)
        if not {"faster", "slower"} <= by_verdict.keys():
            continue
        first, second = (one for one in by_verdict if one in ("faster", "slower"))
        on = by_verdict[first], by_verdict[second]
        sign = 1 if first == "faster" else -1
        faster, slower = (a, b) if first == "faster" else (b, a)
        there, here = (differences[name, a, b] for name in on)
        found.append(
            Reversal(
                shape=shape,
                faster=names[faster],
                slower=names[slower],
                on=on,
                ratios=(_turned(there, sign), _turned(here, sign)),
            )
        )
    return found
