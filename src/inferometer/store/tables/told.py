"""What an import understood, converted and left out, in lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from inferometer.core.record import FIELDS
from inferometer.core.shown import shown
from inferometer.store.tables.axes import option_name
from inferometer.store.tables.draft import Column, named
from inferometer.store.tables.importing import Imported
from inferometer.store.tables.table import listed

_MOST_LINES = 60


def told(path: Path, found: Imported) -> Iterator[str]:
    """Lines that say how a table was understood; none for an export of ours.

    Args:
        path: the file.
        found: what was read of it.
    """
    known, name = found.known, shown(path)
    if known.ours:
        return
    rows = len(found.table.lines)
    yield f"{name}: {found.table.format}, {rows} row{'s' if rows != 1 else ''}, read as:"
    yield from _understood(found)
    for sentence in (*found.table.notes, *known.notes, *_counted(found), *found.assumed):
        yield f"Note: {name}: {sentence}"
    if known.silent:
        yield f"Note: {name}: left out: {listed(known.silent)}"
    for sentence in known.warnings:
        yield f"Warning: {name}: {sentence}"
    if found.ignored:
        yield f"Warning: {name}: these columns were not understood: {listed(found.ignored)}"


def _understood(found: Imported) -> Iterator[str]:
    """Each field, and where it is from."""
    known = found.known
    order = list(FIELDS)
    columns = sorted(known.known.items(), key=lambda pair: order.index(pair[0]))
    if found.table.ours:
        yield f"  {listed([field for field, _ in columns])}"
    else:
        for field, column in columns[:_MOST_LINES]:
            yield f"  {field} from {named(column.name)}{_how(column)}"
    if known.statuses:
        yield f"  status from {listed(known.statuses)}"
    for axis in found.axes[:_MOST_LINES]:
        yield f"  option {option_name(axis)} from {named(axis)}: it tells rows apart"
    for field, value in known.constants.items():
        yield f"  {field}: {shown(value)} in all rows"


def _counted(found: Imported) -> Iterator[str]:
    """What became of the rows, and what operations were taken for."""
    if found.repeated:
        workloads = f"{found.repeated} workload{'s' if found.repeated != 1 else ''}"
        yield (
            f"{found.rows} rows are repetitions of {workloads}: means, deviations and intervals "
            "are between rows"
        )
    records = [record for run in found.runs for record in run.records]
    failed = [record for record in records if record.failure is not None]
    if failed and failed[0].failure is not None:
        yield (
            f"{len(failed)} of {len(records)} workloads failed, such as "
            f"{shown(failed[0].workload.label)}: {shown(failed[0].failure.message, 80)}"
        )
    if "flops" in found.known.known:
        column = named(found.known.known["flops"].name)
        yield (
            f"{column} was taken for FLOPs; many count multiply-accumulates under that name: if "
            f"so, --map {shlex.quote(f'macs={column}')}"
        )


def _how(column: Column) -> str:
    """Unit and reason, where there are any."""
    unit = column.meaning.unit
    told = unit is not None and (column.why or not column.meaning.exact)
    is_named = unit is None or unit.text == "1" or unit.text.casefold() in column.name.casefold()
    parts = [unit.text] if unit is not None and told and not is_named else []
    if column.meaning.per and "per" not in "".join(parts) and "/" not in "".join(parts):
        parts.append(f"per {column.meaning.per}")
    parts += [column.why] if column.why else []
    return f" ({'; '.join(parts)})" if parts else ""
