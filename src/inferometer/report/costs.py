"""What every form of the report says of costs, memory, starts, roofs and the order of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inferometer.analysis.grid import Grid
from inferometer.report import explanation, memory, operations, roofline, start
from inferometer.report.sources import RunRecords, all_records


def costs(grid: Grid, runs: Sequence[RunRecords]) -> dict[str, Any]:
    """Variables of the templates: lists of strings, and tables; a list says why a table is empty.

    Args:
        grid: the table of all runs.
        runs: at least one.
    """
    roofs = roofline.roofs_by_run(runs)
    shares, started = roofline.share_table(grid), start.start(grid)
    return {
        "operations": operations.operations(grid),
        "operation_notes": operations.operation_notes(grid),
        "memory": memory.memory(grid),
        "memory_notes": memory.memory_notes(all_records(runs), runs),
        "start": started,
        "start_note": start.HOW if started else start.NOT_MEASURED,
        "roofs": roofline.roof_table(runs),
        "roof_shares": shares,
        "roof_note": roofline.HOW if shares else roofline.NOT_MEASURED,
        "order": explanation.order(grid),
        "order_lines": explanation.order_lines(grid, roofs),
        "latency_parts": explanation.parts(grid),
        "batch_lines": explanation.batch_lines(grid, roofs),
    }
