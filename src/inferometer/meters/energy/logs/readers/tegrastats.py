"""`tegrastats` of NVIDIA Jetson: lines with all rails, `VDD_IN 5540mW/5550mW`, `GPU 0/40`.

The forms of L4T 28 to 36: NVIDIA's Jetson Linux Developer Guide ("tegrastats utility"), and logs of
Nano, TX1, TX2, Xavier, Orin and Thor in parsers of others. The first figure is the power now, the
second a mean since it was started, in milliwatts. With JetPack 5 and later, lines begin with
month, day and year; before, they have no time unless something put one there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from inferometer.core.energy import Scope
from inferometer.meters.energy.logs.channel import (
    Channel,
    Clock,
    Contents,
    LogOptions,
    LogProblemError,
    floats,
)
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.times import TimeReader
from inferometer.meters.energy.sources.jetson import FED_BY

TOTALS: dict[str, Scope] = {
    "VIN": "board_input",
    "VDD_IN": "module_input",
    "POM_5V_IN": "module_input",
}
"""Rails that all others are parts of."""
SUM = "rails"
_LINE = re.compile(r"(?:^|\s)RAM \d+/\d+MB\b")
_RAIL = re.compile(
    r"(?<!\S)([A-Z][A-Za-z0-9_]*) (\d{1,7})(?:mW)?/(\d{1,7})(?:mW)?(?:/\d{1,7}(?:mW)?)?(?!\S)"
)
_NO_RAILS = (
    "it is a log of tegrastats without power: this board has no power sensor, or tegrastats was "
    "not run as root"
)


class Tegrastats:
    """What `tegrastats --logfile` writes."""

    name = "tegrastats"

    def recognises(self, head: Sequence[str]) -> bool:
        """By its memory and what follows."""
        return any(_LINE.search(line) and ("CPU [" in line or "cpu [" in line) for line in head)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each rail, and the sum of them where none is the input."""
        found = Collected(options)
        reader = TimeReader(order="mdy")
        left_out = 0
        for line, text in enumerate(lines, 1):
            start = _LINE.search(text)
            rails = _RAIL.findall(text)
            if start is None or not rails:
                left_out += bool(text.strip())
                continue
            at = _time(text[: start.start()], reader, line)
            for name, milliwatts, _ in {rail[0]: rail for rail in rails}.values():
                found.add(name, at, int(milliwatts) / 1e3, line=line)
        if not found.names:
            raise LogProblemError(_NO_RAILS)
        notes = (f"{left_out} lines without a rail were left out.",) if left_out else ()
        return with_total(found.channels(unit="mW"), notes)


def _time(text: str, reader: TimeReader, line: int) -> tuple[float, Clock] | None:
    """What stands before the line of tegrastats; None where nothing does."""
    text = text.strip().rstrip(":,;").strip()
    if not text:
        return None
    try:
        return reader.read(text)
    except ValueError:
        raise LogProblemError(f"{text[:40]!r} before its RAM is not a time", line) from None


def with_total(channels: Sequence[Channel], notes: tuple[str, ...] = ()) -> Contents:
    """The rail at the input is the power; where there is none, the sum of those that feed it."""
    names = {channel.name for channel in channels}
    total = next((name for name in TOTALS if name in names), "")
    if total:
        whole = next(one for one in channels if one.name == total)
        return Contents(
            channels=tuple(
                replace(one, scope=TOTALS[total])
                if one is whole
                else replace(one, part_of=total, scope="rails_sum")
                for one in channels
            ),
            total=total,
            notes=notes,
        )
    added = [one for one in channels if FED_BY.get(one.name) not in names]
    most = max(one.times_s.size for one in added)
    whole_rails = [one for one in added if one.times_s.size == most]
    summed = replace(
        added[0],
        name=SUM,
        times_s=whole_rails[0].times_s,
        watts=floats(sum(one.watts for one in whole_rails)),
        scope="rails_sum",
    )
    listed = " + ".join(one.name for one in whole_rails)
    note = f"No rail is the input: {SUM!r} is {listed}, without the losses before them."
    parts = tuple(replace(one, part_of=SUM, scope="rails_sum") for one in channels)
    return Contents(channels=(summed, *parts), total=SUM, notes=(*notes, note))
