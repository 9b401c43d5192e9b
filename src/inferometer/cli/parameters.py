"""Kinds of values on the command line: lists, durations, shares, sizes, within their limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from inferometer.core.ranges import RANGES, Range, check_device, value_text
from inferometer.core.sweep import MOST_WORKLOADS
from inferometer.study.units import parse_bytes, parse_duration, parse_percent

OWN = "own"
AUTO = "auto"
MOST_OFFSET_S = 10_000_000_000
"""Three centuries: a log that counts from a time of its own is joined too."""

_DIGITS = re.compile("[0-9]{1,18}")
_SECONDS = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?")


class Parsed(click.ParamType[Any]):
    """A value read by one of our parsers, whose ValueError is the message."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self.parse = parse

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401
        """Read the text; a value that is read already stays as it is."""
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def within(name: str, metavar: str) -> Parsed:
    """What a flag takes whose limits the table of ranges has by this name."""
    known = RANGES[name]
    parse: Callable[[str], Any] = {
        "whole": lambda text: _whole(text, known, known.words),
        "seconds": lambda text: _limited(text, known, parse_duration),
        "share": lambda text: _limited(text, known, parse_percent),
        "bytes": lambda text: _limited(text, known, parse_bytes),
    }[known.kind]
    return Parsed(metavar, parse)


def whole_numbers(name: str, metavar: str, *, own: bool = False) -> Parsed:
    """A list of whole numbers with such limits.

    Args:
        name: in the table of ranges.
        metavar: what help calls it.
        own: whether one of them may be `own`, which is read as None.
    """
    known = RANGES[name]
    expected = known.words.replace("a whole number", "whole numbers")
    expected += f" or {OWN}" * own + ", separated by commas"

    def parse(text: str) -> list[int | None]:
        parts = _parts(text, expected)
        if own and parts.count(OWN) > 1:
            raise ValueError(f"expected {expected}, each once; {OWN} stands twice")
        return [
            None if own and part == OWN else _whole(part, known, expected)
            for part in dict.fromkeys(parts)
        ]

    return Parsed(metavar, parse)


def _whole(text: str, known: Range, expected: str) -> int:
    """ASCII digits, and nothing else that Python would read as a number."""
    digits = text.strip()
    if not _DIGITS.fullmatch(digits) or not known.holds(int(digits)):
        raise ValueError(f"expected {expected}, found {value_text(text)}")
    return int(digits)


def _limited(text: str, known: Range, parse: Callable[[str], float]) -> float:
    try:
        value = parse(text)
    except ValueError as error:
        raise ValueError(f"{error}; expected {known.words}") from error
    if not known.holds(value):
        raise ValueError(f"expected {known.words}, found {value_text(text)}")
    return value


def _size(text: str) -> int | None:
    known = RANGES["size"]
    return None if text.strip() == OWN else _whole(text, known, f"{known.words}, or {OWN}")


def _parts(text: str, expected: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ValueError(f"expected {expected}, found {value_text(text)}")
    return parts


def _names(text: str) -> list[str]:
    names = _parts(text, "values separated by commas")
    if len(names) > MOST_WORKLOADS:
        raise ValueError(f"expected at most {MOST_WORKLOADS:,} values, found {len(names):,}")
    return names


def _offset(text: str) -> float | None:
    """None is `auto`."""
    if text.strip() == AUTO:
        return None
    found = _SECONDS.fullmatch(text.strip())
    if not found or abs(float(found[0])) > MOST_OFFSET_S:
        raise ValueError(
            f"expected auto or seconds such as -3.2, at most {MOST_OFFSET_S} either way, found "
            f"{value_text(text)}"
        )
    return float(found[0])


NAMES = Parsed("A,B,…", _names)
BATCH = within("batch", "N")
BATCHES = whole_numbers("batch", "1,2,…")
SIZE = Parsed("N|own", _size)
SIZES = whole_numbers("size", "224,448,…", own=True)
THREADS = within("threads", "N")
SEED = within("seed", "N")
DEPTH = within("depth", "N")
DURATION = within("duration", "TIME")
TIMEOUT = within("timeout_s", "TIME")
OFFSET = Parsed("auto|SECONDS", _offset)
DEVICE = Parsed("DEVICE", check_device)
