"""Tables with a row for each time: which of their columns are power, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inferometer.core.energy import EnergyMethod, Scope
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.channel import (
    MOST_W,
    Channel,
    Contents,
    Floats,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import peek
from inferometer.meters.energy.logs.columns import (
    Column,
    TimeColumn,
    columns_of,
    named_parts,
    one_named,
    pairs_of,
    powers_of,
    time_of,
)
from inferometer.meters.energy.logs.gathering import Gathered, Plan, Value, gather
from inferometer.meters.energy.logs.numbers import Unit, number, unit_of
from inferometer.meters.energy.logs.plausible import TIMES, against_the_product
from inferometer.meters.energy.logs.refusing import what_it_is
from inferometer.meters.energy.logs.table import DELIMITERS, Table, cells_of, find_table
from inferometer.meters.energy.logs.times import Order, TimeReader

_PARTS = 1.1
"""A total is no less than its largest part, and its parts no more than so many times the total."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a format tells of its tables.

    Attributes:
        scope: what it covers.
        method: whether it is measured.
        unit: of a power whose column names none.
        order: of day and month.
        total: the column that is the power where the user names none.
        powers: the columns that may be the power.
        keys: names of the columns that tell sensors apart, in small letters.
        label: what a sensor is called, after what its columns say.
    """

    scope: Scope | None = None
    method: EnergyMethod = "measured"
    unit: str = ""
    order: Order = ""
    total: Callable[[Sequence[Channel]], str] | None = None
    powers: Callable[[Sequence[Column]], list[Column]] = powers_of
    keys: tuple[str, ...] = ()
    label: str = "{}"


@dataclass(frozen=True, kw_only=True)
class _Found:
    table: Table
    columns: tuple[Column, ...]
    time: TimeColumn | None
    powers: tuple[Column, ...]
    pairs: tuple[tuple[Column, Column], ...]
    keys: tuple[int, ...] = ()


def read_tabular(
    lines: Iterable[str], options: LogOptions, profile: Profile = Profile()
) -> Contents:
    """The channels of a table.

    Raises:
        LogProblemError: it is no table with a power.
    """
    head, lines = peek(lines)
    found = _located(head, options, profile)
    values = _values(found, options, profile)
    plan = Plan(
        time=found.time,
        values=values,
        keys=found.keys,
        order=profile.order,
        interval_s=options.interval_s,
    )
    gathered = gather(lines, found.table, plan)
    notes = list(gathered.notes)
    channels = _channels(gathered, found, profile, options)
    total = _total(channels, profile, notes)
    if len(found.powers) == 1 == len(found.pairs) == len(gathered.blocks):
        notes += _doubts(gathered, channels[0], options)
    return Contents(channels=channels, total=total, notes=tuple(notes))


def _located(head: Sequence[str], options: LogOptions, profile: Profile) -> _Found:
    """Where the table is and which columns to read."""
    table = find_table(head, lambda cells: _fits(columns_of(cells), options, profile))
    columns = columns_of(table.header) if table else ()
    time = time_of(columns, options.time)
    if table is None:
        table, columns, time = _headless(head, options)
    powers = _powers(columns, options, profile)
    pairs = _pairs(columns, options)
    keys = tuple(one.place for name in profile.keys if (one := _key(columns, name)))[:1]
    return _Found(
        table=table,
        columns=columns,
        time=time,
        powers=tuple(powers),
        pairs=tuple(pairs) if len(powers) <= 1 else (),
        keys=keys,
    )


def _fits(columns: Sequence[Column], options: LogOptions, profile: Profile) -> bool:
    if time_of(columns, options.time) is None and options.interval_s is None:
        return False
    if any(re.match(r"[-+.,]?\d+([.,]\d*)?$", one.name) for one in columns):
        return False  # figures are no names
    return bool(_powers(columns, options, profile) or _pairs(columns, options))


def _powers(columns: Sequence[Column], options: LogOptions, profile: Profile) -> list[Column]:
    if (options.voltage or options.current) and not options.power:
        return []
    return _asked(columns, options) or profile.powers(columns)


def _asked(columns: Sequence[Column], options: LogOptions) -> list[Column]:
    """The columns that the user names as the power, as far as there are such columns."""
    parts = named_parts(options.power, [column.name for column in columns])
    found = [one for part in parts if (one := one_named(columns, part))]
    return [
        one if one.quantity == "power" else replace(one, quantity="power", scale=1.0, unit="")
        for one in found
    ]


def _pairs(columns: Sequence[Column], options: LogOptions) -> list[tuple[Column, Column]]:
    """Volts and amps; those that the user names take the place of all others of their kind."""
    for quantity, name in (("voltage", options.voltage), ("current", options.current)):
        if not name:
            continue
        named = one_named(columns, name)
        if named is None:
            return []
        columns = [
            replace(one, quantity=quantity if one is named else None)  # type: ignore[arg-type]
            for one in columns
            if one is named or one.quantity != quantity
        ]
    return pairs_of(columns)


def _key(columns: Sequence[Column], name: str) -> Column | None:
    return next((one for one in columns if one.name.lower() == name), None)


def _headless(
    head: Sequence[str], options: LogOptions
) -> tuple[Table, tuple[Column, ...], TimeColumn | None]:
    """A table without names, whose cells tell by their units what they are.

    Raises:
        LogProblemError: they do not, or it is no table.
    """
    first = next((line.strip() for line in head if line.strip()), "")
    for delimiter in DELIMITERS[:3]:
        cells = cells_of(first, delimiter)
        if len(cells) < 2 or not _is_time(cells[0]):  # noqa: PLR2004 - a time and a power
            continue
        columns = tuple(_by_cell(place, cell) for place, cell in enumerate(cells))
        if any(one.quantity == "power" for one in columns) or _asked(columns, options):
            table = Table(header=tuple(one.name for one in columns), delimiter=delimiter)
            return table, columns, TimeColumn(places=(0,), name="column 1")
    raise LogProblemError(what_it_is(head, options))


def _is_time(cell: str) -> bool:
    try:
        return TimeReader().read(cell)[1] in ("unix", "local")
    except ValueError:
        return False


def _by_cell(place: int, cell: str) -> Column:
    name = f"column {place + 1}"
    try:
        found = number(cell)
    except ValueError:
        return Column(place=place, name=name)
    unit = unit_of(found[1]) if found and found[1] else None
    if unit is None:
        return Column(place=place, name=name)
    return Column(place=place, name=name, quantity=unit.quantity, unit=unit.name, scale=unit.scale)


def _values(found: _Found, options: LogOptions, profile: Profile) -> tuple[Value, ...]:
    stated = options.unit
    default = unit_of(profile.unit) if profile.unit else None
    values = []
    for one in found.powers:
        scale = stated.scale if stated else one.scale if one.unit or not default else default.scale
        values.append(
            Value(place=one.place, name=one.name, scale=scale, is_stated=stated is not None)
        )
    for pair in found.pairs:
        values += [
            Value(
                place=one.place,
                name=one.name,
                scale=one.scale,
                quantity="voltage" if one is pair[0] else "current",
            )
            for one in pair
        ]
    return tuple(values)


def _channels(
    gathered: Gathered, found: _Found, profile: Profile, options: LogOptions
) -> tuple[Channel, ...]:
    channels = []
    for key, block in gathered.blocks.items():
        sensor = profile.label.format(key) if found.keys else ""
        for index, column in enumerate(found.powers):
            alone = len(found.powers) == 1 and sensor
            name = sensor if alone else " ".join(filter(None, (sensor, column.name)))
            channels.append(
                Channel(
                    name=name,
                    times_s=block.times_s,
                    watts=block.column(index),
                    clock=gathered.clock,
                    unit=options.unit.name if options.unit else column.unit or profile.unit,
                    scope=profile.scope or column.scope or columns_of([sensor])[0].scope,
                    method=profile.method,
                )
            )
        if not found.powers:
            channels += _products(gathered, found, profile, (sensor, key), options.unit)
    return tuple(channels)


def _products(
    gathered: Gathered, found: _Found, profile: Profile, at: tuple[str, str], stated: Unit | None
) -> list[Channel]:
    sensor, key = at
    block = gathered.blocks[key]
    scale = stated.scale if stated else 1.0
    channels = []
    for index, (volts, amps) in enumerate(found.pairs):
        with np.errstate(over="ignore", invalid="ignore"):
            watts = block.column(2 * index) * block.column(2 * index + 1) * scale
        beyond = np.flatnonzero(~(np.abs(watts) <= MOST_W) & ~np.isnan(watts))
        if beyond.size:
            raise LogProblemError(
                f"{volts.name} {TIMES} {amps.name} is {watts[beyond[0]]:.3g} W once"
            )
        name = " ".join(filter(None, (sensor, f"{volts.name} {TIMES} {amps.name}")))
        channels.append(
            Channel(
                name=name,
                times_s=block.times_s,
                watts=watts,
                clock=gathered.clock,
                unit=f"{volts.unit or 'V'} {TIMES} {amps.unit or 'A'}",
                scope=profile.scope or volts.scope or amps.scope,
                method=profile.method,
                amps=mean_of(np.abs(block.column(2 * index + 1))),
            )
        )
    return channels


def _total(channels: Sequence[Channel], profile: Profile, notes: list[str]) -> str:
    if profile.total is not None:
        return profile.total(channels)
    if len(channels) == 1:
        return channels[0].name
    columns = [columns_of([channel.name])[0] for channel in channels]
    totals = [one for one, column in zip(channels, columns, strict=True) if column.is_total]
    if len(totals) != 1:
        return ""
    parts = [mean_of(one.watts) for one in channels if one is not totals[0]]
    whole = mean_of(totals[0].watts)
    if max(parts) > whole or sum(parts) > _PARTS * whole:
        return ""
    name = totals[0].name
    notes.append(f"{shown(repr(name))} is taken, of which the other powers are parts.")
    return name


def mean_of(values: Floats) -> float:
    """A rough mean, to compare; 0 where there is no figure."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else 0.0


def _doubts(gathered: Gathered, channel: Channel, options: LogOptions) -> list[str]:
    (block,) = gathered.blocks.values()
    with np.errstate(over="ignore", invalid="ignore"):
        product = block.column(1) * block.column(2)
    product = product[np.abs(product) < MOST_W]
    return against_the_product(mean_of(channel.watts), mean_of(product), channel.name, options)
