"""Tasmota: its console, or what it sends by MQTT, as lines with JSON.

`10:08:06.925 MQT: tele/plug/SENSOR = {"Time":"2026-11-26T10:08:06","ENERGY":{…,"Power":5,…}}` (the
console, and `mosquitto_sub -v`), and `STATUS10` (`StatusSNS`). The time is that of the message,
local and without a zone. Plugs with several channels write a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from inferometer.meters.energy.logs.channel import (
    Clock,
    Contents,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.json_lines import Object, figure, objects
from inferometer.meters.energy.logs.times import TimeReader

_OWN = re.compile(r'"ENERGY"\s*:\s*\{')
_TOPIC = re.compile(r"(?:tele|stat)/([^/\s]{1,60})/")
_NO_POWER = "it is a log of Tasmota without a power: its messages have no ENERGY"


class Tasmota:
    """What a plug with Tasmota tells."""

    name = "tasmota"

    def recognises(self, head: Sequence[str]) -> bool:
        """By its energies, or by its topics."""
        return any(_OWN.search(line) or ("tele/" in line and "{" in line) for line in head)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each plug, and for each of its channels."""
        found = Collected(options)
        reader = TimeReader()
        for line, before, message in objects(lines):
            sensors = message.get("StatusSNS", message)
            if not isinstance(sensors, dict) or not isinstance(sensors.get("ENERGY"), dict):
                continue
            topic = _TOPIC.search(before)
            name = topic[1] if topic else "Power"
            at = _time(sensors, reader)
            for label, watts in _powers(name, sensors["ENERGY"].get("Power")):
                found.add(label, at, watts, line=line)
        if not found.names:
            raise LogProblemError(_NO_POWER)
        channels = found.channels(scope="wall")
        return Contents(channels=channels, total=channels[0].name if len(channels) == 1 else "")


def _powers(name: str, power: object) -> Iterator[tuple[str, float]]:
    if (watts := figure(power)) is not None:
        yield name, watts
    elif isinstance(power, list):
        for index, one in enumerate(power[:64], 1):
            if (watts := figure(one)) is not None:
                yield f"{name} {index}", watts


def _time(sensors: Object, reader: TimeReader) -> tuple[float, Clock] | None:
    told = sensors.get("Time")
    if not isinstance(told, str):
        return None
    try:
        return reader.read(told)
    except ValueError:
        return None
