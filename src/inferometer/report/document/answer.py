"""The answer of a report in a sentence: which variant is the fastest, by how much, how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inferometer.analysis import facts
from inferometer.analysis.compare import Comparison, compare
from inferometer.analysis.grid import Grid
from inferometer.analysis.matching import axis_of_pair, match_within
from inferometer.core import units
from inferometer.core.workload import Shape
from inferometer.report.document.wording import joined
from inferometer.stats.comparison import ZONE

MOST_NAMED = 3
"""Variants that cannot be told apart and are named."""


def answer(grid: Grid) -> str:
    """Which variant is the fastest at the shape that most have, and by how much."""
    shape = facts.common_shape(grid)
    if shape is None:
        return "No latency was measured."
    ranked, first = facts.ranking(grid, shape), facts.fastest(grid, shape)
    best, pair = ranked[0], _pair(grid, shape)
    if len(ranked) == 1:
        return f"{best.column.label} takes {_latency(best)} a call."
    if pair is not None:
        return _of_pair(pair)
    if len(first) > 1:
        names = [f"{one.column.label} ({_latency(one)})" for one in first[:MOST_NAMED]]
        if len(first) > MOST_NAMED:
            names.append(f"{len(first) - MOST_NAMED} more")
        return f"No single fastest: {joined(names)} cannot be told apart{_why(first)}."
    name = best.column.label
    differs = grid.cells[shape, best.column].figures.get("fidelity_verdict") == "different"
    return (
        f"{name} is fastest: {_latency(best)} a call, {_ahead(best, ranked[1:])}."
        + " Its outputs differ from the reference's (see Fidelity)." * differs
    )


def _pair(grid: Grid, shape: Shape) -> Comparison | None:
    """How the two sides of a paired run compare at a shape; None in any other run."""
    records = [record for (at, _), record in grid.cells.items() if at == shape]
    axis = axis_of_pair(records)
    if axis is None or any(one.status != "ok" for one in records):
        return None
    found = compare(match_within(records, axis))
    return found[0] if len(found) == 1 else None


def _of_pair(found: Comparison) -> str:
    """What rounds in pairs say of two variants: more than their latencies do."""
    interval, ratio = found.difference.interval(found.confidence), found.difference.ratio
    ends = [ratio, ratio] if interval is None else [interval.low, interval.high]
    fast, slow = found.match.names
    if ratio < 1:
        fast, slow, ratio, ends = slow, fast, 1 / ratio, [1 / ends[1], 1 / ends[0]]
    told = f"{units.percent(found.confidence)} interval {ends[0]:.3f} to {ends[1]:.3f}, in pairs"
    if interval is None or units.is_unbounded(ratio, ends[1]):
        told = "in pairs, without an interval"
    if found.verdict == "equivalent":
        return f"{fast} and {slow} are equally fast, within ± {units.percent(ZONE)} ({told})."
    if found.verdict == "undecided":
        took = f"{slow} took {ratio:.3f} times as long"
        return f"{fast} and {slow} cannot be told apart: {took} ({told})."
    return f"{fast} is faster: {ratio:.3f} times as fast as {slow} ({told})."


def _why(found: Sequence[facts.Ranked]) -> str:
    """Why the fastest cannot be told apart, where that is not the width of their intervals."""
    without = sum(one.latency.low is None or one.latency.high is None for one in found)
    joint = all(facts.ratio_error(found[0].latency, one.latency) is not None for one in found)
    if joint or not without:
        return ""
    return f", as {without} of them {'has' if without == 1 else 'have'} no interval"


def _ahead(best: facts.Ranked, others: Sequence[facts.Ranked]) -> str:
    """By how much the fastest is ahead, with an interval where the joint fit gives one."""
    second = others[0]
    ratio = second.latency.value / best.latency.value
    other = "the next, " * (len(others) > 1) + second.column.label
    error = facts.ratio_error(best.latency, second.latency)
    if error is None:
        blind = any(one.latency.low is None for one in (best, second))
        unsure = " (no intervals: how sure that is cannot be said)" * blind
        return f"{units.number(ratio)} times as fast as {other}{unsure}"
    low, high = (units.number(ratio * math.exp(way * error)) for way in (-1, 1))
    return f"{units.number(ratio)} times as fast as {other} (95 % interval {low} to {high})"


def _latency(one: facts.Ranked) -> str:
    """As the table shows it: with the interval for comparisons, where it has one."""
    compared = one.latency.compared()
    return units.latency(one.latency if compared.low is None else compared)
