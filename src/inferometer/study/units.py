"""Durations, shares and amounts of memory as people write them, to SI numbers."""

from __future__ import annotations

import math
import re

NUMBER = r"[0-9]+(?:\.[0-9]+)?"

_DURATION = re.compile(
    rf"(?:(?P<h>{NUMBER}) *h *)?"
    rf"(?:(?P<min>{NUMBER}) *(?:min|m(?!s)) *)?"
    rf"(?:(?P<s>{NUMBER}) *s *)?"
    rf"(?:(?P<ms>{NUMBER}) *ms)?"
)
_SECONDS = {"h": 3600.0, "min": 60.0, "s": 1.0, "ms": 0.001}

_SIZE = re.compile(rf"({NUMBER}) *([kmgt]?)(i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_duration(value: str | float) -> float:
    """Seconds of a duration such as `10m`, `90s`, `1h30m`, `500ms`; a bare number is seconds.

    Raises:
        ValueError: it is not a duration; the message is a sentence.
    """
    problem = f"{_shown(value)} is not a duration: write it like 90s, 10m, 1h30m or 500ms"
    seconds = _number(value)
    if seconds is None:
        match = _DURATION.fullmatch(str(value).strip())
        if match is None or not any(match.groups()):
            raise ValueError(problem)
        parts = match.groupdict(default="0")
        seconds = sum(float(parts[unit]) * factor for unit, factor in _SECONDS.items())
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
    match = re.fullmatch(rf"({NUMBER}) *%", str(value).strip())
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
        match = _SIZE.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(problem)
        prefix, unit = match[2].lower(), (match[3] or "").lower()
        if unit == "ib" and not prefix:
            raise ValueError(problem)
        base = 1000 if unit == "b" else 1024
        amount = float(match[1]) * base ** _POWERS[prefix]
    if not math.isfinite(amount) or round(amount) < 1:
        raise ValueError(problem)
    return round(amount)


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
