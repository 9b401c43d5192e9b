"""Text → Markdown (CommonMark with tables) that shows it as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inferometer.core.units import ABSENT
from inferometer.report.marks import plain

_SPECIAL = re.compile(r"[\\`*\[\]<>|~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK_START = re.compile(r"^(?:([-+=#])|(\d+)([.)])(?=\s|$))")


class Markdown(str):
    """Markdown that needs no escaping; every other string does."""

    __slots__ = ()


def escape(text: object) -> str:
    """One line that shows the text: no emphasis, link, code, HTML, list or table comes of it."""
    if isinstance(text, Markdown):
        return text
    line = _SPECIAL.sub(r"\\\g<0>", plain(str(text)))
    return _BLOCK_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", line)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> Markdown:
    """A table; the first columns flush left, the others flush right.

    Columns in which no row has anything are left out; without rows there is no table.
    """
    if not rows:
        return Markdown("")
    kept = [i for i in range(len(heads)) if any(row[i] not in {"", ABSENT} for row in rows)]
    lines = [
        [heads[i] for i in kept],
        *([row[i] for i in kept] for row in rows),
    ]
    escaped = ["| " + " | ".join(escape(cell) for cell in line) + " |" for line in lines]
    rule = "|" + "|".join(":--" if i < left else "--:" for i in kept) + "|"
    return Markdown("\n".join([escaped[0], rule, *escaped[1:]]))


def code(text: str) -> Markdown:
    """A block of code, fenced by more backticks than it holds in a row."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown(f"{fence}text\n{text.rstrip()}\n{fence}")


def bullets(lines: Sequence[str]) -> Markdown:
    """A list."""
    return Markdown("\n".join(f"- {escape(line)}" for line in lines))


def image(title: str, path: str) -> Markdown:
    """An image; the path is one of our own names."""
    return Markdown(f"![{escape(title)}]({path})")
