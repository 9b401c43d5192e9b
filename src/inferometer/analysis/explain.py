"""Why one model is slower than another, from what both cost on paper and what the device can do.

Every statement follows from figures of the records; where they explain nothing, it says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from inferometer.analysis import facts
from inferometer.analysis.grid import Column, Grid, Shape, measured
from inferometer.analysis.parts import Parts, flops_per_s, parts_of
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.roof import Roof, roof_for

Kind = Literal["undecided", "unknown", "work", "rate", "parts", "limit", "difference", "doubt"]

CLOSE = 1.5
"""Ratios within this factor of each other are near enough to call one the reason of the other."""
MOST = 0.5
"""A part of more than half is most of the whole."""
MUCH = 0.25
"""A part of a quarter is worth naming."""
NEGLIGIBLE = 0.005
"""A part of less than half a percent is not told."""
UNDOUBTED = ("trusted", "noisy", "unknown", "None")
"""Verdicts that name no cause outside the model; a wide interval is judged by its width."""


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
class _Side:
    """One of two models, at the shape."""

    name: str
    record: Record
    latency: Estimate
    parts: Parts | None
    rate: float | None
    roof: float | None

    @property
    def latency_s(self) -> float:
        return self.latency.value

    @property
    def flops(self) -> float | None:
        return self.record.number("flops")


def why(
    grid: Grid,
    fast: Column,
    slow: Column,
    shape: Shape,
    roofs: Mapping[str, Sequence[Roof]] | None = None,
) -> list[Statement]:
    """Why one of two models is slower at a shape; the strongest statement first.

    Args:
        grid: the table.
        fast: the model that is faster there.
        slow: the other, under the same settings; both may be given the wrong way round.
        shape: where they are compared.
        roofs: roofs of the device by the run's id, so that rates can be told as a share of them.

    Returns:
        Nothing where one of the two was not measured there.
    """
    sides = [_side(grid, column, shape, roofs or {}) for column in (fast, slow)]
    found = sorted((one for one in sides if one is not None), key=lambda one: one.latency_s)
    if len(found) < 2:  # noqa: PLR2004 - two are compared
        return []
    one, other = found
    if not facts.apart(one.latency, other.latency):
        text = f"{one.name} and {other.name} cannot be told apart at {shape.label}"
        return [Statement(kind="undecided", sentence=f"{text}: there is nothing to explain.")]
    if not one.flops or not other.flops:
        text = f"Why {other.name} is slower than {one.name} cannot be told"
        return [Statement(kind="unknown", sentence=f"{text}: their operations were not counted.")]
    low = min(one, other, key=lambda side: side.rate or 0.0)
    return [
        _work(one, other, shape),
        *_rate(one, other),
        *_parts(low),
        *_limit(low),
        *_difference(one, other),
        *_doubts(one, other),
    ]


def _side(
    grid: Grid, column: Column, shape: Shape, roofs: Mapping[str, Sequence[Roof]]
) -> _Side | None:
    record = grid.cell(shape, column)
    latency = measured(record)
    if record is None or latency is None:
        return None
    roof = roof_for(record.workload, roofs.get(column.run_id, ()))
    return _Side(
        name=column.label,
        record=record,
        latency=latency,
        parts=parts_of(record),
        rate=flops_per_s(record),
        roof=None if roof is None else roof.flops.best,
    )


def _work(fast: _Side, slow: _Side, shape: Shape) -> Statement:
    """How the operations of both compare with their latencies."""
    flops = (slow.flops or 0.0) / (fast.flops or 1.0)
    latency = slow.latency_s / fast.latency_s
    times = f"takes {units.ratio(latency)} its time at {shape.label}"
    if flops < 1 / CLOSE:
        text = (
            f"{slow.name} does {_times(flops)} the FLOPs of {fast.name}, yet {times}: the number "
            "of operations is not the reason"
        )
    elif flops < CLOSE:
        text = (
            f"{slow.name} does about as many FLOPs as {fast.name} ({units.ratio(flops)}), but "
            f"{times}: the number of operations is not the reason"
        )
    elif abs(math.log(flops / latency)) <= math.log(CLOSE):
        text = (
            f"{slow.name} does {units.ratio(flops)} the FLOPs of {fast.name} and {times}: about "
            "what the number of operations leads one to expect"
        )
    elif flops < latency:
        text = (
            f"{slow.name} does {units.ratio(flops)} the FLOPs of {fast.name}, but {times}: the "
            "number of operations is a part of the reason"
        )
    else:
        text = (
            f"{fast.name} does {_times(1 / flops)} of the FLOPs of {slow.name}, but takes "
            f"{_times(1 / latency)} of its time at {shape.label}: it gains less from its fewer "
            "operations than their number promises"
        )
    return Statement(
        kind="work", sentence=f"{text}.", figures={"flops_ratio": flops, "latency_ratio": latency}
    )


def _rate(fast: _Side, slow: _Side) -> list[Statement]:
    """The operations a second of both, where they are not much the same."""
    if (
        not fast.rate
        or not slow.rate
        or max(fast.rate, slow.rate) < CLOSE * min(fast.rate, slow.rate)
    ):
        return []
    low, high = sorted((fast, slow), key=lambda side: side.rate or 0.0)
    return [
        Statement(
            kind="rate",
            sentence=f"{low.name} does {_rate_text(low, ' of the arithmetic roof')}, {high.name} "
            f"{_rate_text(high)}.",
            figures={"low_flops_per_s": low.rate or 0.0, "high_flops_per_s": high.rate or 0.0},
        )
    ]


def _rate_text(side: _Side, of_what: str = "") -> str:
    text = units.quantity(side.rate, "FLOP/s")
    if not side.roof or not side.rate:
        return text
    return f"{text} ({units.percent(side.rate / side.roof)}{of_what})"


def _parts(side: _Side) -> list[Statement]:
    """What the latency of one model is made of."""
    found = side.parts
    if found is None:
        return []
    parts = [
        f"{units.seconds(found.arithmetic_s)} is arithmetic",
        f"{units.seconds(found.moving_s)} moving the data of operators",
    ]
    calls = side.record.number("operator_calls")
    if found.starting_s is not None:
        what = "operators" if calls is None else f"{units.count(int(calls))} operators"
        parts.append(f"{units.seconds(found.starting_s)} starting {what}")
    listed = ", ".join(parts)
    text = f"Of the {units.seconds(found.latency_s)} of {side.name}, at the rates measured here"
    figures = {"arithmetic_s": found.arithmetic_s, "moving_s": found.moving_s}
    figures |= {"rest_s": found.rest_s, "latency_s": found.latency_s}
    if found.starting_s is not None:
        figures["starting_s"] = found.starting_s
    return [Statement(kind="parts", sentence=f"{text} {listed}; {rest(found)}.", figures=figures)]


def rest(found: Parts) -> str:
    """What is left of a latency: `6.52 ms (64 %) is explained by none of these`."""
    if found.rest_s < 0:
        more = units.percent(-found.share(found.rest_s))
        return (
            f"together that is {more} more than was measured, so they overlap, or less is done "
            "than is counted"
        )
    return (
        f"{units.seconds(found.rest_s)} ({units.percent(found.share(found.rest_s))}) is explained "
        "by none of these"
    )


def _limit(side: _Side) -> list[Statement]:
    """What limits a model, as far as the measured rates tell."""
    found = side.parts
    if found is None or not found.work_s:
        return []
    sentences = [*_by_work(side.name, found), *_by_starting(side.name, found)]
    explained = found.share(found.explained_s)
    if explained < MOST:
        sentences.append(
            f"Most of the time of {side.name} is explained by none of these: kernels that stay far "
            "below the roofs, conversions inside the runtime, and other programs are not in them."
        )
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
    if moving > MOST:
        share = units.percent(moving)
        return [f"{name} is memory-bound: moving its operators' data alone is {share} of its time."]
    if arithmetic > MOST:
        share = units.percent(arithmetic)
        return [f"{name} is bound by arithmetic, at the roof alone {share} of its time."]
    if moving > MUCH and moving > arithmetic:
        share, of = units.percent(found.moving_s / found.work_s), units.percent(moving)
        return [f"{share} of what {name} takes at these rates is moving data: {of} of its time."]
    return []


def _by_starting(name: str, found: Parts) -> list[str]:
    starting = 0.0 if found.starting_s is None else found.share(found.starting_s)
    if starting <= MUCH:
        return []
    return [
        f"Starting its operators one by one takes {units.percent(starting)} of the time of {name}"
        + (", while the device works." if found.overlaps else ".")
    ]


def _difference(fast: _Side, slow: _Side) -> list[Statement]:
    """What the time between two models is made of."""
    one, other = fast.parts, slow.parts
    if one is None or other is None or one.overlaps or other.overlaps:
        return []
    between = other.latency_s - one.latency_s
    parts = {
        "arithmetic at the roof": other.arithmetic_s - one.arithmetic_s,
        "moving data": other.moving_s - one.moving_s,
        "starting operators": (other.starting_s or 0.0) - (one.starting_s or 0.0),
    }
    if one.starting_s is None or other.starting_s is None:
        del parts["starting operators"]
    listed = ", ".join(
        f"{_signed(part)} is {name}"
        for name, part in parts.items()
        if abs(part) >= NEGLIGIBLE * between
    )
    left = between - sum(parts.values())
    return [
        Statement(
            kind="difference",
            sentence=f"Of the {units.seconds(between)} between {fast.name} and {slow.name}, "
            f"{listed or 'none is any of these'}; {_signed(left)} is left unexplained.",
            figures={"between_s": between, "left_s": left},
        )
    ]


def _doubts(*sides: _Side) -> list[Statement]:
    """What may make all of this wrong."""
    found = []
    for side in sides:
        verdict = str(side.record.figures.get("verdict"))
        if verdict not in UNDOUBTED:
            found.append(
                f"The latency of {side.name} is called {verdict}: a part of it may not be its own."
            )
        unknown = side.record.figures.get("unknown_operators")
        if isinstance(unknown, list) and unknown:
            found.append(
                f"The FLOPs of {side.name} are without those of {', '.join(map(str, unknown))}, "
                "which the counter does not know."
            )
    return [Statement(kind="doubt", sentence=text) for text in found]


def _times(share: float) -> str:
    """A ratio below one as a fraction: `1/32.1`."""
    return f"1/{units.number(1 / share)}" if share < 1 else units.ratio(share)


def _signed(value: float) -> str:
    return f"\N{MINUS SIGN}{units.seconds(-value)}" if value < 0 else units.seconds(value)
