"""What to measure further to decide a recommendation, as commands."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from inferometer.analysis.matching import MEAN, MEDIAN
from inferometer.analysis.recommend.points import Name, Point
from inferometer.analysis.recommend.recommendation import (
    POSSIBLE,
    SURE,
    Limit,
    Placed,
    Recommendation,
)
from inferometer.analysis.sides import difference_of, latency_side
from inferometer.core.record import Record
from inferometer.core.workload import Workload, size_label
from inferometer.stats.comparison import units_to_decide

Why = Literal["tied", "limit", "unknown"]
Unit = Literal["replicates", "samples", "energy windows"]
UNITS: dict[Name, tuple[Unit, str]] = {
    "latency": ("replicates", "latency_processes"),
    "throughput": ("replicates", "latency_processes"),
    "accuracy": ("samples", "accuracy_examples"),
    "energy": ("energy windows", "energy_windows"),
}
"""What more is measured of for a criterion, and the field that says how many there are."""
MOST: dict[Unit, int] = {"replicates": 100, "samples": 100_000, "energy windows": 1000}
"""In all; more than these are not worth it."""
REPLICATED = 3
"""Processes that a figure of a single one needs, so that their difference is known."""
_MOST_TIES = 3


@dataclass(frozen=True, kw_only=True)
class Further:
    """A measurement that would decide something.

    Attributes:
        why: two are tied, a figure is too near to a limit, or is missing.
        criterion: of the figure.
        workloads: labels of those to measure.
        more: how much, if all else stays as it is; None where that is not known.
        unit: what of; empty where there is no figure yet.
        worth: whether it is not beyond reason.
        command: measures it; empty where nothing that is measured again would decide it.
    """

    why: Why
    criterion: Name
    workloads: tuple[str, ...]
    more: int | None
    unit: Unit | None
    worth: bool
    command: str


def further(found: Recommendation) -> list[Further]:
    """What would decide a recommendation, the most telling first."""
    if all(_is_of_a_table(point.record) for point in found.weighed.points):
        return []
    steps = [*_ties(found), *_limits(found), *_unknown(found)]
    return list({(one.criterion, one.workloads): one for one in reversed(steps)}.values())[::-1]


def _is_of_a_table(record: Record) -> bool:
    """Whether it came from somebody's table, whose names are no references to models."""
    return record.run.get("origin") == "imported" and record.number("latency_rounds") is None


def _ties(found: Recommendation) -> list[Further]:
    """What would tell the choice from those that may be better."""
    if found.choice is None:
        return []
    choice = found.choice.placed.point
    close = [tie.placed.point for tie in found.tied if tie.better <= SURE][:_MOST_TIES]
    steps = []
    for other in close:
        factor = _factor(found, found.prefer, choice, other)
        if found.prefer in ("latency", "throughput"):
            steps.append(_of_latency(found.prefer, choice, other))
        elif found.prefer in UNITS:
            steps.append(_step("tied", found.prefer, (choice, other), factor))
    return steps


def _factor(found: Recommendation, name: Name, one: Point, other: Point) -> float:
    """Times as much that the interval of a difference must leave out zero."""
    places = {point.label: place for place, point in enumerate(found.weighed.points)}
    drawn = found.drawn[:, :, found.weighed.names.index(name)]
    apart = drawn[:, places[one.label]] - drawn[:, places[other.label]]
    distance = abs(one.figures[name].value - other.figures[name].value)
    return (2 * float(apart.std()) / distance) ** 2 if distance else math.inf


def _of_latency(name: Name, one: Point, other: Point) -> Further:
    """By the same arithmetic as of a comparison."""
    both = (one.record, other.record)
    metric = MEAN if any(record.number(MEDIAN) is None for record in both) else MEDIAN
    difference = difference_of(*(latency_side(record, metric) for record in both))
    units = units_to_decide(difference)
    if units is None:
        units = REPLICATED if difference.units < REPLICATED else None
    factor = math.inf if units is None else units / difference.units
    return _step("tied", name, (one, other), factor)


def _step(why: Why, name: Name, points: Sequence[Point], factor: float) -> Further:
    unit, counted = UNITS[name]
    has = [int(point.record.number(counted) or 1) for point in points]
    more = max(math.ceil(max(has) * (factor - 1)), 1) if math.isfinite(factor) else None
    total = None if more is None else max(has) + more
    worth = total is not None and total <= MOST[unit]
    return Further(
        why=why,
        criterion=name,
        workloads=tuple(point.label for point in points),
        more=more,
        unit=unit,
        worth=worth,
        command=_command([point.record for point in points], name, total) if worth else "",
    )


def _limits(found: Recommendation) -> list[Further]:
    """What would tell whether a limit is kept that decides: of the choice, or of what may win."""
    deciding = [] if found.choice is None else [found.choice.placed]
    deciding += [tie.placed for tie in found.tied[:_MOST_TIES]]
    deciding += [found.closest] if found.closest is not None else []
    return [
        _step("limit", limit.criterion.name, (placed.point,), factor)
        for placed in deciding
        if POSSIBLE <= placed.meets <= SURE
        for limit in found.limits
        if (factor := _to_limit(placed, limit)) is not None
    ]


def _to_limit(placed: Placed, limit: Limit) -> float | None:
    """Times as much that an interval must leave out a limit; None where it does already."""
    name = limit.criterion.name
    figure = placed.point.figures[name]
    if name not in UNITS:
        return None
    if figure.low is None or figure.high is None:
        return float(REPLICATED)
    reach = figure.value - figure.low if figure.value > limit.value else figure.high - figure.value
    distance = abs(figure.value - limit.value)
    if not distance:
        return math.inf
    return (reach / distance) ** 2 if reach > distance else None


def _unknown(found: Recommendation) -> list[Further]:
    """Figures that are missing of workloads that ran."""
    lacking = [one for one in found.unknown if one.record.status == "ok"]
    return [
        Further(
            why="unknown",
            criterion=name,
            workloads=tuple(one.label for one in lacking if name in one.lacks),
            more=None,
            unit=None,
            worth=True,
            command=_command([one.record for one in lacking if name in one.lacks], name, None),
        )
        for name in found.weighed.names
        if any(name in one.lacks for one in lacking)
    ]


def _command(records: Sequence[Record], name: Name, total: int | None) -> str:
    """A run of workloads, with as much of something as is wanted."""
    workloads = [record.workload for record in records]
    parts = ["inferometer", "run", "--models", _values(workloads, lambda one: one.variant.model)]
    for flag, of, usual in (
        ("--backends", lambda one: one.variant.backend, "torch"),
        ("--precisions", lambda one: one.variant.precision, "fp32"),
        ("--batch", lambda one: str(one.batch_size), ""),
        ("--size", lambda one: size_label(one.input_size), ""),
        ("--device", lambda one: one.device, "cpu"),
        ("--threads", lambda one: str(one.threads or ""), ""),
    ):
        told = _values(workloads, of)
        parts += [flag, told] if told not in (usual, "", "unknown") else []
    if name in ("latency", "throughput") and total is not None:
        parts += ["--processes", str(total)]
    if name == "accuracy":
        parts += ["--data", "DATA"]  # a record knows the name of its data, not where it lies
    if name == "energy":
        parts += ["--preset", "publish"]
    return shlex.join(parts)


def _values(workloads: Sequence[Workload], of: Callable[[Workload], str]) -> str:
    return ",".join(dict.fromkeys(of(one) for one in workloads))
