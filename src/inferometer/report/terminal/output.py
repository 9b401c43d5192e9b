"""Prints lines, sentences and tables to a terminal, or as plain text where the output is none."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.containers import Lines
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from inferometer.core.shown import visible
from inferometer.report.document import marks

_ASCII = str.maketrans(
    {
        "\N{PLUS-MINUS SIGN}": "+-",
        "\N{EN DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
        "\N{MICRO SIGN}": "u",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{MIDDLE DOT}": "-",
    }
)


_IN_FIGURE = re.compile(
    r"(?<=\d) (?=± )|(?<=±) (?=\d)|(?<=\d) (?=%|([nµm]?s|min|h|[kMGT]i?B|[mk]?[JW]|[kMGT])\b)"
)
"""Blanks at which no line ends: 9.8 ± 0.9 ms, 5 %."""
_GLUE = "\ue000"
"""A character of no meaning, as wide as a blank, which stands for one while lines are broken."""


class Output(Console):
    """A console on standard output; nothing in what it prints acts on the terminal but its styles.

    A reader that goes away early is left to the command line.

    Args:
        options: those of rich; by default nothing in text is taken for a number to be coloured.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of rich
        stream = sys.stderr if options.get("stderr") else sys.stdout
        # Rich would look for it too, but behind the display that it puts in the stream's place.
        obeyed = getattr(stream, "rich_proxied_file", None)
        super().__init__(**{"highlight": False, "file": obeyed, **options})

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Render, with the characters that would act on the terminal as escapes."""
        for part in super().render(renderable, options):
            yield part if part.control else part._replace(text=visible(part.text, keep="\n"))

    def on_broken_pipe(self) -> None:
        """Pass the error on; rich would exit here."""
        raise BrokenPipeError


def bare_table(*, gap: int = 2, headed: bool = True) -> Table:
    """A table without lines, its columns so many blanks apart."""
    return Table(
        box=None,
        pad_edge=False,
        padding=(0, gap, 0, 0),
        show_header=headed,
        header_style="bold",
    )


def print_table(console: Console, table: Table) -> None:
    """Print a table, no line with blanks at its end."""
    lines = []
    for line in console.render_lines(table, pad=False):
        text = Text.assemble(*((part.text, part.style or "") for part in line))
        text.rstrip()
        lines.append(text)
    if lines:
        print_line(console, Text("\n").join(lines))  # at once: a thousand lines take long by one


def print_list(console: Console, title: str, lines: Sequence[str]) -> None:
    """Print a title and sentences under it; nothing where there are none."""
    if not lines:
        return
    console.print()
    say(console, title)
    said = [line for one in lines for line in _sentence(console, one, indent=2)]
    print_line(console, Text("\n").join(said))


def print_rows(console: Console, title: str, rows: Sequence[str]) -> None:
    """Print rows whose columns stand as they are; nothing where there are none."""
    if not rows:
        return
    console.print()
    say(console, title)
    for row in rows:
        print_line(console, Text(row))


def say(console: Console, sentence: str, *, style: str = "", indent: int = 0) -> None:
    """Print a sentence, broken at the width of the console, further lines indented."""
    for line in _sentence(console, sentence, style=style, indent=indent):
        print_line(console, line)


def _sentence(console: Console, sentence: str, *, style: str = "", indent: int) -> Iterator[Text]:
    """The lines of a sentence."""
    text = Text(marks.plain(sentence), style=style)
    lines = wrapped(console, text, console.width - indent - 2)
    for number, line in enumerate(lines):
        line.rstrip()
        yield Text(" " * (indent + 2 * (number > 0))) + line


def wrapped(console: Console, text: Text, width: int) -> Lines:
    """A text in lines of this width, broken between words, and not within a figure."""
    text.plain = _IN_FIGURE.sub(_GLUE, text.plain)
    lines = text.wrap(console, max(20, width))
    for line in lines:
        line.plain = line.plain.replace(_GLUE, " ")
    return lines


def print_line(console: Console, line: Text) -> None:
    """Print lines as they are; without the signs that the output's encoding does not have."""
    if not console.encoding.startswith("utf"):
        line.plain = line.plain.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    console.print(line, soft_wrap=True)
