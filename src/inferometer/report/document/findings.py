"""Findings in words: lines for the terminal, the page and the report."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any

from inferometer.analysis.findings import Anomaly, Effect, Findings, Scaling, Tested
from inferometer.core import units
from inferometer.report.document.markup import Markdown, escape, verbatim
from inferometer.report.document.wording import evidence, plural, sentence
from inferometer.report.terminal.output import Output, print_list, say

MOST_SHOWN = 12
"""Fits that a terminal shows; all are in the JSON."""
MOST_ANOMALIES = 6
"""In the Markdown; the page has all."""
MOST_COUNTEREXAMPLES = 2
"""Of a hypothesis in the Markdown, beside the one in its answer."""
TWO = 2
_NUMBER = re.compile(r"\d+")


def hypothesis_lines(one: Tested, most: int | None = None) -> list[str]:
    """What is said of a hypothesis below its answer; what limits all figures is told elsewhere.

    Args:
        one: the hypothesis; its answer tells how many comparisons speak for it, and the first
            counterexample.
        most: further counterexamples; all by default.
    """
    lines = [f"{effect_text(effect)}." for effect in one.effects]
    others = one.counterexamples[1:]
    lines += [f"Against it: {text}." for text in others[:most]]
    if one.explanation:
        lines.append(f"Why: {one.explanation}")
    return lines


def effect_text(effect: Effect) -> str:
    """`Scaling exponent 0.96 [0.91, 1.01] (how it was made)`."""
    text = f"{effect.name.capitalize()} {_signed(effect.value)}"
    if effect.low is not None and effect.high is not None:
        text += f" [{_signed(effect.low)}, {_signed(effect.high)}]"
    return f"{text} ({effect.method})"


def _signed(value: float) -> str:
    return units.number(value).replace("-", "\N{MINUS SIGN}")


def limits(findings: Findings) -> list[str]:
    """What limits the answers to the hypotheses; those that differ in figures alone are one."""
    found: dict[str, str] = {}
    for line in (line for one in findings.hypotheses for line in one.limits):
        found.setdefault(_NUMBER.sub("#", line), line)
    return list(found.values())


def anomaly_lines(one: Anomaly, in_store: str = "") -> list[str]:
    """Likely causes, and what to run; `in_store` is what that says of the store."""
    lines = [f"Likely: {'; or '.join(one.causes)}."] if one.causes else []
    return lines + ([f"Measure again: {one.rerun}{in_store}"] if one.rerun else [])


def scaling_lines(found: Sequence[Scaling]) -> list[str]:
    """Fits along three or more input sizes, for a report: others are in its tables of steps."""
    return [one.sentence for one in found if one.axis != "batch_size" and one.points > TWO]


def told(findings: Findings, chips: Container[str]) -> dict[str, Any]:
    """Variables of the Markdown: hypotheses and anomalies with the lines below them, and scaling.

    Args:
        findings: what an analysis found.
        chips: hypotheses whose strongest evidence is told at the beginning, and not again.
    """
    left = len(findings.anomalies) - MOST_ANOMALIES
    alike: dict[tuple[str, ...], list[Anomaly]] = {}
    for one in findings.anomalies[:MOST_ANOMALIES]:
        alike.setdefault(one.causes, []).append(one)
    return {
        "hypotheses": [
            {
                "text": one.text,
                "outcome": one.outcome,
                "sentence": _answer(one, one.text in chips),
                "lines": hypothesis_lines(one, MOST_COUNTEREXAMPLES),
            }
            for one in findings.hypotheses
        ],
        "anomalies": [
            {"found": Markdown("\n".join(map(_odd, found))), "causes": "; or ".join(causes)}
            for causes, found in alike.items()
        ],
        "more_anomalies": plural(left, "more anomaly", "more anomalies") if left > 0 else "",
        "scaling": scaling_lines(findings.scaling),
    }


def _answer(one: Tested, told_already: bool) -> str:  # noqa: FBT001 - of the evidence
    short, rest = evidence(one)
    return rest if told_already else f"{sentence(short)} {rest}".rstrip()


def _odd(one: Anomaly) -> str:
    """An anomaly of a list, in Markdown, with the command that measures it again."""
    again = f" Measure again: {verbatim(one.rerun)}" * bool(one.rerun)
    return f"- {escape(one.sentence)}{again}"


def print_findings(findings: Findings, in_store: str = "") -> None:
    """Print findings to standard output; `in_store` is what commands to copy say of the store."""
    console = Output(highlight=False)
    say(console, "Hypotheses")
    for one in findings.hypotheses:
        console.print()
        say(console, one.text, style="bold", indent=2)
        say(console, one.sentence, indent=2)
        for line in hypothesis_lines(one):
            say(console, line, indent=4)
    print_list(console, "What limits these answers", limits(findings))
    console.print()
    say(console, "Anomalies" if findings.anomalies else "Anomalies: none found.")
    for number, odd in enumerate(findings.anomalies, 1):
        say(console, f"{number}. {odd.sentence}", indent=2)
        for line in anomaly_lines(odd, in_store):
            say(console, line, indent=5)
    print_list(console, "Where the time goes", [one.sentence for one in findings.operators])
    shown = [one.sentence for one in findings.scaling]
    print_list(console, "Scaling", shown[:MOST_SHOWN])
    if len(shown) > MOST_SHOWN:
        say(console, f"and {len(shown) - MOST_SHOWN} more fits: --json shows all.", indent=2)
