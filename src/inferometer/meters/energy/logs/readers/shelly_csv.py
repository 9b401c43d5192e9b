"""Shelly's history as CSV: the energy of each interval, not a power.

`EMData` and `EM1Data` of the Pro 3EM and the like (`/emdata/0/data.csv?add_keys=true`): Unix times
of whole minutes and watt-hours of the minute for each phase, `a_total_act_energy`; `Date/time UTC,
Active energy Wh,Returned energy Wh,…` of the first generation (EM, 3EM); and the history of the
cloud, `datetime,consumption,reversed`, whose intervals are hours or days. A row stands for
the time from its own to the next; the phases are added up, as the device does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from inferometer.meters.energy.logs.channel import (
    Channel,
    Contents,
    LogOptions,
    LogProblemError,
    floats,
)
from inferometer.meters.energy.logs.collecting import peek
from inferometer.meters.energy.logs.columns import Column, columns_of, time_of
from inferometer.meters.energy.logs.differences import from_intervals
from inferometer.meters.energy.logs.gathering import Plan, Value, gather
from inferometer.meters.energy.logs.table import find_table, names_of

_PHASE = re.compile(r"(?:([abc])_)?total_act_energy", re.IGNORECASE)
_CLOUD = re.compile(r"consumption(\s*[\[(]?wh[\])]?)?", re.IGNORECASE)
_FIRST = re.compile(r"active energy (?:\(?wh\)?)(?: \(?[abc]\)?)?", re.IGNORECASE)
_WH = 3600.0
_LONG_S = 120.0
TOTAL = "total"


class ShellyCsv:
    """Shelly's history."""

    name = "shelly"

    def recognises(self, head: Sequence[str]) -> bool:
        """By the names of its energies."""
        names = names_of(head)
        if {"consumption", "reversed"} <= names:
            return True
        return any(_PHASE.fullmatch(name) or _FIRST.fullmatch(name) for name in names)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each phase, and their sum."""
        head, lines = peek(lines)
        table = find_table(head, lambda cells: bool(_energies(columns_of(cells))))
        columns = columns_of(table.header) if table else ()
        time = time_of(columns, options.time)
        if table is None or time is None:
            raise LogProblemError("it is a history of Shelly without times")
        energies = _energies(columns)
        values = tuple(
            Value(place=one.place, name=one.name, scale=_WH, quantity="energy") for one in energies
        )
        gathered = gather(lines, table, Plan(time=time, values=values))
        (block,) = gathered.blocks.values() or ((),)
        if not block:
            raise LogProblemError("it is a history of Shelly without rows")
        common = Channel(
            name="", times_s=block.times_s, watts=block.times_s, clock=gathered.clock,
            unit="Wh per interval", scope="wall",
        )  # fmt: skip
        channels = [
            from_intervals(replace(common, name=one.name), block.column(index))
            for index, one in enumerate(energies)
        ]
        return _summed(channels, list(gathered.notes))


def _energies(columns: Sequence[Column]) -> list[Column]:
    for pattern in (_PHASE, _FIRST, _CLOUD):
        if found := [one for one in columns if pattern.fullmatch(one.name)]:
            return found
    return []


def _summed(channels: list[Channel], notes: list[str]) -> Contents:
    spans = channels[0].spans_s
    interval_s = float(spans[0]) if spans is not None and spans.size else 0.0
    note = f"Shelly's history is the energy of each {interval_s:g} s: the power is its mean."
    if interval_s > _LONG_S:
        note += " That is too long for the windows of a run: log the power itself."
    notes.append(note)
    if len(channels) == 1:
        return Contents(channels=tuple(channels), total=channels[0].name, notes=tuple(notes))
    whole = replace(channels[0], name=TOTAL, watts=floats(sum(one.watts for one in channels)))
    parts = tuple(replace(one, part_of=TOTAL) for one in channels)
    return Contents(channels=(whole, *parts), total=TOTAL, notes=tuple(notes))
