"""Text of unknown origin, made fit for a line that people read."""

from __future__ import annotations

import unicodedata

LONGEST = 200
"""Characters of a name that a message shows."""

_LINES = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: controls, formats (bidirectional ones among them), halves of pairs,
characters of private use or without meaning, separators of lines and paragraphs."""

_JOINERS = frozenset("\u200c\u200d")
"""Formats that belong to the spelling of words and pictures, and move nothing."""


def visible(text: str, *, keep: str = "") -> str:
    r"""Text in which nothing moves the cursor, ends the line, or turns the direction of reading.

    Such characters become their escapes, as in `\x1b` and `\u202e`; bytes that no encoding
    explains (`surrogateescape`) become `\udcff`.

    Args:
        text: from any source.
        keep: characters that stay as they are, such as a newline.
    """
    if text.isprintable():
        return text
    return "".join(
        part if part in keep or _is_safe(part) else part.encode("unicode_escape").decode("ascii")
        for part in text
    )


def shown(text: object, longest: int = LONGEST) -> str:
    """A name in a message: visible, and shortened in its middle where it is long."""
    whole = visible(str(text))
    if len(whole) <= longest:
        return whole
    head = (longest - 1) * 2 // 3
    return f"{whole[:head]}…{whole[head + 1 - longest :]}"


def _is_safe(character: str) -> bool:
    if character in _JOINERS:
        return True
    return character not in _LINES and unicodedata.category(character) not in _UNSAFE
