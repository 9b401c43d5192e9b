"""Findings in words: lines for the terminal, the page and the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inferometer.analysis.findings import Anomaly, Effect, Findings, Scaling, Tested
from inferometer.core import units
from inferometer.report.document.wording import plural
from inferometer.report.terminal.output import Output, print_list, say

MOST_SHOWN = 12
"""Fits that a terminal shows; all are in the JSON."""
TWO = 2


def tested_lines(one: Tested) -> list[str]:
    """What is said of a hypothesis below its answer; what limits all figures is told elsewhere."""
    lines = [f"{effect_text(effect)}." for effect in one.effects]
    if one.pairs:
        lines.append(
            f"{plural(one.pairs, 'comparison')} in {plural(one.strata, 'group')} that agree in all "
            f"else: {one.supporting} for it, {one.against} against it, {one.undecided} undecided."
        )
    lines += [f"Against it: {text}." for text in one.counterexamples[1:]]
    if one.explanation:
        lines.append(f"Why: {one.explanation}")
    return lines


def effect_text(effect: Effect) -> str:
    """`scaling exponent 0.96 [0.91, 1.01] (how it was made)`."""
    text = f"{effect.name} {units.number(effect.value)}"
    if effect.low is not None and effect.high is not None:
        text += f" [{units.number(effect.low)}, {units.number(effect.high)}]"
    return f"{text} ({effect.method})"


def anomaly_lines(one: Anomaly, in_store: str = "") -> list[str]:
    """Likely causes, and what to run; `in_store` is what that says of the store."""
    lines = [f"Likely: {'; or '.join(one.causes)}."] if one.causes else []
    return lines + ([f"Measure again: {one.rerun}{in_store}"] if one.rerun else [])


def scaling_lines(found: Sequence[Scaling]) -> list[str]:
    """Fits along three or more input sizes, for a report: others are in its tables of steps."""
    return [one.sentence for one in found if one.axis != "batch_size" and one.points > TWO]


def told(findings: Findings) -> dict[str, list[Any]]:
    """Variables of a template: hypotheses and anomalies with the lines below them, and scaling."""
    return {
        "hypotheses": [
            {"text": one.text, "sentence": one.sentence, "lines": tested_lines(one)}
            for one in findings.hypotheses
        ],
        "anomalies": [
            {"sentence": one.sentence, "lines": anomaly_lines(one)} for one in findings.anomalies
        ],
        "scaling": scaling_lines(findings.scaling),
    }


def print_findings(findings: Findings, in_store: str = "") -> None:
    """Print findings to standard output; `in_store` is what commands to copy say of the store."""
    console = Output(highlight=False)
    say(console, "Hypotheses")
    for one in findings.hypotheses:
        console.print()
        say(console, one.text, style="bold", indent=2)
        say(console, one.sentence, indent=2)
        for line in [*tested_lines(one), *one.limits]:
            say(console, line, indent=4)
    console.print()
    say(console, "Anomalies" if findings.anomalies else "Anomalies: none found.")
    for number, odd in enumerate(findings.anomalies, 1):
        say(console, f"{number}. {odd.sentence}", indent=2)
        for line in anomaly_lines(odd, in_store):
            say(console, line, indent=5)
    shown = [one.sentence for one in findings.scaling]
    print_list(console, "Scaling", shown[:MOST_SHOWN])
    if len(shown) > MOST_SHOWN:
        say(console, f"and {len(shown) - MOST_SHOWN} more fits: --json shows all.", indent=2)
