"""`powermetrics -f plist`: property lists one after the other, parted by zero bytes.

Their keys: what tools for Apple silicon read of them (`processor.combined_power`, `cpu_power`,
`gpu_power`, `ane_power` in milliwatts, `elapsed_ns`, `timestamp`; `package_watts` on Intel). What
they tell is the vendor's model.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from xml.parsers.expat import ExpatError

from inferometer.meters.energy.logs.channel import (
    Clock,
    Contents,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.readers.powermetrics import INTEL, with_total

_NAMES = {
    "combined_power": ("Combined Power", 1e-3),
    "package_watts": (INTEL, 1.0),
    "cpu_power": ("CPU Power", 1e-3),
    "gpu_power": ("GPU Power", 1e-3),
    "ane_power": ("ANE Power", 1e-3),
}
_START = re.compile(r"<\?xml|<plist")
_MOST = 1 << 22
"""Characters of one property list."""
_FAULTS = (ExpatError, plistlib.InvalidFileException, ValueError, LookupError)
_MORE_FAULTS = (OverflowError, TypeError, AttributeError, RecursionError)
_NO_POWER = "it is a log of powermetrics without power: add cpu_power to --samplers"


class PowermetricsPlist:
    """What `powermetrics -f plist` writes."""

    name = "powermetrics"

    def recognises(self, head: Sequence[str]) -> bool:
        """By a property list with its keys."""
        text = "\n".join(head)
        return "<plist" in text and ("elapsed_ns" in text or "processor" in text)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each part, and the sum of them."""
        found = Collected(options)
        for line, text in _documents(lines):
            try:
                sample = plistlib.loads(text.encode())
            except (*_FAULTS, *_MORE_FAULTS):
                raise LogProblemError("a property list that ends or begins within", line) from None
            if isinstance(sample, dict):
                _take(sample, found, line)
        if not found.names:
            raise LogProblemError(_NO_POWER)
        return with_total(found.channels(method="vendor_model"))


def _documents(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    """Each property list, with the number of the line at which it begins."""
    parts: list[str] = []
    start, size = 1, 0
    for line, text in enumerate(lines, 1):
        text = text.replace("\0", "")  # noqa: PLW2901 - what parts them
        parts.append(text)
        size += len(text)
        if size > _MOST:
            raise LogProblemError("a property list of more than 4 MiB", start)
        if "</plist>" in text:
            whole = "".join(parts)
            begun = _START.search(whole)
            yield start, whole[begun.start() :] if begun else whole
            parts, start, size = [], line + 1, 0


def _take(sample: Mapping[str, Any], found: Collected, line: int) -> None:
    span_s = sample.get("elapsed_ns")
    span = span_s / 1e9 if isinstance(span_s, int) and 0 < span_s < 1e15 else None  # noqa: PLR2004
    at = _time(sample)
    powers = sample.get("processor")
    for key, (name, scale) in _NAMES.items():
        value = powers.get(key) if isinstance(powers, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:  # noqa: PLR2004
            found.add(name, at, value * scale, line=line, span_s=span)


def _time(sample: Mapping[str, Any]) -> tuple[float, Clock] | None:
    when = sample.get("timestamp")
    if not isinstance(when, datetime):
        return None
    try:
        return when.replace(tzinfo=timezone.utc).timestamp(), "unix"
    except (OverflowError, ValueError, OSError):
        return None
