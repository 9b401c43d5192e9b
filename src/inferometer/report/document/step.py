"""What to do next with a run, as one command."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.analysis import facts
from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid
from inferometer.core.record import Record
from inferometer.report.document.sources import RunRecords

ENDS = ("oom", "timeout")
"""Failures that a search for larger batch sizes ends with."""
ROOM = 1.5
"""A suggested limit is at least so many times the lowest latency."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What to do next.

    Attributes:
        why: what the command is for, as the beginning of a sentence.
        command: it, without the store.
    """

    why: str
    command: str


def next_step(grid: Grid, runs: Sequence[RunRecords], findings: Findings) -> Step:
    """The most useful command: complete what is missing, look at failures, mend doubts, choose."""
    for one in runs:
        cut = any(r.failure and r.failure.kind == "budget" for r in one.records)
        if one.study is not None and (cut or one.run.planned > len(one.records)):
            return Step(
                why="Measure what is missing", command=f"inferometer run --resume {one.run.id}"
            )
    for one in runs:
        if any(r.status == "failed" and not _looked_for(one, r) for r in one.records):
            return Step(why="See why workloads failed", command=f"inferometer show {one.run.id}")
    again = next((one.rerun for one in findings.anomalies if one.rerun), "")
    if again:
        return Step(why="Measure again what looks odd", command=again)
    ids = " ".join(one.run.id for one in runs)
    shape = facts.common_shape(grid)
    if shape is None:
        return Step(why="See what there is", command=f"inferometer show {runs[0].run.id}")
    ranked = facts.ranking(grid, shape)
    if len(ranked) == 1 and all(one.study is not None for one in runs):
        model = shlex.quote(ranked[0].column.variant.model)
        return Step(why="See where the time goes", command=f"inferometer profile {model}")
    limit = _round_above(ranked[0].latency.value)
    return Step(
        why="Choose under limits of your own",
        command=f"inferometer recommend {ids} --max-latency {limit}",
    )


def _looked_for(one: RunRecords, record: Record) -> bool:
    """Whether a failure is what its run went to find: where larger batch sizes end."""
    searches = one.study is not None and one.study.procedure.find_cliff is not None
    return searches and record.failure is not None and record.failure.kind in ENDS


def _round_above(latency_s: float) -> str:
    """A round limit that the fastest keeps to, as it would be typed: `20ms`."""
    power = 10.0 ** math.floor(math.log10(latency_s * ROOM))
    limit_s = next(step * power for step in (1, 2, 5, 10) if step * power >= latency_s * ROOM)
    return f"{limit_s:.10g}s" if limit_s >= 1 else f"{limit_s * 1e3:.10g}ms"
