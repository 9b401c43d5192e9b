"""Why one model is slower than another, from their analytical costs and what the device can do.

Every statement follows from figures of the records; where they explain nothing, it says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from inferometer.analysis import facts
from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.makeup import Side, Statement, made_of, side_of
from inferometer.analysis.operators import operator_difference
from inferometer.analysis.parts import unknown_operators
from inferometer.analysis.sides import difference_of
from inferometer.analysis.sides import side as figure
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.roofline import Roofline
from inferometer.core.workload import Shape

CLOSE = 1.5
"""Ratios within this factor of each other are near enough to call one the reason of the other."""
NEGLIGIBLE = 0.005
"""A part of less than half a percent is not told."""
MOST_LEFT = 0.5
"""More of a difference than this must be explained, or nothing of it is told."""
EXPLAINING = ("work", "rate", "limit", "per call", "difference", "operators", "incomplete")
"""Kinds of statements that say why: what a latency is made of stands in a table of its own."""
UNDOUBTED = ("trusted", "noisy", "unknown", "None")
"""Verdicts that name no cause outside the model; a wide interval is judged by its width."""


def why(
    grid: Grid,
    fast: Column,
    slow: Column,
    shape: Shape,
    rooflines: Mapping[str, Sequence[Roofline]] | None = None,
) -> list[Statement]:
    """Why one of two models is slower at a shape; the strongest statement first.

    Args:
        grid: the table.
        fast: the model that is faster there.
        slow: the other, under the same settings; both may be given the wrong way round.
        shape: where they are compared.
        rooflines: of the device, by the run's id, so that rates can be told as a share of them.

    Returns:
        Nothing where one of the two was not measured there.
    """
    sides = [side_of(grid, column, shape, rooflines or {}) for column in (fast, slow)]
    found = sorted((one for one in sides if one is not None), key=lambda one: one.latency_s)
    if len(found) < 2:  # noqa: PLR2004 - two are compared
        return []
    one, other = found
    if not facts.apart(one.latency, other.latency):
        text = f"{one.name} and {other.name} cannot be told apart at {shape.label}"
        return [Statement(kind="undecided", sentence=f"{text}: there is nothing to explain.")]
    incomplete = _incomplete(one, other)
    if incomplete:
        return [*incomplete, *made_of(grid, other, shape), *_doubts(one, other)]
    if not one.flops or not other.flops:
        text = f"Why {other.name} is slower than {one.name} cannot be told"
        return [Statement(kind="unknown", sentence=f"{text}: their operations were not counted.")]
    low = min(one, other, key=lambda side: side.rate or 0.0)
    return [
        _work(one, other, shape),
        *_rate(one, other),
        *made_of(grid, low, shape),
        *(operator_difference(one, other) or _difference(one, other)),
        *_doubts(one, other),
    ]


def _work(fast: Side, slow: Side, shape: Shape) -> Statement:
    """How the operations of both compare with their latencies."""
    flops = (slow.flops or 0.0) / (fast.flops or 1.0)
    latency = slow.latency_s / fast.latency_s
    times = f"takes {units.ratio(latency)} its time at {shape.label}"
    expected = (
        f"{slow.name} does {units.ratio(flops)} the FLOPs of {fast.name} and {times}: about what "
        "the number of operations leads one to expect"
    )
    if _is_as_expected(fast, slow, flops):
        text = expected
    elif flops < 1 / CLOSE:
        text = (
            f"{slow.name} does {_times(flops)} of the FLOPs of {fast.name}, yet {times}: the "
            "number of operations is not the reason"
        )
    elif flops < CLOSE:
        text = (
            f"{slow.name} does about as many FLOPs as {fast.name} ({units.ratio(flops)}), but "
            f"{times}: the number of operations is not the reason"
        )
    elif abs(math.log(flops / latency)) <= math.log(CLOSE):
        text = expected
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


def _is_as_expected(fast: Side, slow: Side, flops: float) -> bool:
    """Whether the interval of the ratio of the latencies holds that of the operations."""
    base, contender = figure(fast.record, "latency"), figure(slow.record, "latency")
    if base is None or contender is None:
        return False
    interval = difference_of(base, contender).interval()
    return interval is not None and interval.low <= flops <= interval.high


def _rate(fast: Side, slow: Side) -> list[Statement]:
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
            sentence=f"{low.name} does {_rate_text(low, ' of the attained arithmetic rate')}, "
            f"{high.name} {_rate_text(high)}.",
            figures={"low_flops_per_s": low.rate or 0.0, "high_flops_per_s": high.rate or 0.0},
        )
    ]


def _rate_text(side: Side, of_what: str = "") -> str:
    text = units.quantity(side.rate, "FLOP/s")
    if not side.attainable or not side.rate:
        return text
    return f"{text} ({units.percent(side.rate / side.attainable)}{of_what})"


def _difference(fast: Side, slow: Side) -> list[Statement]:
    """What the time between two models is made of; nothing where most of it is unexplained."""
    one, other = fast.parts, slow.parts
    if one is None or other is None or one.overlaps or other.overlaps:
        return []
    between = other.latency_s - one.latency_s
    parts = {
        "arithmetic at the attained rate": other.arithmetic_s - one.arithmetic_s,
        "moving data": other.moving_s - one.moving_s,
        "dispatch overhead": (other.dispatch_s or 0.0) - (one.dispatch_s or 0.0),
    }
    if one.dispatch_s is None or other.dispatch_s is None:
        del parts["dispatch overhead"]
    listed = ", ".join(
        f"{_signed(part)} is {name}"
        for name, part in parts.items()
        if abs(part) >= NEGLIGIBLE * between
    )
    left = between - sum(parts.values())
    if abs(left) > MOST_LEFT * between:
        return []
    return [
        Statement(
            kind="difference",
            sentence=f"Of the {units.seconds(between)} between {fast.name} and {slow.name}, "
            f"{listed or 'none is any of these'}; the rest is {_signed(left)}.",
            figures={"between_s": between, "left_s": left},
        )
    ]


def _incomplete(*sides: Side) -> list[Statement]:
    """Sides with unknown operators: nothing follows from the number of their operations."""
    return [
        Statement(
            kind="incomplete",
            sentence=f"The FLOPs of {side.name} are without those of {', '.join(unknown)}, which "
            "the counter does not know: they are a lower bound, and nothing follows from them.",
        )
        for side in sides
        if (unknown := unknown_operators(side.record))
    ]


def is_doubted(record: Record) -> bool:
    """Whether the verdict names a cause that is not the model's own."""
    return str(record.figures.get("verdict")) not in UNDOUBTED


def _doubts(*sides: Side) -> list[Statement]:
    """What may make all of this wrong."""
    return [
        Statement(
            kind="doubt",
            sentence=f"The latency of {side.name} is called {side.record.figures['verdict']}: a "
            "part of it may not be its own.",
        )
        for side in sides
        if is_doubted(side.record)
    ]


def _times(share: float) -> str:
    """A ratio below one as a fraction: `1/32.1`."""
    return f"1/{units.number(1 / share)}" if share < 1 else units.ratio(share)


def _signed(value: float) -> str:
    return f"\N{MINUS SIGN}{units.seconds(-value)}" if value < 0 else units.seconds(value)
