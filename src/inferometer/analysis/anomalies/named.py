"""Cells by their names, and anomalies made of them."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis.findings import Anomaly
from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.rerun import rerun_command
from inferometer.core.workload import Shape

Place = tuple[Column, Shape]

MOST_NAMED = 4


def label(column: Column, shape: Shape) -> str:
    """A cell for people: `unet 224/8`."""
    return f"{column.label} {shape.label}"


def named(cells: Sequence[Place]) -> str:
    """The first few cells by name, and how many more."""
    names = list(dict.fromkeys(label(*place) for place in cells))
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def anomaly(  # noqa: PLR0917 - each is told apart at a glance
    grid: Grid,
    kind: str,
    sentence: str,
    cells: Sequence[Place],
    size: float | None,
    causes: tuple[str, ...],
) -> Anomaly:
    """An anomaly of some cells, each named once, with the way to measure them again."""
    places = list(dict.fromkeys(cells))
    records = [grid.cells[shape, column] for column, shape in places]
    return Anomaly(
        kind=kind,
        sentence=f"{sentence}.",
        cells=tuple(label(*place) for place in places),
        size=size,
        causes=causes,
        rerun=rerun_command(grid, records),
    )
