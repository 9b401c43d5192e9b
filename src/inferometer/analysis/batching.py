"""What one more sample in a batch costs, and whether calls of operators or caches explain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def batching(
    grid: Grid, column: Column, rooflines: Mapping[str, Sequence[Roofline]] | None = None
) -> list[Statement]:
    """How the time of a sample moves with the batch size, at each input size, and what fits that.

    Args:
        grid: the table.
        column: the model.
        rooflines: of the device, by the run's id; one of them may know how large the caches are.
    """
    found = []
    for size in grid.sizes:
        line = list(facts.latencies(grid, column, grid.rows(size)))
        if len(line) > 1:
            found += _dispatch(grid, column, line)
            found += _falling(grid, column, line, (rooflines or {}).get(column.run_id, ()))
    return found


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
) -> list[Statement]:
    """Where the largest batch takes longer for each sample than a smaller one did.

    Nothing where the caches do not explain it: the fall itself is in the figures.
    """
    each = {shape: _per_sample(grid.cells[shape, column], shape) for shape in line}
    best, last = min(line, key=lambda shape: each[shape].value), line[-1]
    if best == last or not facts.apart(each[best], each[last]):
        return []
    records = [grid.cells[shape, column] for shape in (best, last)]
    alive = [record.number("activation_peak_bytes") for record in records]
    if alive[0] is None or alive[1] is None:
        return []
    roofline = roofline_for(records[1].workload, rooflines)
    cache_bytes = roofline.cache_bytes if roofline else None
    if cache_bytes is None or not alive[0] <= cache_bytes < alive[1]:
        return []
    slower = each[last].value / each[best].value
    text = (
        f"A sample of {column.label} takes {units.ratio(slower)} as long at {last.label} as at "
        f"{best.label}, though its operations are the same: the results that are alive at a time "
        f"grow from {units.byte_count(alive[0])} to {units.byte_count(alive[1])} and outgrow the "
        f"caches, which hold {units.byte_count(cache_bytes)}."
    )
    figures = {"slower": slower, "alive_best_bytes": alive[0], "alive_last_bytes": alive[1]}
    return [Statement(kind="limit", sentence=text, figures=figures)]


def _per_sample(record: Record, shape: Shape) -> Estimate:
    """A latency divided by the batch size."""
    latency = measured(record)
    assert latency is not None  # the line holds measured shapes only
    return latency.divided(shape.batch_size)
