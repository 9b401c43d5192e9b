"""A table with a row for each sensor and time: `Time_Seconds,Sensor_Name,Watts`.

As exporters of LibreHardwareMonitor and of time-series databases write it. The sensors are
channels: nothing is added up or averaged over them unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from inferometer.meters.energy.logs.channel import Contents, LogOptions
from inferometer.meters.energy.logs.collecting import peek
from inferometer.meters.energy.logs.columns import Column, columns_of, powers_of, time_of
from inferometer.meters.energy.logs.table import Table, cells_of, find_table, looks_numeric
from inferometer.meters.energy.logs.tabular import Profile, read_tabular

_SENSORS = {"sensor", "channel", "rail", "device", "component", "domain", "source", "metric"}
_SENSORS |= {"name", "entity", "label", "gpu", "probe", "meter", "id", "index"}
_VALUES = {"value", "reading", "wert"}
_UNITS = {"unit", "units", "einheit"}
_MOST = 64
"""Sensors of one log."""


class CsvLong:
    """A table with a sensor a row."""

    name = "csv"

    def recognises(self, head: Sequence[str]) -> bool:
        """By a column of names, of which the same come again and again."""
        return _keys(head) is not None

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each sensor."""
        head, lines = peek(lines)
        found = _keys(head)
        table, key = found or (Table(header=()), "")
        unit = _unit_place(table)
        if unit is not None:
            lines = _of_watts(lines, table, unit)
        return read_tabular(lines, options, Profile(powers=_powers, keys=(key,)))


def _powers(columns: Sequence[Column]) -> list[Column]:
    values = [one for one in columns if not _VALUES.isdisjoint(one.words)]
    return powers_of(columns) or [replace(one, quantity="power") for one in values]


def _table(head: Sequence[str]) -> Table | None:
    def fits(cells: list[str]) -> bool:
        columns = columns_of(cells)
        named = any(not _SENSORS.isdisjoint(one.words) for one in columns)
        return named and time_of(columns) is not None and len(_powers(columns)) == 1

    return find_table(head, fits)


def _keys(head: Sequence[str]) -> tuple[Table, str] | None:
    """The table, and the column of its sensors, where one has the same ones again and again."""
    table = _table(head)
    if table is None:
        return None
    rows = [cells_of(line, table.delimiter) for line in head[table.line :]]
    rows = [cells for cells in rows if len(cells) == len(table.header)]
    for column in columns_of(table.header):
        if _SENSORS.isdisjoint(column.words) or column.quantity is not None:
            continue
        cells = [row[column.place].strip() for row in rows]
        names = set(cells)
        few = 1 <= len(names) <= min(_MOST, len(cells) // 2)
        if few and (not all(map(looks_numeric, names)) or _come_in_turn(cells, len(names))):
            return table, column.name.lower()
    return None


def _come_in_turn(cells: Sequence[str], count: int) -> bool:
    """Whether numbers that may be names come one after the other, again and again."""
    return count > 1 and all(
        len(set(cells[at : at + count])) == count for at in range(0, len(cells) - count + 1, count)
    )


def _unit_place(table: Table) -> int | None:
    columns = columns_of(table.header)
    return next((one.place for one in columns if not _UNITS.isdisjoint(one.words)), None)


def _of_watts(lines: Iterable[str], table: Table, place: int) -> Iterable[str]:
    """The names, and the rows whose unit is watts."""
    for line, text in enumerate(lines, 1):
        cells = cells_of(text.strip(), table.delimiter)
        if line <= table.line or (
            len(cells) > place and cells[place].strip().lower() in ("w", "watt", "watts")
        ):
            yield text
