"""Prints how workloads went over time."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from inferometer.analysis.history.course import History
from inferometer.report.document.history import (
    BLOCKS,
    HEADS,
    PLAIN_BLOCKS,
    cells,
    explanation,
    told,
)
from inferometer.report.terminal.names import Name
from inferometer.report.terminal.output import Output, bare_table, print_list, print_table, say


def print_histories(found: Sequence[History], console: Console | None = None) -> None:
    """Print a row for each workload with its course, then its changes in sentences.

    Args:
        found: at least one.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    blocks = BLOCKS if console.encoding.startswith("utf") else PLAIN_BLOCKS
    table = bare_table(gap=1)
    for number, head in enumerate(HEADS):
        table.add_column(
            head, justify="right" if number == 1 else "left", no_wrap=number > 0, overflow="fold"
        )
    for one in found:
        name, *figures = cells(one, blocks=blocks)
        table.add_row(Name(name), *figures)
    print_table(console, table)
    for one in found:
        print_list(console, cells(one)[0], told(one))
    console.print()
    for line in explanation(found):
        say(console, line)
