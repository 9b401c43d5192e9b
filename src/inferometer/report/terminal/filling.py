"""The lab's table while it is measured: provisional means, then the figures as they are done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rich.text import Text

from inferometer.analysis.grid import build
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.workload import Workload
from inferometer.report.document import marks
from inferometer.report.document.marks import Cell
from inferometer.report.terminal import textgrid
from inferometer.runner.events import Progress

MOST_WORKLOADS = 200
"""More fit into no terminal, and laying them out would take the processor from the worker."""
NOT_YET = "·"
PROVISIONAL = "~"


class FillingTable:
    """The table of a run with a cell for each workload.

    Args:
        workloads: those of the run, in the order of its study.
    """

    def __init__(self, workloads: Iterable[Workload]) -> None:
        self._records = {one: Record(workload=one, status="ok", figures={}) for one in workloads}
        self._means: dict[Workload, float] = {}
        self._done: set[Workload] = set()

    def progress(self, event: Progress) -> None:
        """Take in what a workload has shown so far."""
        if event.mean_s is not None and event.workload not in self._done:
            self._means[event.workload] = event.mean_s

    def done(self, record: Record) -> None:
        """Take in a record; none of them is told from another by its run."""
        self._records[record.workload] = replace(record, run={})
        self._done.add(record.workload)

    def lines(self, width: int, height: int) -> list[Text]:
        """The table; nothing where it would be too large for the terminal."""
        if not 0 < len(self._records) <= MOST_WORKLOADS:
            return []
        grid = build(list(self._records.values()))
        cells = {
            (shape, column): self._cell(grid.cell(shape, column))
            for shape in grid.shapes
            for column in grid.columns
        }
        found = [line for table in textgrid.layout(grid, cells, width) for line in table]
        return found if len(found) <= height else []

    def _cell(self, record: Record | None) -> Cell:
        if record is None:
            return Cell(text="")
        if record.workload in self._done:
            return marks.cell(record, marks.spread_of([record]))
        mean_s = self._means.get(record.workload)
        return Cell(text=NOT_YET if mean_s is None else PROVISIONAL + units.seconds(mean_s))
