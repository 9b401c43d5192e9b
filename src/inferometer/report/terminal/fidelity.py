"""Fidelity of variants in a terminal: a table, why it is unknown, and operators that differ."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from inferometer.report.document import fidelity, marks
from inferometer.report.document.wording import plural
from inferometer.report.terminal.output import Output, bare_table, print_list, print_table, say
from inferometer.runner.comparing import variant_label
from inferometer.runner.fidelity import Compared

MOST_OPERATORS = 10
HEADS = ("variant", "verdict", "error", "cosine", "SNR", "top-1 agreement")


def print_fidelity(found: Sequence[Compared], console: Console | None = None) -> None:
    """Print what was compared.

    Args:
        found: variants, each against the reference.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    workload = found[0].workload
    done = [one for one in found if one.fidelity.fidelity_reference]
    say(console, f"{workload.variant.model} {workload.shape.label}", style="bold")
    if done:
        figures = done[0].fidelity
        samples = plural(figures.fidelity_samples or 0, "sample")
        say(console, f"Against {figures.fidelity_reference}, over {samples}; errors are relative:")
        table = bare_table()
        for head in HEADS:
            is_text = head in HEADS[:2]
            table.add_column(Text(head), justify="left" if is_text else "right", overflow="fold")
        for one in done:
            row = [variant_label(one.workload.variant), *fidelity.cells(one.fidelity.figures())]
            table.add_row(*(Text(marks.plain(cell)) for cell in row))
        print_table(console, table)
    print_list(console, "Why:", _reasons(found))
    for one in found:
        _print_operators(one, console)


def _reasons(found: Sequence[Compared]) -> list[str]:
    return [
        f"{variant_label(one.workload.variant)}: {one.fidelity.fidelity_reason}"
        for one in found
        if one.fidelity.fidelity_reason is not None
    ]


def _print_operators(one: Compared, console: Console) -> None:
    if not one.operators:
        return
    console.print()
    say(console, "Operators that differ, the likeliest origin first:")
    table = bare_table()
    for head in ("operator", "kind"):
        table.add_column(Text(head), overflow="fold")
    table.add_column(Text("relative error"), justify="right", no_wrap=True)
    for operator in one.operators[:MOST_OPERATORS]:
        error = f"{operator.relative_error:.2g}"
        table.add_row(*(Text(marks.plain(cell)) for cell in (operator.name, operator.kind, error)))
    print_table(console, table)
    if len(one.operators) > MOST_OPERATORS:
        say(console, f"and {len(one.operators) - MOST_OPERATORS:,} more (--json has all)")
