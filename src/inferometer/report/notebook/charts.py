"""Charts of records, runs and comparisons: which points they have."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inferometer.analysis.compare import Comparison
from inferometer.analysis.grid import Grid
from inferometer.analysis.series import Point
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.report.document.marks import plain
from inferometer.report.notebook import svg
from inferometer.report.plots import choice

MOST_LINES = 12
MOST_ROWS = 20
MOST_POINTS = 400
"""Points of a record's chart; of more, one in so many is shown."""


def of_record(record: Record) -> str:
    """The latencies of a record over time with the interval of their median; empty without any."""
    estimate = record.latency
    rounds = [one for one in record.rounds if one.phase == "measure" and one.settled_s]
    if estimate is None or record.failure is not None:
        return ""
    if not rounds:
        return _intervals("latency per call", [(plain(record.workload.label), estimate)])
    begun = min(one.started_at for one in rounds)
    lines: dict[int, list[svg.Mark]] = {}
    for one in rounds:
        at = one.started_at - begun
        for start, value in zip(one.starts_s[one.settle :], one.settled_s, strict=True):
            mark = svg.Mark(x=at + start, y=value, told=units.seconds(value))
            lines.setdefault(one.process, []).append(mark)
    return _over_time(lines, estimate)


def of_grid(grid: Grid) -> str:
    """Latency against batch size for each input size; or each variant, the fastest first."""
    plan = choice.plan(grid)[0]
    if not plan.reason:
        panels = "".join(_panel(one) for one in plan.panels)
        named = list(dict.fromkeys(_labels(plan.panels)))
        more = f"<div>and {len(named) - MOST_LINES} more</div>" * (len(named) > MOST_LINES)
        return f"<div>{panels}</div>{svg.legend(named[:MOST_LINES])}{more}"
    ranking = choice.ranking(grid)
    if ranking is None:
        return ""
    found = [(plain(one.column.label), one.latency) for one in ranking.ranked[:MOST_ROWS]]
    return _intervals(f"latency per call, {ranking.where}", found)


def of_comparisons(comparisons: Sequence[Comparison]) -> str:
    """The ratio of each comparison with its interval; empty where there is none."""
    marks = [(plain(_name(one)), _ratio(one)) for one in comparisons[:MOST_ROWS]]
    marks = [(name, mark) for name, mark in marks if mark.x > 0]
    if not marks:
        return ""
    ends = [end for _, one in marks for end in (one.x, one.low, one.high) if end]
    low, high = min(*ends, 0.95), max(*ends, 1.05)
    ticks = tuple(sorted({1.0, *svg.log_ticks(low, high)}))
    axis = svg.Axis(
        label="the contender's time over the baseline's",
        ticks=ticks,
        text=units.round_number,
    )
    return svg.rows("ratio with its interval", axis, marks)


def _over_time(lines: dict[int, list[svg.Mark]], estimate: Estimate) -> str:
    """A chart of values over time, a colour for each process."""
    every = math.ceil(sum(map(len, lines.values())) / MOST_POINTS)
    kept = [
        svg.Line(label=f"process {process}", marks=tuple(marks[::every]), joined=False)
        for process, marks in sorted(lines.items())
    ]
    values = [mark.y for line in kept for mark in line.marks]
    last = max(mark.x for line in kept for mark in line.marks)
    ends = (estimate.low, estimate.high)
    band = (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None
    chart = svg.Chart(
        title=f"{units.latency(estimate)} per call",
        x=svg.Axis(
            label="time since the first call, s",
            ticks=svg.linear_ticks(0.0, last),
            text=units.number,
            is_log=False,
        ),
        y=_latency_axis(min(values), max(values), "latency per call"),
        lines=tuple(kept),
        band=band,
    )
    named = svg.legend([line.label for line in kept]) if len(kept) > 1 else ""
    return f"<div>{svg.draw(chart)}</div>{named}"


def _panel(panel: choice.Panel) -> str:
    lines = tuple(
        svg.Line(label=one.column.label, marks=tuple(_mark(point) for point in one.points))
        for one in panel.series[:MOST_LINES]
    )
    values = [mark.y for line in lines for mark in line.marks]
    if not values:
        return ""
    x = svg.Axis(label="batch size", ticks=tuple(panel.ticks), text=units.round_number)
    y = _latency_axis(min(values), max(values), "latency per call")
    return svg.draw(svg.Chart(title=panel.title, x=x, y=y, lines=lines))


def _labels(panels: Sequence[choice.Panel]) -> list[str]:
    """Names of the lines, by their place: it gives them their colours in each panel."""
    return [plain(one.column.label) for panel in panels for one in panel.series]


def _mark(point: Point) -> svg.Mark:
    """A point with the interval that the table shows: that for comparisons, where there is one."""
    told = f"batch {units.round_number(point.x)}: {units.seconds(point.y)}"
    low, high = point.relative_low, point.relative_high
    if low is None:
        low, high = point.low, point.high
    return svg.Mark(x=point.x, y=point.y, low=low, high=high, told=told)


def _intervals(title: str, found: Sequence[tuple[str, Estimate]]) -> str:
    """Latencies below each other."""
    marks = [(name, _row(one)) for name, one in found if one.value > 0]
    if not marks:
        return ""
    ends = [end for _, one in marks for end in (one.x, one.low, one.high) if end and end > 0]
    return svg.rows(title, _latency_axis(min(ends), max(ends), "latency per call"), marks)


def _row(latency: Estimate) -> svg.Mark:
    low = latency.low if latency.low and latency.low > 0 else None
    told = units.latency(latency)
    return svg.Mark(x=latency.value, y=0.0, low=low, high=latency.high, told=told)


def _latency_axis(low: float, high: float, label: str) -> svg.Axis:
    low = max(low, high * 1e-9)
    return svg.Axis(label=label, ticks=svg.log_ticks(low, high), text=units.round_seconds)


def _name(one: Comparison) -> str:
    return f"{one.match.workload}, {one.match.names[1]}"


def _ratio(one: Comparison) -> svg.Mark:
    interval = one.difference.interval(one.confidence)
    told = f"{units.number(one.ratio)}: {one.verdict}"
    if interval is None:
        return svg.Mark(x=one.ratio, y=0.0, told=told)
    return svg.Mark(x=one.ratio, y=0.0, low=interval.low, high=interval.high, told=told)
