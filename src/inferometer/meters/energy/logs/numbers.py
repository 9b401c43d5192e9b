"""Numbers and units as meters write them. Knows no format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Quantity = Literal["time", "power", "voltage", "current", "energy"]

MISSING = frozenset({
    "", "nan", "null", "none", "n/a", "na", "-", "--", "unknown", "unavailable", "off", "err!",
    "error", "[n/a]", "[not supported]", "[unknown error]", "[insufficient permissions]",
    "[gpu is lost]", "notset", "?",
})  # fmt: skip
"""What stands for a figure where the meter has none."""

LONGEST = 100
"""Characters of a number, or a time."""

_PREFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
_NAMES = {"nano": "n", "micro": "u", "milli": "m", "kilo": "k"}
_BASES: tuple[tuple[str, Quantity, float], ...] = (
    ("W", "power", 1.0),
    ("V", "voltage", 1.0),
    ("A", "current", 1.0),
    ("J", "energy", 1.0),
    ("Ws", "energy", 1.0),
    ("Wh", "energy", 3600.0),
)
_WORDS: tuple[tuple[str, str], ...] = (
    ("watt", "W"), ("watts", "W"), ("volt", "V"), ("volts", "V"), ("amp", "A"), ("amps", "A"),
    ("ampere", "A"), ("amperes", "A"), ("joule", "J"), ("joules", "J"),
)  # fmt: skip
_TIMES = {"h": 3600.0, "hours": 3600.0, "min": 60.0, "minutes": 60.0, "s": 1.0, "sec": 1.0}
_TIMES |= {"secs": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "millis": 1e-3}
_TIMES |= {"milliseconds": 1e-3, "us": 1e-6, "usec": 1e-6, "micros": 1e-6, "microseconds": 1e-6}
_TIMES |= {"ns": 1e-9, "nsec": 1e-9, "nanoseconds": 1e-9}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit.

    Attributes:
        name: as it is written in messages: `mW`.
        quantity: what it is a unit of.
        scale: how many of the unit without a prefix it is.
    """

    name: str
    quantity: Quantity
    scale: float


def _units() -> dict[str, Unit]:
    found = {"MW": Unit(name="MW", quantity="power", scale=1e6)}
    for base, quantity, scale in _BASES:
        for prefix, factor in _PREFIXES.items():
            name = f"{prefix}{base}"
            found[name] = Unit(name=name, quantity=quantity, scale=factor * scale)
    for word, base in _WORDS:
        found[word] = found[base]
        found |= {f"{name}{word}": found[f"{prefix}{base}"] for name, prefix in _NAMES.items()}
    for name, scale in _TIMES.items():
        found[name] = Unit(name=name, quantity="time", scale=scale)
    return found


_EXACT = _units()
_ANY_CASE = {name.lower(): unit for name, unit in _EXACT.items() if name != "MW"}


def unit_of(text: str) -> Unit | None:
    """The unit that a text is, or None: `mW`, `MW`, `milliwatts`, `µA`; `MW` in capitals only."""
    plain = text.replace("µ", "u").replace("μ", "u")
    return _EXACT.get(plain) or _ANY_CASE.get(plain.lower())


@dataclass(frozen=True, kw_only=True)
class Style:
    """How numbers are written: what may stand for the decimal point, and what between thousands.

    Attributes:
        comma: whether a comma is the decimal sign; a point is one too, unless it parts thousands.
        thousands: the sign between thousands; empty where there is none.
    """

    comma: bool = False
    thousands: str = ""


PLAIN = Style()


_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+\.\d+|[-+]?\d{1,3}(,\d{3}){2,}")
_REVERSED = re.compile(r"[-+]?\d{1,3}(\.\d{3})+,\d+|[-+]?\d{1,3}(\.\d{3}){2,}")
_EITHER = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_COMMA = re.compile(r"[-+]?\d*,\d+")
_POINT = re.compile(r"[-+]?\d*\.\d+")
_APART = re.compile(r"(?<=\d)[ '\u2019\u00a0\u202f](?=\d{3}(?!\d))")
_AMOUNT = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\W\d_]*)")
_PLAIN = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")


def style_of(cells: Iterable[str], delimiter: str | None) -> Style:
    """How the numbers of a table are written, by cells of it and by what parts them."""
    firsts = [parts[0] for cell in cells if (parts := cell.split())]
    if any(map(_THOUSANDS.fullmatch, firsts)):
        return Style(thousands=",")
    if any(map(_REVERSED.fullmatch, firsts)):
        return Style(comma=True, thousands=".")
    either = any(map(_EITHER.fullmatch, firsts))
    if any(_COMMA.fullmatch(one) and not _EITHER.fullmatch(one) for one in firsts):
        return Style(comma=True)
    if delimiter == "," and either and any(map(_POINT.fullmatch, firsts)):
        return Style(thousands=",")
    return Style(comma=delimiter not in (",", None))


def number(cell: str, style: Style = PLAIN) -> tuple[float, str] | None:
    """A finite number, and the unit that stands after it; None where the meter had none.

    Raises:
        ValueError: it is neither.
    """
    text = cell.strip()
    if len(text) > LONGEST:
        raise ValueError(text[:LONGEST])
    if _PLAIN.fullmatch(text) and not style.thousands:
        return _finite(text), ""
    if text.lower() in MISSING:
        return None
    text = _APART.sub("", text)
    if style.thousands:
        text = text.replace(style.thousands, "")
    if style.comma:
        text = text.replace(",", ".")
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(cell)
    return _finite(match[1]), match[2]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
