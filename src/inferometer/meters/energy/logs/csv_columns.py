"""Which columns of a meter's CSV hold what, and what their cells mean. Reads no file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from inferometer.core.shown import shown

Clock = Literal["unix", "local", "start"]
"""Absolute times; absolute times without a zone, taken as this device's; seconds from a start."""

_QUANTITIES = ("time", "power", "voltage", "current")
DELIMITERS = (",", ";", "\t")
_MISSING = {"", "nan", "null", "none", "n/a", "na", "-", "unknown", "unavailable"}

_POWER = {"power", "watt", "watts", "w", "mw", "kw", "p", "apower", "leistung"}
_VOLTAGE = {"voltage", "volt", "volts", "v", "mv", "u", "spannung"}
_CURRENT = {"current", "amp", "amps", "ampere", "amperes", "a", "ma", "ua", "i", "strom"}
_TIMES = ("timestamp", "datetime", "unix", "epoch", "time", "ts", "elapsed", "seconds", "date", "t")
"""Words of a column of times, the best first."""
_OTHERS = {"reactive", "apparent", "va", "var", "factor", "pf", "wh", "kwh", "mwh", "energy", "max"}
_OTHERS |= {"min", "peak", "limit", "offset", "zone", "charge", "ah", "mah", "std"}
_SCALES = {"mw": 1e-3, "kw": 1e3, "uw": 1e-6, "mv": 1e-3, "ma": 1e-3, "ua": 1e-6}
_TIME_SCALES = {"ms": 1e-3, "msec": 1e-3, "millis": 1e-3, "milliseconds": 1e-3, "us": 1e-6}
_TIME_SCALES |= {"ns": 1e-9, "min": 60.0, "minutes": 60.0}

_UNIX_FROM = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))
"""A number so large is Unix time in units of so many seconds: from 1973 on, and until 5138."""
_UNIX_UNTIL = 1e20
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ]+(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)
_SPAN = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:[.,]\d+)?)")


@dataclass(frozen=True, kw_only=True)
class Column:
    """Where a quantity is: places in a row, and what to multiply its figure by."""

    places: tuple[int, ...]
    name: str
    scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a log; either power, or voltage and current, are there."""

    time: Column
    power: tuple[Column, ...]


def find_columns(header: Sequence[str], named: Mapping[str, str]) -> Columns | None:
    """The columns of times and of power; None where this is not the line of their names.

    Args:
        header: cells of a line.
        named: names that the user gave for `time`, `power`, `voltage`, `current`.

    Raises:
        ValueError: several columns may be meant; a sentence.
    """
    words = [_words(cell) for cell in header]
    cells = {cell.strip() for cell in header}
    if not any(words) or not all(named[what] in cells for what in _QUANTITIES if what in named):
        return None
    time = _named(header, named, "time") or _time(header, words)
    power = _named(header, named, "power") or _one(header, words, _POWER, "power")
    if time is None:
        return None
    if power is not None:
        return Columns(time=time, power=(power,))
    voltage = _named(header, named, "voltage") or _one(header, words, _VOLTAGE, "voltage")
    current = _named(header, named, "current") or _one(header, words, _CURRENT, "current")
    if voltage is None or current is None:
        return None
    return Columns(time=time, power=(voltage, current))


def _words(cell: str) -> list[str]:
    """Words of a name, lower case: `Power [W]`, `power_w` and `PowerW` are `power` and `w`."""
    apart = re.sub(r"(?<=[a-z]{2})(?=[A-Z])", " ", cell.replace("µ", "u").replace("μ", "u"))
    return re.findall("[a-z]+", apart.lower())


def _named(header: Sequence[str], named: Mapping[str, str], what: str) -> Column | None:
    if what not in named:
        return None
    cells = [cell.strip() for cell in header]
    place = cells.index(named[what])
    return Column(places=(place,), name=cells[place], scale=_scale(_words(cells[place]), what))


def _scale(words: Sequence[str], what: str) -> float:
    scales = _TIME_SCALES if what == "time" else _SCALES
    return next((scales[word] for word in words if word in scales), 1.0)


def _one(
    header: Sequence[str], words: Sequence[Sequence[str]], wanted: set[str], what: str
) -> Column | None:
    """The column of a quantity.

    Raises:
        ValueError: several may be meant.
    """
    found = [
        place
        for place, names in enumerate(words)
        if wanted.intersection(names) and not _OTHERS.intersection(names)
    ]
    if len(found) > 1:
        names = ", ".join(shown(repr(header[place].strip())) for place in found[:4])
        raise ValueError(f"{names} may all be the {what}: name one, as in csv://FILE?{what}=NAME")
    if not found:
        return None
    place = found[0]
    return Column(places=(place,), name=header[place].strip(), scale=_scale(words[place], what))


def _time(header: Sequence[str], words: Sequence[Sequence[str]]) -> Column | None:
    """The best column of times; a date and a time of day that stand apart are taken together."""
    ranked = sorted(
        (_TIMES.index(word), place)
        for place, names in enumerate(words)
        for word in names[:2]
        if word in _TIMES and not (_POWER | _VOLTAGE | _CURRENT).intersection(names)
    )
    if not ranked:
        return None
    place = ranked[0][1]
    dates = [at for at, names in enumerate(words) if list(names) == ["date"] and at != place]
    if dates and list(words[place]) == ["time"]:
        name = f"{header[dates[0]].strip()} {header[place].strip()}"
        return Column(places=(dates[0], place), name=name)
    scale = _scale(words[place], "time")
    return Column(places=(place,), name=header[place].strip(), scale=scale)


def to_number(cell: str, *, comma: bool) -> float | None:
    """A finite number; None where the meter says that it has none.

    Args:
        cell: the text.
        comma: whether a comma may be the decimal sign.

    Raises:
        ValueError: it is neither.
    """
    text = cell.strip()
    if text.lower() in _MISSING:
        return None
    if not _NUMBER.fullmatch(text) or ("," in text and not comma):
        raise ValueError(text)
    value = float(text.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def to_time(cell: str, scale: float, *, comma: bool) -> tuple[float, Clock]:
    """Seconds, and on which clock.

    Args:
        cell: Unix time in seconds to nanoseconds, seconds from a start, `h:mm:ss` from a start,
            or ISO 8601, where a zone that is missing is that of this device.
        scale: unit of a figure that is no Unix time, seconds.
        comma: whether a comma may be the decimal sign.

    Raises:
        ValueError: it is none of these.
    """
    text = cell.strip()
    if match := _ISO.fullmatch(text):
        return _iso(match)
    if match := _SPAN.fullmatch(text):
        seconds = float(match[3].replace(",", "."))
        return int(match[1]) * 3600 + int(match[2]) * 60 + seconds, "start"
    value = to_number(text, comma=comma)
    if value is None or not abs(value) < _UNIX_UNTIL:
        raise ValueError(text)
    for least, unit_s in _UNIX_FROM:
        if value >= least:
            return value * unit_s, "unix"
    return value * scale, "start"


def _iso(match: re.Match[str]) -> tuple[float, Clock]:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    # `fromisoformat` of Python 3.10 knows neither Z nor other than 3 or 6 decimals
    text = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}"
    seconds = float(f"0.{fraction}") if fraction else 0.0
    if zone is None:
        return datetime.fromisoformat(text).timestamp() + seconds, "local"
    if zone.upper() in ("Z", "UTC"):
        zone = "+00:00"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    moment = datetime.fromisoformat(f"{text}{zone[0]}{digits[:2]}:{digits[2:]}")
    return moment.timestamp() + seconds, "unix"
