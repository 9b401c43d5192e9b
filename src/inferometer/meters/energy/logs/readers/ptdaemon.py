"""SPEC's PTDaemon, as MLPerf Power keeps it (`spl.txt`): names and values by turns.

`Time,11-26-2026 10:00:00.334,Watts,5.200000,Volts,120.05,Amps,0.09,PF,0.39,Mark,run_1`, as the
checker of MLPerf Power reads it (mlcommons/inference, `tools/submission/power`). Month, day, year.
A channel of its own begins with `Ch1`. A figure of -1 is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from inferometer.meters.energy.logs.channel import (
    Contents,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.numbers import number
from inferometer.meters.energy.logs.times import TimeReader

_LINE = re.compile(r"Time,\d\d-\d\d-\d{4} \d\d:\d\d:\d\d[^,]*,")
_CHANNEL = re.compile(r"Ch\d+")
_NO_POWER = "it is a log of PTDaemon without Watts"


class PtDaemon:
    """What PTDaemon logs."""

    name = "ptdaemon"

    def recognises(self, head: Sequence[str]) -> bool:
        """By the beginning of its lines."""
        return any(map(_LINE.match, head))

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """The power at the wall, and that of each channel where there are several."""
        found = Collected(options)
        reader = TimeReader(order="mdy")
        left_out = 0
        for line, text in enumerate(lines, 1):
            if not text.startswith("Time,"):
                left_out += bool(text.strip())
                continue
            cells = [cell.strip() for cell in text.split(",")]
            try:
                at = reader.read(cells[1])
                for name, watts in _powers(cells[2:]):
                    found.add(name, at, watts, line=line)
            except ValueError:
                raise LogProblemError("a line does not alternate names and values", line) from None
        if not found.names:
            raise LogProblemError(_NO_POWER)
        channels = found.channels(scope="wall")
        total = "Watts" if "Watts" in found.names else ""
        if not total and len(channels) == 1:
            total = channels[0].name
        notes = (f"{left_out} lines of another form were left out.",) if left_out else ()
        return Contents(
            channels=tuple(
                replace(one, part_of="" if one.name == total else total) for one in channels
            ),
            total=total,
            notes=notes,
        )


def _powers(cells: Sequence[str]) -> Iterable[tuple[str, float]]:
    """The watts of a line, those of a channel with its name before them."""
    prefix, place = "", 0
    while place < len(cells):
        if _CHANNEL.fullmatch(cells[place]):
            prefix, place = f"{cells[place]} ", place + 1
            continue
        if cells[place] == "Watts" and place + 1 < len(cells):
            found = number(cells[place + 1])
            watts = found[0] if found else math.nan
            yield f"{prefix}Watts", math.nan if watts == -1 else watts
        place += 2
