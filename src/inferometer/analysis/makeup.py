"""What the latency of one model is made of, as far as its costs and the measured rates tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from inferometer.analysis.grid import Column, Grid, measured
from inferometer.analysis.parts import Parts, flops_per_s, parts_of, unknown_operators
from inferometer.analysis.percall import PerCall, per_call
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.roofline import Roofline, roofline_for
from inferometer.core.workload import Shape

Kind = Literal[
    "undecided",
    "unknown",
    "work",
    "rate",
    "parts",
    "limit",
    "per call",
    "difference",
    "operators",
    "doubt",
    "incomplete",
]

MOST = 0.5
"""A part of more than half is most of the whole."""
MUCH = 0.25
"""A part of a quarter is worth naming."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A sentence, and the figures it was made from.

    Attributes:
        kind: what it is about.
        sentence: for people.
        figures: the figures by name: ratios, and SI units as their names say.
    """

    kind: Kind
    sentence: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the models that are compared, at one shape.

    Attributes:
        column: the model.
        record: its record there.
        latency: as measured.
        parts: what the measured rates make of it; None without rooflines.
        rate: operations per second that it attained; None where they were not counted.
        attainable: operations per second at best; None without a roofline.
    """

    column: Column
    record: Record
    latency: Estimate
    parts: Parts | None
    rate: float | None
    attainable: float | None

    @property
    def name(self) -> str:
        """For people."""
        return self.column.label

    @property
    def latency_s(self) -> float:
        """Seconds per call."""
        return self.latency.value

    @property
    def flops(self) -> float | None:
        """Floating-point operations per call; None where they were not all counted."""
        return None if unknown_operators(self.record) else self.record.number("flops")


def side_of(
    grid: Grid, column: Column, shape: Shape, rooflines: Mapping[str, Sequence[Roofline]]
) -> Side | None:
    """A model at a shape; None where it was not measured there."""
    record = grid.cell(shape, column)
    latency = measured(record)
    if record is None or latency is None:
        return None
    roofline = roofline_for(record.workload, rooflines.get(column.run_id, ()))
    return Side(
        column=column,
        record=record,
        latency=latency,
        parts=parts_of(record),
        rate=flops_per_s(record),
        attainable=None if roofline is None else roofline.flops.best,
    )


def made_of(grid: Grid, side: Side, shape: Shape) -> list[Statement]:
    """What a latency is made of, what limits it, and what of it a call takes whatever its batch.

    Returns:
        Nothing where neither rooflines nor several batch sizes were measured.
    """
    return [
        *_parts(side),
        *_limit(side),
        *_per_call(side, per_call(grid, side.column, shape)),
    ]


def _parts(side: Side) -> list[Statement]:
    """What the latency of one model is made of."""
    found = side.parts
    if found is None:
        return []
    parts = [
        f"{units.seconds(found.arithmetic_s)} is arithmetic",
        f"{units.seconds(found.moving_s)} moving the data of operators",
    ]
    calls = side.record.number("operator_calls")
    if found.dispatch_s is not None:
        what = "operators" if calls is None else f"{units.count(int(calls))} operators"
        parts.append(f"{units.seconds(found.dispatch_s)} dispatching {what}")
    listed = ", ".join(parts)
    text = f"Of the {units.seconds(found.latency_s)} of {side.name}, at the rates measured here"
    figures = {"arithmetic_s": found.arithmetic_s, "moving_s": found.moving_s}
    figures |= {"rest_s": found.unexplained_s, "latency_s": found.latency_s}
    if found.dispatch_s is not None:
        figures["starting_s"] = found.dispatch_s
    return [
        Statement(kind="parts", sentence=f"{text} {listed}; {unexplained(found)}.", figures=figures)
    ]


def unexplained(found: Parts) -> str:
    """What is left of a latency: `6.52 ms (64 %) is explained by none of these`."""
    left = found.unexplained_s
    share = units.percent(abs(found.share(left)))
    if left < 0:
        return (
            f"together that is {share} more than was measured, so they overlap, or less is done "
            "than is counted"
        )
    return f"{units.seconds(left)} ({share}) is explained by none of these"


def _limit(side: Side) -> list[Statement]:
    """What limits a model, as far as the measured rates tell."""
    found = side.parts
    if found is None or not found.work_s:
        return []
    sentences = [*_by_work(side.name, found), *_by_dispatch(side.name, found)]
    explained = found.share(found.explained_s)
    figures = {"moving_share": found.moving_s / found.work_s, "explained_share": explained}
    return [Statement(kind="limit", sentence=text, figures=figures) for text in sentences]


def _by_work(name: str, found: Parts) -> list[str]:
    """Whether arithmetic or the moving of data limits a model; nothing where neither is much."""
    arithmetic, moving = found.share(found.arithmetic_s), found.share(found.moving_s)
    if moving > 1:
        line = (
            f"Moving its data operator by operator would take longer than {name} did: its runtime "
            "moves less than is counted, or faster than was measured."
        )
        return [line]
    if arithmetic > 1:
        line = (
            f"Its arithmetic alone, at the attained rate, would take longer than {name} did: less "
            "is done than is counted, or the rate was measured too low."
        )
        return [line]
    if moving > MOST:
        share = units.percent(moving)
        return [f"{name} is memory-bound: moving its operators' data alone is {share} of its time."]
    if arithmetic > MOST:
        share = units.percent(arithmetic)
        return [f"{name} is compute-bound: its arithmetic alone is {share} of its time."]
    if moving > MUCH and moving > arithmetic:
        share, of = units.percent(found.moving_s / found.work_s), units.percent(moving)
        return [f"{share} of what {name} takes at these rates is moving data: {of} of its time."]
    return []


def _by_dispatch(name: str, found: Parts) -> list[str]:
    dispatch = 0.0 if found.dispatch_s is None else found.share(found.dispatch_s)
    if dispatch <= MUCH:
        return []
    return [
        f"Dispatch overhead takes {units.percent(dispatch)} of the time of {name}"
        + (", while the device works." if found.overlaps else ".")
    ]


def _per_call(side: Side, found: PerCall | None) -> list[Statement]:
    """How much of a call does not depend on the batch size, where that is much of it."""
    share = 0.0 if found is None else found.fixed_s / side.latency_s
    if found is None or share <= MUCH:
        return []
    calls = side.record.number("operator_calls")
    each = f", {units.seconds(found.fixed_s / calls)} for each operator" if calls else ""
    interval = f"{units.seconds(found.low_s)} to {units.seconds(found.high_s)}"
    text = (
        f"By a line through the batch sizes {found.batches[0]} to {found.batches[-1]}, "
        f"{units.seconds(found.fixed_s)} ({interval}) of a call of {side.name} do not depend on "
        f"the batch{each}: {units.percent(min(share, 1.0))} of this call."
    )
    return [Statement(kind="per call", sentence=text, figures={"fixed_s": found.fixed_s})]
