"""What a log of a power meter holds, in lines."""

from __future__ import annotations

from collections.abc import Iterator

from inferometer.core import units
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.summary import ColumnSummary, LogSummary
from inferometer.report.document.wording import plural, sentence

_SHORT_S = 10.0


def log_lines(found: LogSummary) -> Iterator[str]:
    """Format and power, then each column that may be the power, then the notes."""
    if found.mean_w is None:
        yield f"{found.format}: {plural(len(found.columns), 'power')}, of which none is chosen"
    else:
        span = f" over {_span(found.span_s)}" if found.span_s else ""
        yield (
            f"{found.format}: {units.watts(found.mean_w)} on average, "
            f"{plural(found.readings, 'reading')}{span}; covers {found.scope}, "
            f"{str(found.method).replace('_', ' ')}"
        )
    for column in found.columns:
        yield f"  {_column(column)}"
    for note in found.notes:
        yield sentence(note)


def _span(seconds: float) -> str:
    return units.seconds(seconds) if seconds < _SHORT_S else units.duration(seconds)


def _column(column: ColumnSummary) -> str:
    written = f", in {column.written_in}" if column.written_in not in ("", column.unit) else ""
    part = f", part of {shown(column.part_of)}" if column.part_of else ""
    low, high = units.watts(column.min), units.watts(column.max)
    return f"{shown(column.name)}: {units.watts(column.mean)} ({low} to {high}){written}{part}"
