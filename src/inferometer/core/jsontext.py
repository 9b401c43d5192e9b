"""JSON that may be shown on a terminal: exact data, in which no character acts on what shows it."""

from __future__ import annotations

import json
import re

from inferometer.core.shown import visible

_DOUBTFUL = re.compile(r"[^ -~\n]+")


def json_bytes(data: object, *, is_ascii: bool = False) -> bytes:
    r"""A file of indented JSON, in UTF-8.

    Control characters, those that turn the direction of reading, and halves of pairs are written
    as `\u202e`, which any reader of JSON gives back as the character itself.

    Args:
        data: what `json.dumps` takes; no number may be infinite or NaN.
        is_ascii: whether every other character beyond ASCII is written so too.
    """
    text = json.dumps(data, indent=2, ensure_ascii=is_ascii, allow_nan=False)
    return f"{_DOUBTFUL.sub(lambda found: _escaped(found[0]), text)}\n".encode()


def _escaped(text: str) -> str:
    """Characters beyond ASCII, those that may not be shown as they are in JSON's own escapes."""
    if text.isprintable():
        return text
    return "".join(
        part if visible(part) == part else json.dumps(part)[1:-1].replace("\x7f", "\\u007f")
        for part in text
    )
