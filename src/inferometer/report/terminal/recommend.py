"""Prints a recommendation: the choice, the front, and what would decide it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from inferometer.analysis.recommend.further import further
from inferometer.analysis.recommend.recommendation import Recommendation
from inferometer.report.document import marks
from inferometer.report.document import recommendation as words
from inferometer.report.terminal.names import Name
from inferometer.report.terminal.output import (
    Output,
    bare_table,
    print_line,
    print_list,
    print_table,
    say,
)

_GAP = 2
_NAME = 26
"""Characters of a workload's name before it is broken."""
_MOST = 12
"""Lines of a list."""


def print_recommendation(found: Recommendation, console: Console | None = None) -> None:
    """Print what to take and why, the front, what was dominated, and what to measure further.

    Args:
        found: the recommendation.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    first, *others = words.choice_lines(found)
    say(console, first, style="bold")
    for line in others:
        say(console, line)
    if found.choice is not None:
        label = found.choice.placed.point.label
        _print_some(console, f"Tied: may be better than {label}:", words.tied_lines(found))
    if found.placed:
        console.print()
        more = " Others: --batch and --size." if found.weighed.left_out else ""
        say(console, words.scope_line(found.weighed) + more)
        _print_front(console, found)
    _print_some(console, "Dominated:", words.dominated_lines(found))
    _print_some(console, "Beyond a limit:", words.unmet_lines(found))
    _print_some(console, "Unknown:", words.unknown_lines(found))
    _print_next(console, found)


def _print_front(console: Console, found: Recommendation) -> None:
    """The front, in several tables where one would be too wide, and what must be known of it."""
    heads, rows = words.heads(found), words.cells(found)
    widths = [_width(head, [row[place] for row in rows]) for place, head in enumerate(heads)]
    widths[0] = min(_NAME, max(cell_len(row[0]) for row in rows))
    for part in _parts(widths, console.width):
        table = bare_table(gap=_GAP)
        for place in part:
            table.add_column(
                Text(marks.plain(heads[place])),
                justify="right" if place else "left",
                overflow="fold",
                width=widths[place],
            )
        for row in rows:
            table.add_row(*((Text if place else Name)(marks.plain(row[place])) for place in part))
        console.print()
        print_table(console, table)
    if notes := words.note_lines(found.weighed, limits=bool(found.limits)):
        console.print()
        for line in notes:
            say(console, line)


def _parts(widths: Sequence[int], width: int) -> list[list[int]]:
    """Columns of each table; the name of the workload is in all of them."""
    parts = [[0]]
    for place in range(1, len(widths)):
        used = sum(_GAP + widths[one] for one in (*parts[-1], place)) - _GAP
        if len(parts[-1]) > 1 and used > width:
            parts.append([0])
        parts[-1].append(place)
    return parts


def _width(head: str, cells: Sequence[str]) -> int:
    """Characters that the figures of a column need, and the words of its head."""
    return max(cell_len(text) for text in (*head.split(), *cells))


def _print_some(console: Console, title: str, lines: Sequence[str]) -> None:
    """A list, of a long one the beginning."""
    more = len(lines) - _MOST
    left = [f"and {more:,} more (--json has all)"] if more > 0 else []
    print_list(console, title, [*lines[:_MOST], *left])


def _print_next(console: Console, found: Recommendation) -> None:
    """What to measure further, each with its command."""
    steps = further(found)
    if not steps:
        return
    console.print()
    say(console, "Next:")
    for step in steps:
        say(console, words.further_line(step), indent=2)
        for line in _broken(step.command, console.width - 6) if step.command else []:
            print_line(console, Text(f"    {line}"))


def _broken(command: str, width: int) -> list[str]:
    """A command in lines that a shell takes for one."""
    lines = [""]
    for word in shlex.split(command):
        part = shlex.quote(word)
        if lines[-1] and len(lines[-1]) + len(part) + 3 > width:
            lines[-1] += " \\"
            lines.append("  " + part)
        else:
            lines[-1] += f" {part}" if lines[-1] else part
    return lines
