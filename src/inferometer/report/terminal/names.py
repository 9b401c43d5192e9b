"""Names in tables: broken after a separator where they do not fit, in a word only where they must.

`squeezenet1_0` becomes `squeezenet1_` and `0`, never `squeezene` and `t1_0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_WORD = re.compile(r"[^ _.\-/:]*[ _.\-/:]?")


def broken(name: str, width: int) -> list[str]:
    """A name in lines of at most so many characters."""
    lines = [""]
    for piece in _pieces(name, width):
        if cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines if line.strip()] or [""]


def longest_piece(name: str) -> int:
    """Characters of its longest part between separators: in fewer it is cut in a word."""
    return max(cell_len(word.rstrip()) for word in _WORD.findall(name))


def _pieces(name: str, width: int) -> Iterator[str]:
    """Words with the separator that ends them, cut where one alone is too wide."""
    for word in _WORD.findall(name):
        rest = word
        while cell_len(rest.rstrip()) > width:
            cut = max(n for n in range(1, len(rest) + 1) if cell_len(rest[:n]) <= width or n == 1)
            yield rest[:cut]
            rest = rest[cut:]
        yield rest


@dataclass(frozen=True)
class Name:
    """A name in a column of rich whose `overflow` is fold.

    Attributes:
        text: it; blanks at its beginning indent all of its lines.
    """

    text: str

    @property
    def indent(self) -> int:
        """Blanks at its beginning."""
        return len(self.text) - len(self.text.lstrip(" "))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Between its longest piece and all of it."""
        least = self.indent + longest_piece(self.text)
        return Measurement(least, max(least, cell_len(self.text))).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Its lines."""
        blanks = " " * self.indent
        lines = broken(self.text.strip(), max(1, options.max_width - self.indent))
        yield Text("\n".join(blanks + line for line in lines), no_wrap=True)
