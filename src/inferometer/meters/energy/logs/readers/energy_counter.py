"""A table with a counter of energy and no power: `time,energy_uj` of RAPL, or `kWh` of a plug.

The power is the difference of two readings through the time between them. RAPL's counters
(`/sys/class/powercap/intel-rapl:0/energy_uj`) wrap after some minutes to hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inferometer.core.energy import Scope
from inferometer.meters.energy.logs.channel import (
    Channel,
    Contents,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import peek
from inferometer.meters.energy.logs.columns import (
    Column,
    columns_of,
    named_parts,
    one_named,
    pairs_of,
    powers_of,
    time_of,
)
from inferometer.meters.energy.logs.differences import from_counter
from inferometer.meters.energy.logs.gathering import Plan, Value, gather
from inferometer.meters.energy.logs.table import Table, find_table

_RAPL = {"package", "pkg", "rapl", "uj"}
_NO_TIME = "it is a table of a counter of energy without times"


class EnergyCounter:
    """A table with a counter of energy."""

    name = "energy-counter"

    def recognises(self, head: Sequence[str]) -> bool:
        """By a column of energy beside one of times, and no power."""
        return _table(head) is not None

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each counter."""
        head, lines = peek(lines)
        table = _table(head)
        columns = columns_of(table.header) if table else ()
        time = time_of(columns, options.time)
        if table is None or time is None:
            raise LogProblemError(_NO_TIME)
        counters = _counters(columns)
        asked = named_parts(options.power, [one.name for one in counters])
        named = [found for part in asked if (found := one_named(counters, part))]
        counters = named or counters
        values = tuple(
            Value(place=one.place, name=one.name, scale=one.scale, quantity="energy")
            for one in counters
        )
        gathered = gather(lines, table, Plan(time=time, values=values))
        notes = [*gathered.notes, "The power is the difference of a counter of energy."]
        channels = []
        for block in gathered.blocks.values():
            for index, one in enumerate(counters):
                shell = Channel(
                    name=one.name, times_s=block.times_s, watts=block.times_s,
                    clock=gathered.clock, unit=f"{one.unit or 'J'}, counted", scope=_scope(one),
                )  # fmt: skip
                channel, said = from_counter(shell, block.column(index))
                channels.append(channel)
                notes += said
        if not channels:
            raise LogProblemError("it is a table of a counter of energy without rows")
        total = channels[0].name if len(channels) == 1 else ""
        return Contents(channels=tuple(channels), total=total, notes=tuple(notes))


def _table(head: Sequence[str]) -> Table | None:
    def fits(cells: list[str]) -> bool:
        columns = columns_of(cells)
        return (
            bool(_counters(columns))
            and time_of(columns) is not None
            and not powers_of(columns)
            and not pairs_of(columns)
        )

    return find_table(head, fits)


def _counters(columns: Sequence[Column]) -> list[Column]:
    return [one for one in columns if one.quantity == "energy"]


def _scope(column: Column) -> Scope | None:
    if column.scope is not None:
        return column.scope
    return None if _RAPL.isdisjoint(column.words) else "package"
