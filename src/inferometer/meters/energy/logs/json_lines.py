"""Objects of JSON in a log of lines, with what stands before them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inferometer.meters.energy.logs.channel import LogProblemError

Object = Mapping[str, Any]
_LONGEST = 1 << 20
"""Characters of one object."""


def objects(lines: Iterable[str]) -> Iterator[tuple[int, str, Object]]:
    """Each object with the number of its line and what stands before it.

    An object may be spread over lines, and objects may be in a list. What is no object is passed
    over.

    Raises:
        LogProblemError: an object does not end.
    """
    held, start, before, depth = "", 0, "", 0
    for line, text in enumerate(lines, 1):
        place = text.find("{")
        if not held or (place >= 0 and not text[:1].isspace() and _parsed(text[place:])):
            if place < 0:
                continue
            held, start, depth = "", line, 0  # what did not end before is left out
            before = text[:place].strip().lstrip("[").strip()
            text = text[place:]  # noqa: PLW2901 - from where the object begins
        held += text
        depth += text.count("{") - text.count("}")
        if len(held) > _LONGEST:
            raise LogProblemError("an object of JSON of more than 1 MiB", start)
        if depth > 0 and line > start:
            continue  # to try again at each line would take forever
        found = _parsed(held)
        if found is not None:
            yield start, before, found
        if found is not None or depth <= 0:
            held = ""


def _parsed(text: str) -> Object | None:
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def figure(value: object) -> float | None:
    """A number that can be a power or a time; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None  # noqa: PLR2004 - NaN is not less either
