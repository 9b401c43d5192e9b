"""Prints what a search for the best candidate found."""

from __future__ import annotations

from rich.console import Console

from inferometer.core import units
from inferometer.report.document.tuning import (
    candidate_name,
    confirmed_lines,
    headline,
    left_lines,
    ratio_text,
    reason_lines,
)
from inferometer.report.document.wording import plural
from inferometer.report.terminal.names import Name
from inferometer.report.terminal.output import Output, bare_table, print_table, say
from inferometer.runner.tuning.candidates import command_of
from inferometer.runner.tuning.found import Tuned, TuneRequest

MOST = 12
"""Candidates in the table."""


def print_tuned(request: TuneRequest, found: Tuned, console: Console | None = None) -> None:
    """Print the winner, what confirms it, the candidates, and the command that measures it.

    Args:
        request: what was searched for.
        found: what was found.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    say(console, headline(request, found), style="bold")
    for line in confirmed_lines(found):
        say(console, line)
    console.print()
    _print_candidates(console, found)
    many = plural(len(found.outcomes), "candidate")
    told = "; ".join(left_lines(found))
    say(console, f"{many} in {units.duration(found.seconds)}{': ' * bool(told)}{told}.")
    if found.winner is not None:
        say(console, f"To measure it with care: {command_of(found.winner.workload)}")


def _print_candidates(console: Console, found: Tuned) -> None:
    table = bare_table()
    table.add_column("candidate", overflow="fold")
    for head in ("per call", "cost over winner's", "peak", "outcome"):
        table.add_column(head, no_wrap=True)
    for one in found.outcomes[:MOST]:
        table.add_row(
            Name(candidate_name(one.workload)),
            units.seconds(one.call_s),
            ratio_text(one.contrast),
            units.byte_count(one.peak_bytes),
            one.state.replace("_", " "),
        )
    print_table(console, table)
    if len(found.outcomes) > MOST:
        say(console, f"{len(found.outcomes) - MOST} more: --json -")
    for line in reason_lines(found.outcomes[:MOST]):
        say(console, line)
