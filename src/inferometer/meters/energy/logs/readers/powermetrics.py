"""`powermetrics` of macOS, as text: a block for each sample, with milliwatts.

Blocks as macOS 11 to 15 write them on Apple silicon (`Combined Power (CPU + GPU + ANE): 302 mW`;
before macOS 13 only the parts, or `Package Power`), and on Intel (`Intel energy model derived
package power (CPUs+GT+SA): 2.30W`). The GPU sampler repeats `GPU Power` further down; the first
counts. All of it is Apple's, or Intel's, model.
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

_SAMPLE = re.compile(
    r"\*\*\* Sampled system activity(?: \((?P<date>[^()]{0,60})\))?"
    r"(?: \((?P<ms>[\d.]{1,20})ms elapsed\))?"
)
_POWER = re.compile(
    r"(?P<name>(?:Combined|CPU|GPU|ANE|DRAM|Package) Power(?: \(CPU \+ GPU \+ ANE\))?"
    r"|Intel energy model derived package power \(CPUs\+GT\+SA\))\s*:\s*"
    r"(?P<value>\d{1,12}(?:\.\d{1,12})?)\s*(?P<unit>m?W)"
)
INTEL = "Intel package power"
_TOTALS = ("Combined Power", "Package Power", INTEL)
_PARTS = ("CPU Power", "GPU Power", "ANE Power")
_DRIFT_S = 2.0
_NO_POWER = "it is a log of powermetrics without power: add cpu_power to --samplers"


class Powermetrics:
    """What `powermetrics` prints."""

    name = "powermetrics"

    def recognises(self, head: Sequence[str]) -> bool:
        """By the line that begins a sample."""
        return any(map(_SAMPLE.search, head))

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each part, and the sum of them."""
        found = Collected(options)
        clock = _SampleClock()
        seen: set[str] = set()
        for line, text in enumerate(lines, 1):
            if match := _SAMPLE.search(text):
                clock.next(match["date"] or "", match["ms"])
                seen = set()
            elif (power := _POWER.match(text.strip())) and clock.begun:
                name = _named(power["name"])
                if name not in seen:
                    seen.add(name)
                    watts = float(power["value"]) * (1e-3 if power["unit"] == "mW" else 1.0)
                    found.add(name, clock.at, watts, line=line, span_s=clock.span_s)
        if not found.names:
            raise LogProblemError(_NO_POWER)
        return with_total(found.channels(method="vendor_model"))


class _SampleClock:
    """When each sample ended: dates have no fractions of seconds, but each sample its length."""

    def __init__(self) -> None:
        self._reader = TimeReader()
        self.at: tuple[float, Clock] | None = None
        self.span_s: float | None = None
        self.begun = False

    def next(self, date: str, milliseconds: str | None) -> None:
        """Go on to the next sample."""
        self.begun = True
        try:
            self.span_s = float(milliseconds) / 1e3 if milliseconds else None
        except ValueError:
            self.span_s = None
        try:
            told = self._reader.read(date) if date else None
        except ValueError:
            told = None
        before = self.at
        if told is None and self.span_s is not None:
            at_s, clock = before or (0.0, "start")
            self.at = at_s + (self.span_s if before else 0.0), clock
            return
        self.at = told
        if told and before and self.span_s is not None:
            counted = before[0] + self.span_s
            if abs(counted - told[0]) < _DRIFT_S:
                self.at = counted, told[1]


def _named(name: str) -> str:
    return INTEL if name.startswith("Intel") else name.partition(" (")[0]


def with_total(channels: Sequence[Channel]) -> Contents:
    """The whole chip is the power; where it is not told, the sum of its parts."""
    names = {one.name for one in channels}
    total = next((name for name in _TOTALS if name in names), "")
    notes: tuple[str, ...] = ()
    parts = [one for one in channels if one.name in _PARTS]
    same = len({one.times_s.size for one in parts}) == 1
    if not total and len(parts) > 1 and same:
        total = "Combined Power"
        whole = replace(parts[0], name=total, watts=floats(sum(one.watts for one in parts)))
        channels = (whole, *channels)
        notes = (f"{total!r} is {' + '.join(one.name for one in parts)}.",)
    elif not total and len(channels) == 1:
        total = channels[0].name
    scope: Scope = "package" if total == INTEL else "soc"
    return Contents(
        channels=tuple(
            replace(
                one,
                scope=scope,
                unit="W" if one.name == INTEL else "mW",
                part_of="" if one.name in (*_TOTALS, total) else total,
            )
            for one in channels
        ),
        total=total,
        notes=notes,
    )
