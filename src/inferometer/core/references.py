"""What references of models and of datasets have in common: their options, and their messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from inferometer.core.errors import InputError
from inferometer.core.shown import shown

_OPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(text: str) -> str:
    """A part of a reference in a message: between quotes, visible, and not too long."""
    return shown(repr(text))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion to put after an unknown name; empty where nothing is close."""
    close = get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def options_of(query: str, reference: str, error: type[InputError]) -> dict[str, str]:
    """Options of a reference, as texts.

    Args:
        query: what follows its question mark: `NAME=VALUE&NAME=VALUE`.
        reference: for messages, what it is and how it was given: `the dataset 'digits?a'`.
        error: what is raised.

    Raises:
        InputError: one is malformed, or stands twice.
    """
    options: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not _OPTION.fullmatch(name):
            raise error(
                f"{reference} has a malformed option {quoted(part)}; write ?NAME=VALUE&NAME=VALUE"
            )
        if name in options:
            raise error(f"{reference} gives {shown(name)} twice")
        options[name] = value
    return options
