"""A report of PowerTOP (`powertop --csv=FILE`, `--html=FILE`): one figure, that of the battery.

The sentence with the discharge rate is that of PowerTOP 2.9 to 2.15 (`src/devices/…`, and reports
of users). A report of a board or a PC on its charger has none: PowerTOP has no sensor of its own.
The "system baseline power" is its model, and is not taken for a measurement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from inferometer.meters.energy.logs.channel import (
    Channel,
    Contents,
    LogOptions,
    LogProblemError,
    floats,
)
from inferometer.meters.energy.sources.powertop import discharge_w

_MOST = 1 << 24
"""Characters of a report that are looked at; the rate stands near its beginning."""
_BANNER = re.compile(r"P o w e r T O P|PowerTOP (?:Version|Report|v\d)", re.IGNORECASE)
_BASELINE = re.compile(r"baseline power is estimated", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,500}>|&nbsp;")
_NOTHING = (
    "PowerTOP measured no power here: its watts are the discharge rate of a battery, and there was "
    "none, or it did not discharge. Use a plug or a USB-C meter that keeps a log"
)
_ONLY_A_MODEL = f"{_NOTHING}. Its baseline power is an estimate, and is not taken"


def _first(lines: Iterable[str]) -> Iterator[str]:
    left = _MOST
    for line in lines:
        left -= len(line)
        if left < 0:
            return
        yield line


class PowerTop:
    """A report of PowerTOP."""

    name = "powertop"

    def recognises(self, head: Sequence[str]) -> bool:
        """By its banner, or by the sentence with the rate."""
        text = "\n".join(head)
        return bool(_BANNER.search(text)) or discharge_w(_TAG.sub(" ", text)) is not None

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """One channel with one reading."""
        del options
        text = _TAG.sub(" ", "".join(_first(lines)))
        watts = discharge_w(text)
        if watts is None:
            raise LogProblemError(_ONLY_A_MODEL if _BASELINE.search(text) else _NOTHING)
        channel = Channel(
            name="discharge rate",
            times_s=floats([0.0]),
            watts=floats([watts]),
            clock="start",
            scope="battery",
        )
        note = "One figure for the whole report, from the battery: the laptop with its display."
        return Contents(channels=(channel,), total=channel.name, notes=(note,))
