"""What to do next with a run, as one command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.analysis import facts
from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid
from inferometer.report.document.sources import RunRecords


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
        if any(record.status == "failed" for record in one.records):
            return Step(why="See why workloads failed", command=f"inferometer show {one.run.id}")
    again = next((one.rerun for one in findings.anomalies if one.rerun), "")
    if again:
        return Step(why="Measure again what looks odd", command=again)
    ids = " ".join(one.run.id for one in runs)
    shape = facts.common_shape(grid)
    if shape is not None and len(facts.ranking(grid, shape)) == 1:
        model = shlex.quote(grid.columns[0].variant.model)
        if all(one.study is not None for one in runs):
            return Step(why="See where the time goes", command=f"inferometer profile {model}")
    return Step(
        why="Choose under limits of your own",
        command=f"inferometer recommend {ids} --max-latency 50ms",
    )
