"""Records → where the time of a call goes by kind of operator, and why one model is slower."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from inferometer.analysis.findings import KindShare, TimeShares
from inferometer.analysis.grid import Grid, measured
from inferometer.analysis.makeup import Side, Statement
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.operators import DEPTHWISE, OTHER, OUTSIDE, KindTime, kind_times
from inferometer.core.record import Record

MOST_ADDED = 0.5
"""A profile whose calls differ by more from plain ones says nothing of two models' difference."""
MOST_OFF = 0.25
"""Nor one whose calls without the profiler are this far from the latency."""
TOLD = 0.1
"""A kind with less than this share of a difference is not told."""
MOST_TOLD = 3
CONVOLUTION = "convolution"
_PLURALS = {
    CONVOLUTION: "convolutions",
    DEPTHWISE: "depthwise convolutions",
    "matrix product": "matrix products",
    "element-wise": "element-wise operators",
    "recurrent": "recurrent operators",
    "reduction": "reductions",
    OUTSIDE: "time outside operators",
}


def plural(kind: str) -> str:
    """A kind in a sentence."""
    return _PLURALS.get(kind, kind)


def time_shares(grid: Grid) -> list[TimeShares]:
    """What the profile of each variant tells, in the order of the grid."""
    found = []
    for column in grid.columns:
        for shape in grid.shapes:
            record = grid.cell(shape, column)
            shares = None if record is None else shares_of(record, column.label)
            if shares is not None:
                found.append(shares)
    return found


def shares_of(record: Record, model: str) -> TimeShares | None:
    """The time of a record by kind of operator; None where it was not profiled.

    The shares are those of the profiled call, which the profiler made slower; the seconds are
    these shares of the latency.
    """
    rows, latency = kind_times(record), measured(record)
    if not rows or latency is None:
        return None
    by_kind: defaultdict[str, list[KindTime]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    kinds = [_kind(kind, of_kind, latency.value) for kind, of_kind in by_kind.items()]
    kinds.sort(key=lambda one: -one.share)
    added = record.number("operator_times_added") or 0.0
    plain_s = record.number("operator_times_latency_s") or math.nan
    contrast = _contrast(model, {one.kind: one for one in kinds})
    near = 1 - MOST_OFF <= plain_s / latency.value <= 1 + MOST_OFF
    return TimeShares(
        model=model,
        shape=record.workload.shape.label,
        latency_s=latency.value,
        profiler_share=added,
        comparable=near and abs(added) <= MOST_ADDED,
        kinds=tuple(kinds),
        sentence=f"{contrast or _most(model, kinds[0])}.",
        is_contrast=bool(contrast),
    )


def _kind(kind: str, rows: Sequence[KindTime], latency_s: float) -> KindShare:
    bounds = [row.bound_seconds for row in rows if row.bound_seconds is not None]
    share = math.fsum(row.share for row in rows)
    bound_s = math.fsum(bounds) or None
    return KindShare(
        kind=kind,
        share=share,
        low=math.fsum(row.low for row in rows),
        high=math.fsum(row.high for row in rows),
        seconds=share * latency_s,
        bound_seconds=bound_s,
        times_bound=share * latency_s / bound_s if bound_s else None,
        macs=sum(row.macs for row in rows),
        bytes=sum(row.bytes for row in rows),
        calls=sum(row.calls for row in rows),
    )


def _most(model: str, one: KindShare) -> str:
    """How much of the time a kind takes, and how near it is to its bound."""
    text = f"{model}: {plural(one.kind)} take {units.percent(one.share)} of the time"
    if not one.times_bound:
        return text
    return f"{text}, {units.ratio(one.times_bound)} their roofline bound"


def _contrast(model: str, kinds: Mapping[str, KindShare]) -> str:
    """Time for a MAC of depthwise convolutions over that of others, where quartiles are apart."""
    one, other = kinds.get(DEPTHWISE), kinds.get(CONVOLUTION)
    if one is None or other is None or not (one.macs and other.macs and other.low and other.bytes):
        return ""
    scale = other.macs / one.macs
    low, high = scale * one.low / other.high, scale * one.high / other.low
    if low <= 1:
        return ""
    moved, slower = one.bytes / other.bytes, scale * one.share / other.share
    return (
        f"{_most(model, one)}; they move {units.ratio(moved)} the bytes of the other convolutions, "
        f"and a MAC of theirs takes {units.ratio(slower)} as long (quartiles {units.number(low)} "
        f"to {units.number(high)})"
    )


def operator_difference(fast: Side, slow: Side) -> list[Statement]:
    """What the time between two models is made of, by kind of operator.

    Returns:
        Nothing where one of the two was not profiled, or its profile is not of such a call.
    """
    one, other = (shares_of(side.record, side.name) for side in (fast, slow))
    if one is None or other is None or not (one.comparable and other.comparable):
        return []
    between_s = slow.latency_s - fast.latency_s
    before, after = ({k.kind: k for k in found.kinds} for found in (one, other))
    told, figures = [], {"between_s": between_s}
    for kind in sorted({*before, *after}):
        part = _part(before.get(kind), after.get(kind), fast.latency, slow.latency)
        if abs(part[0]) > max(TOLD * between_s, part[1]):
            told.append((kind, part))
    told.sort(key=lambda item: -abs(item[1][0]))
    words = []
    for kind, (seconds, half_s) in told[:MOST_TOLD]:
        figures[f"{kind} s"] = seconds
        equal_s = _at_equal_rate(before.get(kind), after.get(kind))
        equal = "" if equal_s is None else f" ({equal_s})"
        sign = "\N{MINUS SIGN}" if seconds < 0 else ""
        words.append(f"{plural(kind)} {sign}{units.plus_minus(abs(seconds), half_s)}{equal}")
    if not words:
        return []
    text = f"Of the {units.seconds(between_s)} between the two, by kind: "
    return [Statement(kind="operators", sentence=f"{text}{', '.join(words)}.", figures=figures)]


def _part(
    before: KindShare | None, after: KindShare | None, fast: Estimate, slow: Estimate
) -> tuple[float, float]:
    """A kind's difference in seconds, and its uncertainty from quartiles and intervals."""
    seconds, squares = 0.0, 0.0
    for found, latency, sign in ((before, fast, -1), (after, slow, 1)):
        if found is not None:
            seconds += sign * found.seconds
            quartiles_s = (found.high - found.low) / 2 * latency.value
            squares += quartiles_s**2
            squares += (found.seconds * (latency.relative_half_width or 0.0)) ** 2
    return seconds, math.sqrt(squares)


def _at_equal_rate(before: KindShare | None, after: KindShare | None) -> str | None:
    """What a kind's difference would be if the slower model took as long for a MAC, or a byte."""
    if before is None or after is None or before.kind in (OTHER, OUTSIDE):
        return None
    if before.macs and after.macs:
        seconds, per = before.seconds * (after.macs / before.macs - 1), "MAC"
    elif before.bytes and after.bytes:
        seconds, per = before.seconds * (after.bytes / before.bytes - 1), "byte"
    else:
        return None
    sign = "\N{MINUS SIGN}" if seconds < 0 else ""
    return f"{sign}{units.seconds(abs(seconds))} at equal time for a {per}"
