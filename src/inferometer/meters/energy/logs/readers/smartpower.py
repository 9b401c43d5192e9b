"""ODROID SmartPower 2 and 3: lines of figures without names, by serial line, telnet or UDP.

SmartPower 3 (wiki.odroid.com, "logging protocol", and samplers of others): milliseconds since it
was switched on; mV, mA, mW and state of its input; mV, mA, mW, state and interrupts of both
channels; two checksums. SmartPower 2: `volt,ampere,watt,watt-hour`, without times. What a channel
feeds is the power; the input has the losses of the supply with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from inferometer.meters.energy.logs.channel import (
    Channel,
    Contents,
    LogOptions,
)
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.tabular import mean_of

_THREE = re.compile(r"\s*\d{1,12}(,-?\d{1,7}){14}(,[0-9a-fA-F]{1,2}){1,2}\s*")
_TWO = re.compile(r"\s*(\d+\.\d+),\s*(\d+\.\d+),\s*(\d+\.\d+),\s*(\d+\.\d+)\s*")
_PLACES = {"input": 3, "channel 0": 7, "channel 1": 12}
_SEEN = 2
_AGREE_W = 0.05


class SmartPower:
    """What a SmartPower sends."""

    name = "smartpower"

    def recognises(self, head: Sequence[str]) -> bool:
        """By the number of its figures, and by the product of two of them."""
        lines = [line.replace("\0", "").strip() for line in head if line.strip("\0\r\n ")]
        if not lines:
            return False
        fitting = sum(bool(_THREE.fullmatch(line)) or _is_two(line) for line in lines)
        return fitting >= min(_SEEN, len(lines)) and 2 * fitting >= len(lines)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each output, and the input."""
        found = Collected(options)
        left_out = 0
        for line, text in enumerate(lines, 1):
            text = text.replace("\0", "").strip()  # noqa: PLW2901 - ends of packets
            if _THREE.fullmatch(text):
                cells = text.split(",")
                for name, place in _PLACES.items():
                    at_s = int(cells[0]) / 1e3
                    found.add(name, (at_s, "start"), int(cells[place]) / 1e3, line=line)
            elif two := _TWO.fullmatch(text):
                found.add("output", None, float(two[3]), line=line)
            else:
                left_out += bool(text)
        channels = found.channels(scope="board_input")
        notes = (f"{left_out} lines of another form were left out.",) if left_out else ()
        return Contents(channels=tuple(map(_scoped, channels)), total=_total(channels), notes=notes)


def _is_two(line: str) -> bool:
    match = _TWO.fullmatch(line)
    if match is None:
        return False
    volts, amps, watts = (float(match[place]) for place in (1, 2, 3))
    return watts > 0 and abs(volts * amps - watts) <= max(_AGREE_W, _AGREE_W * watts)


def _scoped(channel: Channel) -> Channel:
    return replace(channel, scope=None) if channel.name == "input" else channel


def _total(channels: Sequence[Channel]) -> str:
    """The one output that is used."""
    used = [one.name for one in channels if one.name != "input" and mean_of(one.watts) > 0]
    return used[0] if len(used) == 1 else ""
