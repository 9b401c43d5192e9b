"""`turbostat`: rows of all, then of each core, under names that are written again and again.

The manual page turbostat(8), and logs with `--show`, `-S`, `-c package`, tabs and blanks. The rows
with a dash are the whole machine, so that `PkgWatt` in them is the sum over the sockets; rows of
cores repeat the figure of their socket and are passed over. Without the column
`Time_Of_Day_Seconds` there are no times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from inferometer.core.energy import Scope
from inferometer.meters.energy.logs.channel import (
    Channel,
    Clock,
    Contents,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.numbers import number
from inferometer.meters.energy.logs.times import TimeReader

_TOTAL = "PkgWatt"
_WATTS: dict[str, tuple[Scope, str]] = {
    "SysWatt": ("psys", ""),
    "PkgWatt": ("package", ""),
    "CorWatt": ("package", "PkgWatt"),
    "GFXWatt": ("package", "PkgWatt"),
    "RAMWatt": ("package+dram", ""),
}
_PLACES = ("Package", "Die", "Node", "Core", "CPU", "pk", "cor")
_TIME = "Time_Of_Day_Seconds"
_NAMES = re.compile(r"(?:^|\s)(?:\w{3}Watt|\w{3}_J|Busy%|Bzy_MHz|%Busy)(?:\s|$)")
_JOULES = "it is a log of turbostat in joules: leave out --Joules, or -J"
_NO_POWER = "it is a log of turbostat without PkgWatt: add it to --show, and run it as root"


@dataclass(frozen=True, kw_only=True)
class _Names:
    """Places of the columns that matter."""

    time: int | None
    first: int | None
    watts: dict[str, int]
    count: int


class Turbostat:
    """What `turbostat` prints."""

    name = "turbostat"

    def recognises(self, head: Sequence[str]) -> bool:
        """By the names of its columns."""
        return any(_NAMES.search(line) and "," not in line for line in head)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each column of watts, by the rows of the whole machine."""
        found = Collected(options)
        names: _Names | None = None
        in_joules = False
        for line, text in enumerate(lines, 1):
            if _NAMES.search(text):
                names = _names(text.split())
                in_joules |= "_J" in text
            elif names is not None and names.watts:
                _take(text.split(), names, found, line)
        if not found.names:
            raise LogProblemError(_JOULES if in_joules else _NO_POWER)
        channels = tuple(map(_described, found.channels()))
        given = {one.name for one in channels}
        total = _TOTAL if _TOTAL in given else channels[0].name if len(channels) == 1 else ""
        return Contents(channels=channels, total=total)


def _names(cells: Sequence[str]) -> _Names:
    return _Names(
        time=cells.index(_TIME) if _TIME in cells else None,
        first=next((cells.index(name) for name in _PLACES if name in cells), None),
        watts={name: cells.index(name) for name in _WATTS if name in cells},
        count=len(cells),
    )


def _take(cells: Sequence[str], names: _Names, found: Collected, line: int) -> None:
    """Take the row of the whole machine; others, and what is printed between, are passed over."""
    if names.first is not None and (len(cells) <= names.first or cells[names.first] != "-"):
        return
    if len(cells) < names.count and names.first is None:
        return
    try:
        at: tuple[float, Clock] | None = None
        if names.time is not None:
            at = TimeReader().read(cells[names.time])
        for name, place in names.watts.items():
            watts = number(cells[place]) if place < len(cells) else None
            found.add(name, at, watts[0] if watts else math.nan, line=line)
    except ValueError:
        raise LogProblemError("it is not a row of figures", line) from None


def _described(channel: Channel) -> Channel:
    scope, part_of = _WATTS[channel.name]
    return replace(channel, scope=scope, part_of=part_of)
