"""Figures of a table that do not go together: found without any raw observation."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from inferometer.analysis import facts
from inferometer.analysis.anomalies.named import MOST_NAMED, Place, anomaly, label, named
from inferometer.analysis.findings import Anomaly
from inferometer.analysis.grid import Column, Grid, measured
from inferometer.analysis.hypotheses.pairs import Cell, Pair, judged, steps, strata
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.stats.affine import Off, far_off

JUMP = 2.0
"""Growth of the time of a sample, from one shape to the next, that no computation explains."""
SURE_JUMP = 1.5
"""What the ends of the intervals must leave of it."""
_NEEDED = {"latency_p90_s": 36, "latency_p95_s": 72, "latency_p99_s": 368}
"""Calls that a two-sided interval of a percentile needs (docs/method/latency.md)."""
_FEWEST = 3
_OUTLIER_SHARE = 0.05
_LIKE_ONE = 0.15


def repeated(grid: Grid) -> list[Anomaly]:
    """One and the same figure in two cells or more."""
    return [
        anomaly(
            grid,
            "repeated_figure",
            f"{units.seconds(one.latency_s)} ({one.latency_s!r} to the last digit) stands in "
            f"{len(one.cells)} cells: {named(one.cells)}; two measurements do not agree to the "
            "last digit by chance",
            one.cells,
            None,
            ("a figure was copied from one cell to another", "a cached result was read again"),
        )
        for one in facts.repeats(grid)
    ]


def faster_with_more_work(grid: Grid) -> list[Anomaly]:
    """Steps of an axis at which latency surely falls, those between the same values together."""
    found = []
    for axis in ("batch_size", "input_size"):
        pairs = judged(steps(strata(grid, "latency", axis)), rises=True)
        groups: dict[tuple[float, float], list[Pair]] = defaultdict(list)
        totals: dict[tuple[float, float], int] = defaultdict(int)
        for pair in pairs:
            key = (pair.start.factor, pair.end.factor)
            totals[key] += 1
            if pair.says == "against":
                groups[key].append(pair)
        found += [_faster(grid, axis, key, group, totals[key]) for key, group in groups.items()]
    return found


def _faster(
    grid: Grid,
    axis: str,
    key: tuple[float, float],
    group: list[Pair],
    total: int,
) -> Anomaly:
    group.sort(key=lambda pair: pair.ratio)
    told = "; ".join(
        f"{pair.start.column.label} {pair.start.shape.label} {units.seconds(pair.start.value)}, "
        f"but {pair.end.shape.label} {units.seconds(pair.end.value)}"
        for pair in group[:MOST_NAMED]
    )
    more = f" and {len(group) - MOST_NAMED} more" if len(group) > MOST_NAMED else ""
    name = axis.replace("_", " ")
    start, end = (f"{value:g}" for value in key)
    return anomaly(
        grid,
        "faster_with_more_work",
        f"From {name} {start} to {end} latency falls in {len(group)} of {total} series: "
        f"{told}{more}",
        [(cell.column, cell.shape) for pair in group for cell in (pair.start, pair.end)],
        group[0].ratio,
        (
            "the smaller shape was measured while something else held the device up",
            "the larger shape was measured at another time, in another state of the device",
            "the two figures were swapped, or one was not of the whole batch",
            "another algorithm serves the larger shape",
        ),
    )


def jumps(grid: Grid) -> list[Anomaly]:
    """Steps at which the time of a sample, pixel or position more than doubles, by variant."""
    found = []
    for axis in ("batch_size", "input_size"):
        groups: dict[Column, list[tuple[float, Pair]]] = defaultdict(list)
        for pair in steps(strata(grid, "latency", axis)):
            _, power = _unit(grid, pair.end.column, axis)
            work = (pair.end.factor / pair.start.factor) ** power
            if pair.ratio / work > JUMP and _least_ratio(pair) / work > SURE_JUMP:
                groups[pair.end.column].append((pair.ratio / work, pair))
        found += [
            _jump(grid, _unit(grid, column, axis)[0], group) for column, group in groups.items()
        ]
    return sorted(found, key=lambda one: -(one.size or 0))


def _unit(grid: Grid, column: Column, axis: str) -> tuple[str, int]:
    """What latency is counted for along an axis, and with which power of the axis it grows."""
    return ("sample", 1) if axis == "batch_size" else facts.size_unit(grid, column)


def _least_ratio(pair: Pair) -> float:
    """The low end of the interval of the ratio; the ratio itself where there is none."""
    interval = pair.difference.interval()
    return pair.ratio if interval is None else interval.low


def _jump(grid: Grid, unit: str, group: list[tuple[float, Pair]]) -> Anomaly:
    group.sort(key=lambda one: -one[0])
    told = "; ".join(
        f"{units.ratio(grown)} from {pair.start.shape.label} ({units.seconds(pair.start.value)}) "
        f"to {pair.end.shape.label} ({units.seconds(pair.end.value)})"
        for grown, pair in group[:MOST_NAMED]
    )
    more = f" and {len(group) - MOST_NAMED} more" if len(group) > MOST_NAMED else ""
    cells = [(pair.end.column, pair.end.shape) for _, pair in group]
    return anomaly(
        grid,
        "jump",
        f"The time that {cells[0][0].label} takes for each {unit} jumps: {told}{more}",
        cells,
        group[0][0],
        (
            *_swapping(grid, cells),
            "the data no longer fit a cache",
            "the device was throttled or busy meanwhile",
            "another algorithm serves the larger shape",
        ),
    )


def _swapping(grid: Grid, cells: Sequence[Place]) -> tuple[str, ...]:
    """That the system swapped, where a verdict says so, or nobody judged."""
    records = [grid.cells[shape, column] for column, shape in cells]
    verdicts = {str(record.figures.get("verdict")) for record in records}
    if "swapped" in verdicts:
        return ("the memory no longer held it: the system swapped, as the verdict says",)
    if verdicts & {"None", "unknown"}:
        return ("the memory no longer held it: the system swapped",)
    return ()


def off_fit(grid: Grid, explained: Sequence[Anomaly] = ()) -> list[Anomaly]:
    """Cells far off the line through the other batch sizes of their series.

    Args:
        grid: the table.
        explained: other anomalies: cells that one names already are left out, and so is what lies
            beyond a jump, which is on no line with what lies before.
    """
    named_already = {cell for one in explained for cell in one.cells}
    jumped = {cell for one in explained if one.kind == "jump" for cell in one.cells}
    found = []
    for stratum in strata(grid, "latency", "batch_size"):
        cells = stratum.cells
        names = [label(cell.column, cell.shape) for cell in cells]
        first = next((at for at, name in enumerate(names) if name in jumped), len(names))
        found += [
            _off(grid, cells[off.index], off)
            for off in far_off([cell.factor for cell in cells], [cell.value for cell in cells])
            if off.index < first and names[off.index] not in named_already
        ]
    return found


def _off(grid: Grid, cell: Cell, off: Off) -> Anomaly:
    way = "above" if off.ratio > 1 else "below"
    size = units.ratio(max(off.ratio, 1 / off.ratio))
    return anomaly(
        grid,
        "off_fit",
        f"{label(cell.column, cell.shape)}: {units.seconds(cell.value)} is {size} {way} the line "
        "through the other batch sizes of its series",
        [(cell.column, cell.shape)],
        off.ratio,
        (
            "something held the device up, or it was in another state",
            "a slip of the pen in the table",
            "another algorithm serves this shape",
        ),
    )


def first_call_in_mean(grid: Grid) -> list[Anomaly]:
    """Means that one slow call explains: s = √n · (mean - median) where all others are alike."""
    cells = [place for place, record in _there(grid) if _has_one_slow_call(record)]
    if not cells:
        return []
    sizes = [_mean_over_median(grid.cells[shape, column]) for column, shape in cells]
    return [
        anomaly(
            grid,
            "first_call_in_mean",
            f"In {len(cells)} cells one slow call explains how far the mean is above the median, "
            f"and the whole deviation: {named(cells)}",
            cells,
            max(sizes),
            ("the first call, which is always slow, was counted", "a single interruption"),
        )
    ]


def _has_one_slow_call(record: Record) -> bool:
    mean, middle = record.number("latency_mean_s"), record.number("latency_median_s")
    std, calls = record.number("latency_std_s"), record.number("latency_calls")
    if record.number("first_call_s") is not None:  # it was recorded apart
        return False
    if not mean or not middle or not std or not calls or calls < _FEWEST:
        return False
    above = mean - middle
    if above < _OUTLIER_SHARE * middle:
        return False
    return abs(std - math.sqrt(calls) * above) <= _LIKE_ONE * std


def _mean_over_median(record: Record) -> float:
    return (record.number("latency_mean_s") or 0.0) / (record.number("latency_median_s") or 1.0)


def few_calls(grid: Grid) -> list[Anomaly]:
    """Percentiles that come from fewer calls than they need."""
    found = []
    for name, needed in _NEEDED.items():
        cells = [
            place
            for place, record in _there(grid)
            if record.number(name) is not None
            and (record.number("latency_calls") or math.inf) < needed
        ]
        if cells:
            percentile = name.removeprefix("latency_").removesuffix("_s")
            found.append(
                anomaly(
                    grid,
                    "few_calls",
                    f"{percentile} of {len(cells)} cells comes from fewer than the {needed} calls "
                    f"that it needs: {named(cells)}",
                    cells,
                    None,
                    ("it is hardly more than the largest value seen",),
                )
            )
    return found


def _there(grid: Grid) -> list[tuple[Place, Record]]:
    """Cells with a latency."""
    cells = grid.cells.items()
    return [((c, s), record) for (s, c), record in cells if measured(record) is not None]
