"""Text → Markdown (CommonMark with tables) that shows it as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.core.units import ABSENT
from inferometer.report.document.marks import plain

_SPECIAL = re.compile(r"[\\`*\[\]<>|~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK_START = re.compile(r"^(?:([-+=#])|(\d+)([.)])(?=\s|$))")


class Markdown(str):
    """Markdown that needs no escaping; every other string does."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of plain texts; false where it has no rows. `escape` gives its Markdown.

    Attributes:
        heads: one for each column.
        rows: as many texts each.
        left: so many columns, from the first, are flush left; the others hold figures.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1

    def __bool__(self) -> bool:
        return bool(self.heads and self.rows)

    def without(self, *heads: str) -> Table:
        """The table without the columns of these heads."""
        kept = [place for place, head in enumerate(self.heads) if head not in heads]
        return Table(
            heads=tuple(self.heads[place] for place in kept),
            rows=tuple(tuple(row[place] for place in kept) for row in self.rows),
            left=sum(place < self.left for place in kept),
        )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> Table:
    """A table without the columns in which no row has anything.

    Args:
        heads: one for each column.
        rows: as many texts each.
        left: so many columns, from the first, are flush left; the others hold figures.
    """
    kept = [i for i in range(len(heads)) if any(row[i] not in {"", ABSENT} for row in rows)]
    return Table(
        heads=tuple(heads[i] for i in kept),
        rows=tuple(tuple(row[i] for i in kept) for row in rows),
        left=sum(i < left for i in kept),
    )


def escape(text: object) -> str:
    """A table as Markdown; of anything else one line that shows it as it is.

    No emphasis, link, code, HTML, list or table comes of a line.
    """
    if isinstance(text, Markdown):
        return text
    if isinstance(text, Table):
        return _table(text)
    line = _SPECIAL.sub(r"\\\g<0>", plain(str(text)))
    return _BLOCK_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", line)


def _table(found: Table) -> Markdown:
    if not found:
        return Markdown("")
    lines = ["| " + " | ".join(map(escape, line)) + " |" for line in (found.heads, *found.rows)]
    rule = "|" + "|".join(":--" if i < found.left else "--:" for i in range(len(found.heads))) + "|"
    return Markdown("\n".join([lines[0], rule, *lines[1:]]))


def verbatim(text: str) -> Markdown:
    """A line of code within a line, fenced by more backticks than it holds in a row."""
    line = plain(text)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " * (line[:1] == "`" or line[-1:] == "`")
    return Markdown(f"{fence}{room}{line}{room}{fence}")


def bullets(lines: Sequence[str]) -> Markdown:
    """A list."""
    return Markdown("\n".join(f"- {escape(line)}" for line in lines))


def image(title: str, path: str) -> Markdown:
    """An image; the path is one of our own names."""
    return Markdown(f"![{escape(title)}]({path})")
