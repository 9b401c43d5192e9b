"""What figures say of each other's units, and what their size alone makes one guess.

Latency times rate is the batch size: where that holds in every row, it tells the unit of a latency
that tells none, and whether a rate counts samples or calls. Nothing else is certain: the rest are
guesses, which nobody takes but who asks for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median

from inferometer.core.units import TIMES
from inferometer.store.tables.units import Kind, Per, Unit

_NEAR = 0.06
"""Decades by which a product may be off: rates are rounded, and told of another pass."""
_UNITS: dict[Kind, tuple[tuple[int, str], ...]] = {
    "time": ((0, "s"), (3, "ms"), (6, "us"), (9, "ns")),
    "energy": ((0, "J"), (3, "mJ"), (6, "uJ")),
}
_FEWEST_BYTES = 1e6
_FEWEST_PARAMETERS = 10_000
_FEWEST_OPERATIONS = 100_000
_GUESSES: dict[Kind, tuple[tuple[float, str, str], ...]] = {
    "time": ((0.5, "s", "1"), (1e5, "ms", "1e-3"), (math.inf, "us", "1e-6")),
    "energy": ((1.0, "J", "1"), (math.inf, "mJ", "1e-3")),
    "power": ((1000.0, "W", "1"), (math.inf, "mW", "1e-3")),
    "bytes": ((1.0, "GB", "1e9"), (1e6, "MB", "1e6"), (math.inf, "B", "1")),
}


@dataclass(frozen=True, kw_only=True)
class Deduced:
    """What a product tells.

    Attributes:
        unit: of the quantity in question.
        latency_per: of what the latency or the energy is, where that follows.
        rate_per: of what the rate is, likewise.
        why: the evidence, for people.
    """

    unit: Unit
    latency_per: Per = ""
    rate_per: Per = ""
    why: str = ""


def from_rate(points: Sequence[tuple[float, float, float]], rate_per: Per) -> Deduced | None:
    """The unit of a latency from the rate beside it; None where the rows do not agree.

    Args:
        points: of each row the latency as a number, the rate per second and the batch size.
        rate_per: what the rate counts, where its name says so.
    """
    found = _decade([latency * rate / batch for latency, rate, batch in points])
    if found is not None and rate_per != "call":
        unit = _unit("time", found)
        if unit is not None:
            why = f"latency {TIMES} rate = {10**found:,} {TIMES} batch size"
            return Deduced(unit=unit, latency_per="call", rate_per="sample", why=why)
    found = _decade([latency * rate for latency, rate, _ in points])
    unit = _unit("time", found) if found is not None else None
    if unit is None:
        return None
    why = f"latency {TIMES} rate = {10 ** (found or 0):,}"
    if rate_per == "sample":
        return Deduced(unit=unit, latency_per="sample", rate_per="sample", why=why)
    return Deduced(unit=unit, latency_per="call", rate_per="call", why=why)


def from_power(points: Sequence[tuple[float, float, float, float, Per]]) -> Deduced | None:
    """The unit of an energy, and of what it is, from power and latency; None where rows disagree.

    Args:
        points: of each row the energy as a number, watts, seconds, the batch size, and of what the
            seconds are.
    """
    for per in ("sample", "call"):
        ratios = [
            energy
            / (watts * (seconds * (batch if of == "sample" else 1)))
            * (batch if per == "sample" else 1)
            for energy, watts, seconds, batch, of in points
        ]
        found = _decade(ratios, near=0.12)
        unit = _unit("energy", found) if found is not None else None
        if unit is not None:
            why = f"energy = power {TIMES} latency" + " / batch size" * (per == "sample")
            return Deduced(unit=unit, latency_per="sample" if per == "sample" else "call", why=why)
    return None


def certain(kind: Kind, field: str, numbers: Sequence[float]) -> tuple[Unit, str] | None:
    """The unit of a quantity whose figures can be of no other."""
    if not numbers or kind not in ("bytes", "count"):
        return None
    whole = all(number == int(number) for number in numbers)
    least, one = min(numbers), Unit(kind=kind, factor=Decimal(1), text="1")
    if kind == "bytes":
        sure = whole and least >= _FEWEST_BYTES
        return (replace(one, text="bytes"), "no device has as many kilobytes") if sure else None
    if field not in ("parameters", "trainable_parameters"):
        return (one, "") if least >= _FEWEST_OPERATIONS else None
    if whole and least >= _FEWEST_PARAMETERS:
        return one, ""
    if not whole and max(numbers) < _FEWEST_PARAMETERS:
        return replace(one, factor=Decimal(10) ** 6, text="millions"), "a count has no decimals"
    return None


def guess(kind: Kind, field: str, numbers: Sequence[float]) -> Unit | None:
    """The unit that one would guess of the figures' size; never taken without being asked for."""
    if not numbers:
        return None
    if kind == "count":
        is_parameters = field in ("parameters", "trainable_parameters")
        text, factor = ("M", "1e6") if is_parameters else ("G", "1e9")
        return Unit(kind=kind, factor=Decimal(factor), text=text)
    size = median(numbers)
    for most, text, factor in _GUESSES.get(kind, ()):
        if size < most:
            return Unit(kind=kind, factor=Decimal(factor), text=text)
    return None


def _decade(ratios: Sequence[float], near: float = _NEAR) -> int | None:
    """The power of ten, a multiple of three, that all ratios are near to."""
    if not ratios or not all(ratio > 0 and math.isfinite(ratio) for ratio in ratios):
        return None
    logs = [math.log10(ratio) for ratio in ratios]
    decade = 3 * round(median(logs) / 3)
    return decade if all(abs(log - decade) < near for log in logs) else None


def _unit(kind: Kind, decade: int) -> Unit | None:
    for power, text in _UNITS[kind]:
        if power == decade:
            return Unit(kind=kind, factor=Decimal(1).scaleb(-power), text=text)
    return None
