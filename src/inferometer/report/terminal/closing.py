"""The closing lines of a run: answer, three figures, hypotheses, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from inferometer.report.document import marks
from inferometer.report.document.headline import Headline, headline
from inferometer.report.document.material import gather
from inferometer.report.document.sources import RunRecords
from inferometer.report.terminal.output import Output, print_line, say, wrapped

GAP = 2
STYLES = {"supported": "green", "refuted": "red"}


def print_closing(
    runs: Sequence[RunRecords], in_store: str, console: Console | None = None
) -> None:
    """Print the first screen of a report on the runs; nothing where they have no records.

    Args:
        runs: with their records.
        in_store: what commands to copy say of the store; empty where that is the usual one.
        console: where to print; standard output by default.
    """
    if all(one.records for one in runs):
        print_headline(headline(gather(runs)), in_store, console or Output(highlight=False))


def print_headline(found: Headline, in_store: str, console: Console) -> None:
    """Print a first screen in the order of the page, without what the run says nothing of."""
    console.print()
    say(console, found.answer, style="bold")
    console.print()
    names = max(len(one.name) for one in found.facts)
    values = max(len(one.value) for one in found.facts)
    for one in found.facts:
        note = one.note.replace("(see Anomalies)", "(inferometer analyze)")
        _hanging(console, f"{one.name:<{names}}  {one.value:<{values}}", note)
    if found.chips:
        console.print()
        outcomes = max(len(chip.outcome) for chip in found.chips)
        for chip in found.chips:
            what = f"{chip.text}: {chip.evidence}" if chip.evidence else chip.text
            _hanging(console, f"{chip.outcome:<{outcomes}}", what, STYLES.get(chip.outcome, ""))
    console.print()
    say(console, f"{found.step.why}:")
    print_line(console, Text(f"  {marks.plain(found.step.command)}{in_store}"))


def _hanging(console: Console, head: str, sentence: str, style: str = "") -> None:
    """Print a sentence beside its head, further lines below its beginning."""
    indent = len(head) + GAP
    lines = wrapped(console, Text(marks.plain(sentence)), console.width - indent)
    for number, line in enumerate(lines):
        line.rstrip()
        start = Text(head + " " * GAP, style=style) if not number else Text(" " * indent)
        print_line(console, start + line)
