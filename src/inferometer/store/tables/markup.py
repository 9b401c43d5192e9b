"""Tables within text: of Markdown, and with frames of lines, as programs print them.

A README may hold several; `--table N` names one, and a refusal lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.delimited import Numbered, table_of_cells
from inferometer.store.tables.table import Table, listed

_BARS = str.maketrans(dict.fromkeys("│┃║┆┊", "|"))
_FRAME = re.compile(r"[\s|+:=\-_\u2500-\u257f╌┄]*[-=\u2500-\u257f╌┄][\s|+:=\-_\u2500-\u257f╌┄]*")
_MOST_TABLES = 200
_MOST_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A table in a text: its rows, and the line on which it begins."""

    begins: int
    rows: list[Numbered]


def holds_tables(text: str) -> bool:
    """Whether a text has a table of Markdown, or one in a frame."""
    lines = text[:200_000].translate(_BARS).split("\n")
    return any(
        "|" in above and _is_rule(line) and "|" in line + below
        for above, line, below in zip(lines, lines[1:], [*lines[2:], ""], strict=False)
    ) or any(line.strip().startswith("|") and line.strip().endswith("|") for line in lines[:50])


def read_markup(path: Path, text: str, wanted: int | None) -> Table:
    """Read a table of a text.

    Args:
        path: the file, for messages.
        text: what it holds.
        wanted: which of its tables, from 1; None for the only one.

    Raises:
        ImportFileError: there are several and none is named, or there is no such one.
    """
    found = list(_tables(text))
    if not found:
        raise ImportFileError(f"{shown(path)}: there is no table in it")
    if wanted is None and len(found) > 1:
        raise ImportFileError(f"{shown(path)}: {len(found)} tables; say which: {_told(found)}")
    if not 1 <= (wanted or 1) <= len(found):
        raise ImportFileError(f"{shown(path)}: there is no table {wanted}: {_told(found)}")
    one = found[(wanted or 1) - 1]
    width = len(one.rows[0][1])
    rows = [(number, _as_wide(cells, width)) for number, cells in one.rows]
    return table_of_cells(path, iter(rows), title="a table in text", decimal_comma=None)


def _told(found: list[_Found]) -> str:
    """What the tables of a text are, for people."""
    texts = [
        f"--table {number} (line {one.begins}: {listed([c.strip() for c in one.rows[0][1]])})"
        for number, one in enumerate(found[:_MOST_SHOWN], start=1)
    ]
    rest = len(found) - _MOST_SHOWN
    return ", ".join(texts) + (f" and {rest} more" if rest > 0 else "")


def _tables(text: str) -> Iterator[_Found]:
    """Stretches of lines with bars in them, of at least two rows."""
    rows: list[Numbered] = []
    many = 0
    for number, line in enumerate([*text.translate(_BARS).split("\n"), ""], start=1):
        if _is_rule(line) and ("|" in line or "+" in line or rows or line.strip()[:1] in "┏┌╔╭+"):
            continue
        if "|" in line:
            rows.append((number, _cells(line)))
            continue
        if len(rows) > 1 and len(rows[0][1]) > 1:
            yield _Found(begins=rows[0][0], rows=rows)
            many += 1
            if many == _MOST_TABLES:
                return
        rows = []


def _is_rule(line: str) -> bool:
    return bool(line.strip()) and _FRAME.fullmatch(line) is not None


def _cells(line: str) -> list[str]:
    """Cells between bars; a bar after a backslash is a sign like others."""
    text = line.strip()
    text = text.removeprefix("|")
    if text.endswith("|") and not text.endswith("\\|"):
        text = text[:-1]
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", text)]


def _as_wide(cells: list[str], width: int) -> list[str]:
    """Cells of a row, as many as the header has: Markdown lets rows be short."""
    return (cells + [""] * width)[:width] if len(cells) < width else cells
