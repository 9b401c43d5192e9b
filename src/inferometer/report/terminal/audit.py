"""Prints what differs between the sides of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from inferometer.analysis.audit import Audit
from inferometer.report.terminal.output import Output, say


def print_audits(audits: Sequence[Audit], console: Console | None = None) -> None:
    """Print each model's sides and findings.

    Args:
        audits: of the models of a run.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    if not audits:
        say(console, "No model of this run has two variants: there is nothing to compare.")
    for number, one in enumerate(audits):
        if number:
            console.print()
        say(console, f"{one.model}: {', '.join(one.sides)}", style="bold")
        if not one.findings:
            say(console, "The sides differ in nothing that was looked at.", indent=2)
        for found in one.findings:
            say(console, f"{found.what}: {found.why}.", indent=2)
            for name, value in found.sides.items():
                say(console, f"{name}: {value}", indent=4)
