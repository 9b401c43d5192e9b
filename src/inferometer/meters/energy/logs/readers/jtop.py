"""What scripts write of jetson-stats (`jtop`): a row of `jetson.stats`, in milliwatts.

Its examples `jtop_logger.py` and `jtop_properties.py` write the keys of the library as names:
`time,uptime,CPU1,…,Power VDD_IN,Power TOT` (4 and later), `power cur`, `power avg` (before 4).
`power avg` is a mean since jtop was started, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from inferometer.core.energy import Scope
from inferometer.meters.energy.logs.channel import Channel, Contents, LogOptions
from inferometer.meters.energy.logs.columns import Column
from inferometer.meters.energy.logs.readers.tegrastats import TOTALS
from inferometer.meters.energy.logs.table import names_of
from inferometer.meters.energy.logs.tabular import Profile, mean_of, read_tabular

_OWN = {"jetson_clocks", "nvp model", "uptime"}
_POWER = re.compile(r"power (?!avg)(\S.*)|power", re.IGNORECASE)
_TOTAL = ("power tot", "power total", "power cur", "power")
_SAME = 0.02
_MILLIWATTS = "Its figures are milliwatts, as jtop writes them without saying so."


class Jtop:
    """What a script writes of `jtop`."""

    name = "jtop"

    def recognises(self, head: Sequence[str]) -> bool:
        """By names that only this library gives."""
        names = names_of(head)
        powers = any(name.startswith("power ") for name in names)
        return powers and not names.isdisjoint(_OWN)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each rail, and the total."""
        found = read_tabular(lines, options, Profile(unit="mW", powers=_powers, total=_total))
        whole = next((one for one in found.channels if one.name == found.total), None)
        if whole is None:
            return found
        parts = [one for one in found.channels if one is not whole]
        scope = _scope(whole, parts)
        channels = tuple(
            replace(one, scope=scope)
            if one is whole
            else replace(one, scope="rails_sum", part_of=whole.name)
            for one in found.channels
        )
        notes = found.notes if options.unit else (*found.notes, _MILLIWATTS)
        return replace(found, channels=channels, notes=notes)


def _powers(columns: Sequence[Column]) -> list[Column]:
    return [replace(one, quantity="power") for one in columns if _POWER.fullmatch(one.name)]


def _total(channels: Sequence[Channel]) -> str:
    names = {channel.name.lower(): channel.name for channel in channels}
    alone = channels[0].name if len(channels) == 1 else ""
    return next((names[name] for name in _TOTAL if name in names), alone)


def _scope(whole: Channel, parts: Sequence[Channel]) -> Scope:
    """That of the rail at the input, where one is listed; a sum of rails where it is their sum."""
    for part in parts:
        rail = part.name.split()[-1].upper()
        if rail in TOTALS:
            return TOTALS[rail]
    total, summed = mean_of(whole.watts), sum(mean_of(part.watts) for part in parts)
    return "rails_sum" if parts and abs(total - summed) <= _SAME * total else "module_input"
