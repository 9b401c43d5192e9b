"""Home Assistant's history as CSV: `entity_id,state,last_changed`, a row for each change.

As "Download data" of its history and the recorder write it: times in UTC, `unavailable` and
`unknown` among the states, all entities in one file, and no unit. A state holds until the next; a
power that did not change has no row, which is no gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from inferometer.meters.energy.logs.channel import (
    Channel,
    Contents,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import peek
from inferometer.meters.energy.logs.columns import TimeColumn, columns_of, named_parts
from inferometer.meters.energy.logs.gathering import Plan, Value, gather
from inferometer.meters.energy.logs.numbers import MISSING
from inferometer.meters.energy.logs.table import find_table, looks_numeric, names_of

_NAMES = {"entity_id", "state"}
_TIMES = ("last_changed", "last_updated")
_POWER = re.compile(r"power|watt|leistung|puissance|verbruik|apower", re.IGNORECASE)
_OTHER = re.compile(
    r"energy|energie|factor|voltage|current|_kwh|_wh\b|reactive|apparent", re.IGNORECASE
)
_NO_POWER = (
    "it is a history of Home Assistant without an entity that is called a power: name one with "
    "--column ENTITY (power=ENTITY)"
)


class HomeAssistant:
    """A history of Home Assistant."""

    name = "home-assistant"

    def recognises(self, head: Sequence[str]) -> bool:
        """By its names."""
        names = names_of(head)
        return names >= _NAMES and not names.isdisjoint(_TIMES)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each entity that may be a power."""
        head, lines = peek(lines)
        table = find_table(head, lambda cells: {cell.strip() for cell in cells} >= _NAMES)
        if table is None:
            raise LogProblemError(_NO_POWER)
        places = {one.name: one.place for one in columns_of(table.header)}
        time = next((name for name in _TIMES if name in places), "")
        if not time:
            raise LogProblemError("it is a history of Home Assistant without last_changed")
        entity, state = places["entity_id"], places["state"]
        unit = options.unit
        plan = Plan(
            time=TimeColumn(places=(places[time],), name=time),
            values=(Value(place=state, name="state", scale=unit.scale if unit else 1.0),),
            keys=(entity,),
            keep=lambda cells: _is_state(cells[state]),
        )
        gathered = gather(lines, table, plan)
        channels = [
            Channel(
                name=name,
                times_s=block.times_s,
                watts=block.column(0),
                clock=gathered.clock,
                unit=unit.name if unit else "",
                scope="wall",
                holds=True,
            )
            for name, block in gathered.blocks.items()
            if np.isfinite(block.column(0)).any()
        ]
        return _chosen(channels, options, gathered.notes)


def _is_state(text: str) -> bool:
    """Whether a state is a figure, or stands for one; `on` and `open` are of other entities."""
    return looks_numeric(text) or text.strip().lower() in MISSING


def _chosen(channels: Sequence[Channel], options: LogOptions, notes: tuple[str, ...]) -> Contents:
    asked = named_parts(options.power, [one.name for one in channels])
    powers = [
        one
        for one in channels
        if one.name in asked or (_POWER.search(one.name) and not _OTHER.search(one.name))
    ]
    if not powers and len(channels) == 1 and not _OTHER.search(channels[0].name):
        powers = list(channels)
    if not powers:
        raise LogProblemError(_NO_POWER)
    if not options.unit:
        notes = (*notes, "Home Assistant writes no units: taken as watts.")
    scoped = tuple(replace(one, scope=options.scope or one.scope) for one in powers)
    return Contents(channels=scoped, total=scoped[0].name if len(scoped) == 1 else "", notes=notes)
