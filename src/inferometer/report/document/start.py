"""What it takes until the first answer, as a table of a report."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis.grid import Grid, measured
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.report.document.fields import Fields, Place, byte_count, done, rows, seconds
from inferometer.report.document.markup import Table, table

HOW = (
    "A cold start is the time from the start of a process to its first answer: loading the runtime "
    "and the model, and the first call. Each variant at the shape with which a process began, "
    "where that is known."
)
NOT_MEASURED = "How long the models take to start was not measured."


def start(grid: Grid) -> Table:
    """Loading and the first call of each variant."""
    fields: Fields = {
        "load": seconds("load_s"),
        "first call": seconds("first_call_s"),
        "cold start": seconds("cold_start_s"),
        "a later call": _later,
        "size of artifact": byte_count("artifact_bytes"),
    }
    places = [_coldest(found) for column in grid.columns if (found := done(grid, column))]
    known = rows(places, fields)
    return known if set(known.heads) & {"load", "first call", "cold start"} else table([], [])


def _coldest(places: Sequence[Place]) -> Place:
    """The cell of a column that was started cold; the first where none is known to be."""
    return next((p for p in places if p[2].number("cold_start_s") is not None), places[0])


def _later(record: Record) -> str:
    latency = measured(record)
    return units.ABSENT if latency is None else units.seconds(latency.value)
