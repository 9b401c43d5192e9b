"""Intel Power Gadget (`PowerLog`): CSV with a summary below.

Names and summary as versions 3.0 to 3.7 write them on Windows and macOS: `System Time, RDTSC,
Elapsed Time (sec), …, Processor Power_0(Watt), …`, a blank line, `Total Elapsed Time (sec) =
10.03`, `Average Processor Power_0 (Watt) = 14.19`. The system time has no date; the elapsed time is
taken. `IA` and `GT` are parts of the processor's power, `DRAM` is beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from inferometer.meters.energy.logs.channel import Channel, Contents, LogOptions
from inferometer.meters.energy.logs.columns import Column
from inferometer.meters.energy.logs.table import names_of
from inferometer.meters.energy.logs.tabular import Profile, mean_of, read_tabular

_TIME = "Elapsed Time (sec)"
_POWER = re.compile(r"(Processor|Package|IA|GT|DRAM) Power_(\d+) ?\(Watt\)")
_SUMMARY = re.compile(r'"?\s*(?P<name>[^="]{1,80}?) ?= ?(?P<value>[\d.]{1,30})"?\s*$')
_AVERAGE = re.compile(r"Average (?:Processor|Package) Power_(\d+) ?\(Watt\)")
_WHOLES = ("Processor", "Package")
_AGREE = 0.05


class PowerGadget:
    """What Power Gadget logs."""

    name = "power-gadget"

    def recognises(self, head: Sequence[str]) -> bool:
        """By its names."""
        names = names_of(head)
        return "rdtsc" in names and any("elapsed time" in name for name in names)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each power of each socket."""
        summary: dict[str, float] = {}
        rows = _without_summary(lines, summary)
        options = replace(options, time=options.time or _TIME)
        found = read_tabular(rows, options, Profile(scope="package", powers=_powers, total=_total))
        channels = tuple(map(_described, found.channels))
        return replace(
            found, channels=channels, notes=(*found.notes, *_compared(channels, summary))
        )


def _powers(columns: Sequence[Column]) -> list[Column]:
    return [replace(one, quantity="power") for one in columns if _POWER.match(one.name)]


def _total(channels: Sequence[Channel]) -> str:
    wholes = [one.name for one in channels if one.name.startswith(_WHOLES)]
    return wholes[0] if len(wholes) == 1 else ""


def _described(channel: Channel) -> Channel:
    match = _POWER.match(channel.name)
    if match is None or match[1] in _WHOLES:
        return channel
    if match[1] == "DRAM":
        return replace(channel, scope="package+dram")
    return replace(channel, part_of=f"Processor Power_{match[2]}(Watt)")


def _without_summary(lines: Iterable[str], summary: dict[str, float]) -> Iterator[str]:
    """The lines above the summary, whose figures are put aside."""
    for line in lines:
        match = _SUMMARY.match(line)
        if match is None:
            yield line
            continue
        average = _AVERAGE.match(match["name"])
        if average:
            try:
                summary[average[1]] = float(match["value"])
            except ValueError:
                continue


def _compared(channels: Sequence[Channel], summary: dict[str, float]) -> list[str]:
    notes = []
    for channel in channels:
        match = _POWER.match(channel.name)
        told = summary.get(match[2]) if match and match[1] in _WHOLES else None
        if told and abs(mean_of(channel.watts) - told) > _AGREE * told:
            notes.append(
                f"The summary below the log says {told:.4g} W for {channel.name!r}, the rows "
                f"{mean_of(channel.watts):.4g} W."
            )
    return notes
