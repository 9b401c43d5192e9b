"""What one more sample in a batch costs, and whether calls of operators or caches explain it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inferometer.analysis import facts
from inferometer.analysis.grid import Column, Grid, measured
from inferometer.analysis.makeup import Statement
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.roofline import Roofline, roofline_for
from inferometer.core.workload import Shape

MUCH = 0.1
"""Dispatch overhead of a tenth of the smallest call is worth naming."""
MOST_NAMED = 12
"""Falls in one sentence."""


@dataclass(frozen=True, kw_only=True)
class _Falling:
    """A variant whose largest batch is slower for each sample, with more alive than caches hold."""

    column: Column
    best: Shape
    last: Shape
    slower: float
    cache_bytes: int


def batching(
    grid: Grid, rooflines: Mapping[str, Sequence[Roofline]] | None = None
) -> list[Statement]:
    """How the time of a sample moves with the batch size, at each input size, and what fits that.

    Args:
        grid: the table.
        rooflines: of the device, by the run's id; one of them may know how large the caches are.
    """
    shared: list[Statement] = []
    falling: list[_Falling] = []
    for column in grid.columns:
        for size in grid.sizes:
            line = list(facts.latencies(grid, column, grid.rows(size)))
            if len(line) > 1:
                shared += _dispatch(grid, column, line)
                falling += _falling(grid, column, line, (rooflines or {}).get(column.run_id, ()))
    return _outgrown(falling) + shared


def _dispatch(grid: Grid, column: Column, line: Sequence[Shape]) -> list[Statement]:
    """Where dispatch overhead is much of a small call and less of a large one."""
    ends = [grid.cells[shape, column] for shape in (line[0], line[-1])]
    shares = [share for record in ends if (share := _dispatch_share(record)) is not None]
    if len(shares) < len(ends) or shares[0] < MUCH or shares[1] > shares[0] / 2:
        return []
    text = (
        f"Dispatch overhead of {column.label} is {units.percent(shares[0])} of a call at "
        f"{line[0].label} and {units.percent(shares[1])} at {line[-1].label}: a larger batch "
        "shares it among more samples."
    )
    return [
        Statement(
            kind="limit",
            sentence=text,
            figures={"small_share": shares[0], "large_share": shares[1]},
        )
    ]


def _dispatch_share(record: Record) -> float | None:
    overhead, latency = record.number("dispatch_latency_s"), measured(record)
    return None if overhead is None or latency is None else overhead / latency.value


def _falling(
    grid: Grid, column: Column, line: Sequence[Shape], rooflines: Sequence[Roofline]
) -> list[_Falling]:
    """Where the largest batch takes longer for each sample than a smaller one did.

    Nothing where the caches do not explain it: the fall itself is in the figures.
    """
    each = {shape: _per_sample(grid.cells[shape, column], shape) for shape in line}
    best, last = min(line, key=lambda shape: each[shape].value), line[-1]
    if best == last or not facts.apart(each[best], each[last]):
        return []
    records = [grid.cells[shape, column] for shape in (best, last)]
    alive = [record.number("activation_peak_bytes") for record in records]
    roofline = roofline_for(records[1].workload, rooflines)
    cache_bytes = roofline.cache_bytes if roofline else None
    if alive[0] is None or alive[1] is None or cache_bytes is None:
        return []
    if not alive[0] <= cache_bytes < alive[1]:
        return []
    slower = each[last].value / each[best].value
    return [_Falling(column=column, best=best, last=last, slower=slower, cache_bytes=cache_bytes)]


def _outgrown(found: Sequence[_Falling]) -> list[Statement]:
    """The falls beside caches of one size, in a sentence."""
    by_caches: dict[int, list[_Falling]] = defaultdict(list)
    for one in found:
        by_caches[one.cache_bytes].append(one)
    statements = []
    for cache_bytes, alike in by_caches.items():
        listed = "; ".join(
            f"{one.column.label} {units.ratio(one.slower)} at {one.last.label} against "
            f"{one.best.label}"
            for one in alike[:MOST_NAMED]
        )
        more = f"; and {len(alike) - MOST_NAMED} more" * (len(alike) > MOST_NAMED)
        text = (
            "Where the activations alive at a time outgrow the caches "
            f"({units.byte_count(cache_bytes)}), a sample takes longer: {listed}{more}."
        )
        figures = {"slowest": max(one.slower for one in alike)}
        statements.append(Statement(kind="limit", sentence=text, figures=figures))
    return statements


def _per_sample(record: Record, shape: Shape) -> Estimate:
    """A latency divided by the batch size."""
    latency = measured(record)
    assert latency is not None  # the line holds measured shapes only
    return latency.divided(shape.batch_size)
