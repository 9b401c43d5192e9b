"""Answers of Shelly devices, one after the other: `Switch.GetStatus`, `Shelly.GetStatus`, events.

The API of the second generation (`apower` of `switch:0` and `pm1:0`, `total_act_power` of `em:0`,
`act_power` of `em1:0`; `ts` of `NotifyStatus`, `sys.unixtime`) and of the first (`/status`:
`meters[].power`, `unixtime`). A time that a script wrote before the answer counts first.
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

_OWN = re.compile(r'"(apower|total_act_power|act_power)"\s*:|"meters"\s*:\s*\[')
_POWERS = ("apower", "total_act_power", "act_power")
_TIMES = ("ts", "timestamp", "time", "unixtime")
_DEEPEST = 4


class ShellyJson:
    """Answers and events of Shelly devices."""

    name = "shelly"

    def recognises(self, head: Sequence[str]) -> bool:
        """By the names of its powers."""
        return "{" in "".join(head) and any(map(_OWN.search, head))

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each switch or meter."""
        found = Collected(options)
        reader = TimeReader()
        for line, before, answer in objects(lines):
            powers = dict(_powers(answer))
            if not powers:
                continue
            at = _before(before, reader) or _time(answer)
            for name, watts in powers.items():
                found.add(name, at, watts, line=line)
        if not found.names:
            raise LogProblemError("it is JSON of a Shelly without a power")
        channels = found.channels(scope="wall")
        return Contents(channels=channels, total=channels[0].name if len(channels) == 1 else "")


def _powers(part: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    """The powers in an answer by what they are of: `switch:0`."""
    if depth > _DEEPEST:
        return
    if isinstance(part, list):
        for index, one in enumerate(part):
            if isinstance(one, dict) and (watts := figure(one.get("power"))) is not None:
                yield f"meter:{index}", watts
        return
    if not isinstance(part, dict):
        return
    for key in _POWERS:
        if (watts := figure(part.get(key))) is not None:
            yield (name or str(part.get("id", key)))[:40], watts
            return
    for key, one in part.items():
        yield from _powers(one, key if ":" in key else name, depth + 1)


def _before(text: str, reader: TimeReader) -> tuple[float, Clock] | None:
    try:
        return reader.read(text.rstrip(":,;").strip()) if text else None
    except ValueError:
        return None


def _time(answer: Object, depth: int = 0) -> tuple[float, Clock] | None:
    for key in _TIMES:
        at_s = figure(answer.get(key))
        if at_s is not None and at_s > 1e8:  # noqa: PLR2004 - Unix time, from 1973 on
            return at_s, "unix"
    for key in ("params", "sys", "result"):
        part = answer.get(key)
        if isinstance(part, dict) and depth < _DEEPEST and (at := _time(part, depth + 1)):
            return at
    return None
