"""Kinds of values on the command line: lists, durations, shares, sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from inferometer.study.units import parse_bytes, parse_duration, parse_percent


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


def _list(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ValueError(f"expected values separated by commas, found {text!r}")
    return parts


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"expected whole numbers above 0 separated by commas, found {text!r}")
    return int(text)


def _batches(text: str) -> list[int]:
    return [_positive(part) for part in _list(text)]


def _size(text: str) -> int | None:
    if text != "own" and (not text.isdecimal() or int(text) == 0):
        raise ValueError(f"expected a whole number above 0, or own; found {text!r}")
    return None if text == "own" else int(text)


def _sizes(text: str) -> list[int | None]:
    return [None if part == "own" else _positive(part) for part in _list(text)]


NAMES = Parsed("A,B,…", _list)
BATCHES = Parsed("1,2,…", _batches)
SIZE = Parsed("N|own", _size)
SIZES = Parsed("224,448,…", _sizes)
DURATION = Parsed("TIME", parse_duration)
SHARE = Parsed("SHARE", parse_percent)
BYTES = Parsed("BYTES", parse_bytes)
SEED = click.IntRange(0, 2**32 - 1)
"""What every generator takes, and a study file too."""
