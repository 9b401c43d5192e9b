"""What a file is that no reader can read, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inferometer.core.shown import shown
from inferometer.meters.energy.logs.channel import LogOptions
from inferometer.meters.energy.logs.collecting import NO_TIMES
from inferometer.meters.energy.logs.columns import columns_of, pairs_of, powers_of
from inferometer.meters.energy.logs.table import find_table

_ADVICE = "the first line must name the columns, such as timestamp,watts"
_SHOWN = 8


def what_it_is(head: Sequence[str], options: LogOptions) -> str:
    """What a file is that cannot be read, and what to do."""
    lines = [line.strip() for line in head if line.strip()]
    if not lines:
        return f"it is an empty file: {_ADVICE}"
    if options.time or options.voltage or options.current:
        asked = {"time": options.time, "voltage": options.voltage, "current": options.current}
        names = " and ".join(f"{what} {shown(repr(name))}" for what, name in asked.items() if name)
        return f"it has no columns for {names}: {_ADVICE}"
    table = find_table(lines, lambda cells: not any(re.match(r"[-+.,]?\d", c) for c in cells))
    if table is None or (table.delimiter is None and len(lines) > 1 and not _even(lines)):
        if find_table(lines[:1], lambda cells: len(cells) > 1) and re.match(r"[-+.,]?\d", lines[0]):
            return f"it is figures without names: {_ADVICE}"
        begin = shown(repr(lines[0][:60]))
        what = (
            "holds what is not text" if "\N{REPLACEMENT CHARACTER}" in begin else f"begins {begin}"
        )
        return f"it {what}, and is not a log: {_ADVICE}"
    columns = columns_of(table.header)
    names = ", ".join(shown(repr(one.name), 60) for one in columns[:_SHOWN])
    more = " …" if len(columns) > _SHOWN else ""
    if powers_of(columns) or pairs_of(columns):
        return f"it is a table with the columns {names}{more}, none of which is a time: {NO_TIMES}"
    return (
        f"it is a table with the columns {names}{more}, none of which is a power (watts, or volts "
        f"and amps): name one with power=NAME, or {_ADVICE}"
    )


def _even(lines: Sequence[str]) -> bool:
    """Whether lines parted by blanks have the same number of parts, as in a table."""
    return len({len(line.split()) for line in lines[:5]}) == 1
