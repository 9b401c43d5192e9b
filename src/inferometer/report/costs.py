"""What every form of the report says of costs, memory, starts, roofs and the order of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inferometer.analysis.grid import Grid, Shape
from inferometer.report import explanation, memory, operations, roofline, start
from inferometer.report.fields import Fields, byte_count, quantity, share, text
from inferometer.report.markup import Table, table
from inferometer.report.sources import RunRecords, all_records


def costs(grid: Grid, runs: Sequence[RunRecords]) -> dict[str, Any]:
    """Variables of the templates: lists of strings, and tables; a list says why a table is empty.

    Args:
        grid: the table of all runs.
        runs: at least one.
    """
    roofs = roofline.roofs_by_run(runs)
    started = start.start(grid)
    return {
        "operations": operations.operations(grid),
        "operation_notes": operations.operation_notes(grid),
        "memory": memory.memory(grid),
        "memory_notes": memory.memory_notes(all_records(runs), runs),
        "start": started,
        "start_note": start.HOW if started else start.NOT_MEASURED,
        "roofs": roofline.roof_table(runs),
        "roof_shares": roofline.share_table(grid),
        "roof_note": roofline.roof_note(runs),
        "order": explanation.order(grid),
        "order_lines": explanation.order_lines(grid, roofs),
        "latency_parts": explanation.parts(grid),
        "batch_lines": explanation.batch_lines(grid, roofs),
    }


IN_SHORT: Fields = {
    "MACs": quantity("macs", ""),
    "of the roof": share("roof_share"),
    "limit": text("roof_limit"),
    "peak memory": byte_count("peak_memory_bytes"),
    "forecast off by": memory.error_text,
}
"""What a terminal shows of costs, within 80 columns."""


def in_short(grid: Grid, shape: Shape) -> Table:
    """The costs of a call at a shape, a row for each variant; empty where nothing was counted."""
    cells = [(column, grid.cell(shape, column)) for column in grid.columns]
    lines = [
        [column.label, *(show(record) for show in IN_SHORT.values())]
        for column, record in cells
        if record is not None and record.status == "ok" and record.number("macs") is not None
    ]
    return table(["variant", *IN_SHORT], lines)
