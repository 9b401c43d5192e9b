"""Prints what a search for the best candidate found."""

from __future__ import annotations

from rich.console import Console

from inferometer.core import units
from inferometer.report.document.tuning import (
    LEFT,
    candidate_name,
    confirmed_lines,
    headline,
    left_lines,
    ratio_text,
)
from inferometer.report.terminal.names import Name
from inferometer.report.terminal.output import Output, bare_table, print_table, say
from inferometer.runner.tuning.candidates import command_of
from inferometer.runner.tuning.found import Outcome, Tuned, TuneRequest

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
    many = len(found.outcomes)
    told = "; ".join(left_lines(found))
    say(console, f"{many} candidates in {units.duration(found.seconds)}{': ' * bool(told)}{told}.")
    if found.winner is not None:
        say(console, f"To measure it with care: {command_of(found.winner.workload)}")


def _print_candidates(console: Console, found: Tuned) -> None:
    table = bare_table()
    table.add_column("candidate", overflow="fold")
    for head in ("per call", "cost over winner's", "peak"):
        table.add_column(head, no_wrap=True)
    table.add_column("outcome", overflow="fold")  # a sentence, which would leave names no room
    for one in found.outcomes[:MOST]:
        table.add_row(
            Name(candidate_name(one.workload)),
            units.seconds(one.call_s),
            ratio_text(one.contrast),
            units.byte_count(one.peak_bytes),
            _outcome(one),
        )
    print_table(console, table)
    if len(found.outcomes) > MOST:
        say(console, f"{len(found.outcomes) - MOST} more: --json -")


def _outcome(one: Outcome) -> str:
    if one.state in ("winner", "tied"):
        return one.state
    return one.why or LEFT[one.state]
