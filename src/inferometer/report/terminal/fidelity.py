"""Fidelity of variants in a terminal: a table, why it is unknown, and operators that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from rich.console import Console
from rich.text import Text

from inferometer.core import units
from inferometer.core.fidelity import OperatorError, Recovery
from inferometer.report.document import fidelity, marks
from inferometer.report.document.wording import plural
from inferometer.report.terminal.names import Name
from inferometer.report.terminal.output import Output, bare_table, print_list, print_table, say
from inferometer.runner.comparing import variant_label
from inferometer.runner.fidelity import Compared

MOST_OPERATORS = 10
HALF = 0.5
"""Of the error: the first step that gives it back is told in words."""
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
            texts = [marks.plain(cell) for cell in row]
            table.add_row(Name(texts[0]), *map(Text, texts[1:]))
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
    heads: tuple[str, ...] = ("operator", "kind", "own error", "gathered")
    rows = [
        (operator.name, _kind(operator), *map(_error, _errors(operator)))
        for operator in one.operators[:MOST_OPERATORS]
    ]
    _print_rows(console, heads, rows, left=2)
    if len(one.operators) > MOST_OPERATORS:
        say(console, f"and {len(one.operators) - MOST_OPERATORS:,} more (--json has all)")
    if one.recover:
        console.print()
        say(console, f"{_recovered(one.recover)}:")
        heads = ("left in fp32", "error", "recovered", "time of a call", "95 % interval")
        _print_rows(console, heads, [_step(step) for step in one.recover], left=0)


def _print_rows(
    console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int
) -> None:
    table = bare_table()
    for at, head in enumerate(heads):
        is_text = at < left
        justify: Literal["left", "right"] = "left" if is_text else "right"
        table.add_column(Text(head), justify=justify, overflow="fold", no_wrap=not is_text)
    for row in rows:
        texts = [marks.plain(cell) for cell in row]
        table.add_row(*map(Name, texts[:left]), *map(Text, texts[left:]))
    print_table(console, table)


def _kind(operator: OperatorError) -> str:
    return operator.kind if operator.change is None else f"{operator.kind} ({operator.change})"


def _errors(operator: OperatorError) -> tuple[float | None, float | None]:
    return operator.relative_error, operator.accumulated_error


def _error(value: float | None) -> str:
    if value is None:
        return units.ABSENT
    return f"{value:.2g}" if math.isfinite(value) else "no number"


def _recovered(steps: Sequence[Recovery]) -> str:
    """The first step that gives half of the error back, else the best one, in a sentence."""
    best = max(steps, key=lambda one: one.recovered)
    if best.recovered <= 0:
        return "Leaving operators in fp32 gives nothing back"
    step = next((one for one in steps if one.recovered >= HALF), best)
    return (
        f"Leaving {plural(len(step.operators), 'operator')} in fp32 recovers "
        f"{step.recovered:.0%} of the error and {_cost(step)}"
    )


def _cost(step: Recovery) -> str:
    low, high = step.ratio_low, step.ratio_high
    if low is None or high is None or low <= 1 <= high:
        return "costs no time that shows here"
    change = step.latency_ratio - 1
    return f"{'costs' if change > 0 else 'saves'} {abs(change):.0%} of the time"


def _step(one: Recovery) -> tuple[str, ...]:
    low, high = one.ratio_low, one.ratio_high
    return (
        f"{len(one.operators)}",
        _error(one.relative_error),
        f"{one.recovered:.0%}",
        f"{one.latency_ratio:.3f} times",
        units.ABSENT if low is None or high is None else f"[{low:.3f}, {high:.3f}]",
    )
