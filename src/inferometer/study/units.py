"""Durations, shares, energies and amounts as people write them, to SI numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from inferometer.core.ranges import Kind

NUMBER = r"[0-9]+(?:\.[0-9]+)?"

_DURATION = (
    rf"(?=[0-9])(?:({NUMBER}) *h *)?(?:({NUMBER}) *(?:min|m(?!s)) *)?"
    rf"(?:({NUMBER}) *s *)?(?:({NUMBER}) *ms)?"
)
_SECONDS = (3600.0, 60.0, 1.0, 0.001)

_SIZE = rf"({NUMBER}) *(?:([kKmMgGtT])([iI]?[bB])?|[bB])?"
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

_SHARE = rf"({NUMBER}) *%"

_MICROSECONDS = rf"({NUMBER}) *[uµμ]s"
_ENERGY = rf"({NUMBER}) *([uµμmk]?)(J|Wh)"
_JOULES = {"J": 1.0, "Wh": 3600.0}
_COUNT = rf"({NUMBER}) *([kKMGB]?)"
_PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_SMALL = {"u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3}


def parse_duration(value: str | float) -> float:
    """Seconds of a duration such as `10m`, `90s`, `1h30m`, `500ms`; a bare number is seconds.

    Raises:
        ValueError: it is not a duration; the message is a sentence.
    """
    problem = f"{_shown(value)} is not a duration: write it like 90s, 10m, 1h30m or 500ms"
    seconds = _number(value)
    if seconds is None:
        match = re.fullmatch(_DURATION, str(value).strip())
        if match is None:
            raise ValueError(problem)
        parts = zip(match.groups("0"), _SECONDS, strict=True)
        seconds = sum(float(part) * factor for part, factor in parts)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(problem)
    return seconds


def parse_percent(value: str | float) -> float:
    """The share that `2%` or `0.02` means, both 0.02.

    A bare number must be less than 1: whether `5` means 5 % or 500 % cannot be known.

    Raises:
        ValueError: it is not a share; the message is a sentence.
    """
    problem = f"{_shown(value)} is not a share: write it like 5% or 0.05"
    share = _number(value)
    if share is not None:
        if not 0 <= share < 1:
            raise ValueError(problem)
        return share
    match = re.fullmatch(_SHARE, str(value).strip())
    if match is None or not math.isfinite(float(match[1])):
        raise ValueError(problem)
    return float(match[1]) / 100


def parse_bytes(value: str | float) -> int:
    """Bytes, at least 1, of an amount such as `2GiB`, `512M`, `1.5GB`; a bare number is bytes.

    KiB, MiB, GiB, TiB and the letter alone are powers of 1024; kB, MB, GB, TB are powers of 1000.

    Raises:
        ValueError: it is not an amount of memory; the message is a sentence.
    """
    problem = f"{_shown(value)} is not an amount of memory: write it like 2GiB, 512M or 1.5GB"
    amount = _number(value)
    if amount is None:
        match = re.fullmatch(_SIZE, str(value).strip())
        if match is None:
            raise ValueError(problem)
        number, prefix, unit = match.groups("")
        base = 1000 if unit.lower() == "b" else 1024
        amount = float(number) * base ** _POWERS[prefix.lower()]
    if not math.isfinite(amount) or round(amount) < 1:
        raise ValueError(problem)
    return round(amount)


def parse_latency(value: str) -> float:
    """Seconds of a duration that may be in microseconds, such as `50ms`, `300us`.

    Raises:
        ValueError: it is not a duration; the message is a sentence.
    """
    match = re.fullmatch(_MICROSECONDS, value.strip())
    return float(match[1]) * 1e-6 if match else parse_duration(value)


def parse_energy(value: str) -> float:
    """Joules of an energy such as `0.5J`, `300mJ`, `1mWh`; a bare number is joules.

    Raises:
        ValueError: it is not an energy; the message is a sentence.
    """
    joules = _number(value)
    match = re.fullmatch(_ENERGY, value.strip())
    if joules is None and match is not None:
        number, prefix, unit = match.groups()
        joules = float(number) * (_SMALL | _PREFIXES)[prefix] * _JOULES[unit]
    if joules is None or not math.isfinite(joules):
        raise ValueError(f"{_shown(value)} is not an energy: write it like 0.5J, 300mJ or 1mWh")
    return joules


def parse_count(value: str) -> float:
    """A count or a rate such as `5M`, `100`, `2.5k`.

    Raises:
        ValueError: it is no number; the message is a sentence.
    """
    match = re.fullmatch(_COUNT, value.strip())
    found = float(match[1]) * _PREFIXES[match[2]] if match else math.inf
    if not math.isfinite(found):
        raise ValueError(f"{_shown(value)} is not a count: write it like 5M, 100 or 2.5k")
    return found


def parse_score(value: str) -> float:
    """A value of a metric, which may be in percent: `0.9`, `90%`.

    Raises:
        ValueError: it is no number; the message is a sentence.
    """
    match = re.fullmatch(_SHARE, value.strip())
    found = float(match[1]) / 100 if match else _number(value)
    if found is None or not math.isfinite(found):
        raise ValueError(f"{_shown(value)} is not an accuracy: write it like 0.9 or 90%")
    return found


READERS: Mapping[Kind, Callable[[Any], float]] = {
    "whole": int,
    "seconds": parse_duration,
    "share": parse_percent,
    "bytes": parse_bytes,
}
PATTERNS: Mapping[Kind, str] = {"seconds": _DURATION, "share": _SHARE, "bytes": _SIZE}
"""Regular expressions, as JSON schema knows them, of texts that are more than a number."""


def _number(value: str | float) -> float | None:
    """The number that a value is or spells; None where it is neither."""
    if isinstance(value, str):
        return float(value) if re.fullmatch(NUMBER, value.strip()) else None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown(value: str | float) -> str:
    text = ascii(value) if isinstance(value, str) else f"{_number(value):g}"
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - enough to know it again
