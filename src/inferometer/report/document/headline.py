"""The first screen of a report: an answer, three figures, the hypotheses, and what to do next."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from inferometer.analysis import facts
from inferometer.analysis.findings import Findings, Tested
from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.report.document.marks import spread_of, verdict_meaning
from inferometer.report.document.material import Material
from inferometer.report.document.sources import RunRecords, all_records
from inferometer.report.document.step import Step, next_step
from inferometer.report.document.wording import USES, joined, plural, target_of
from inferometer.report.plots.choice import size_title

MOST_NAMED = 3
"""Variants that cannot be told apart and are named."""
MOST_CHIPS = 8
"""Hypotheses on the first screen; all are in their section."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A figure of the first screen.

    Attributes:
        name: what it tells.
        value: short enough to be read at a glance.
        note: what it is made of.
        is_good: whether there is nothing to worry about.
    """

    name: str
    value: str
    note: str
    is_good: bool


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A hypothesis with its answer.

    Attributes:
        outcome: supported, refuted, mixed, undecided or untestable.
        text: the hypothesis.
        evidence: the strongest, in one line.
    """

    outcome: str
    text: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The first screen.

    Attributes:
        answer: which variant is the fastest, and by how much.
        scope: what was measured, and where.
        facts: how precise, how disturbed, what is missing.
        chips: the hypotheses.
        step: what to do next.
    """

    answer: str
    scope: str
    facts: tuple[Fact, Fact, Fact]
    chips: tuple[Chip, ...]
    step: Step


def headline(material: Material) -> Headline:
    """The first screen of a report."""
    grid, runs, records = material.grid, material.runs, material.records
    findings = material.findings or Findings()
    chips = tuple(_chip(one) for one in findings.hypotheses)
    return Headline(
        answer=answer(grid),
        scope=_scope(grid, records),
        facts=(_precision(runs), _disturbance(records, findings), _missing(grid, runs)),
        chips=chips[:MOST_CHIPS],
        step=next_step(grid, runs, findings),
    )


def _scope(grid: Grid, records: Sequence[Record]) -> str:
    devices = joined(list(dict.fromkeys(str(one["device_name"]) for one in records)))
    ok = sum(record.status == "ok" for record in records)
    shape, shapes = facts.common_shape(grid), grid.shapes
    where = ""
    if shape is not None:
        where = f"At {size_title(shape.input_size)} and batch size {shape.batch_size}. "
    at = f" to {shapes[-1].label}" if len(shapes) > 1 else ""
    return (
        f"{where}Measured: {plural(len(grid.columns), 'variant')} at "
        f"{plural(len(shapes), 'shape')} (input size/batch size {shapes[0].label}{at}) on "
        f"{devices}; {ok} of {plural(len(records), 'workload')} {'has' if ok == 1 else 'have'} a "
        "latency."
    )


def answer(grid: Grid) -> str:
    """Which variant is the fastest at the shape that most have, and by how much."""
    shape = facts.common_shape(grid)
    if shape is None:
        return "No latency was measured."
    ranked, first = facts.ranking(grid, shape), facts.fastest(grid, shape)
    best = ranked[0]
    if len(ranked) == 1:
        return f"{best.column.label} takes {_latency(best)} a call."
    if len(first) > 1:
        names = [f"{one.column.label} ({_latency(one)})" for one in first[:MOST_NAMED]]
        if len(first) > MOST_NAMED:
            names.append(f"{len(first) - MOST_NAMED} more")
        return f"No single fastest: {joined(names)} cannot be told apart{_why(first)}."
    name = best.column.label
    differs = grid.cells[shape, best.column].figures.get("fidelity_verdict") == "different"
    return (
        f"{name} is fastest: {_latency(best)} a call, {_ahead(best, ranked[1])}."
        + " Its outputs differ from the reference's (see Fidelity)." * differs
    )


def _why(found: Sequence[facts.Ranked]) -> str:
    """Why the fastest cannot be told apart, where that is not the width of their intervals."""
    without = sum(one.latency.low is None or one.latency.high is None for one in found)
    joint = all(facts.ratio_error(found[0].latency, one.latency) is not None for one in found)
    if joint or not without:
        return ""
    return f", as {without} of them {'has' if without == 1 else 'have'} no interval"


def _ahead(best: facts.Ranked, second: facts.Ranked) -> str:
    """By how much the fastest is ahead, with an interval where the joint fit gives one."""
    ratio = second.latency.value / best.latency.value
    other = second.column.label
    error = facts.ratio_error(best.latency, second.latency)
    if error is None:
        return f"{units.number(ratio)} times as fast as {other}"
    low, high = (units.number(ratio * math.exp(way * error)) for way in (-1, 1))
    return f"{units.number(ratio)} times as fast as {other} ({low} to {high})"


def _latency(one: facts.Ranked) -> str:
    """As the table shows it: with the interval for comparisons, where it has one."""
    compared = one.latency.compared()
    return units.latency(one.latency if compared.low is None else compared)


def _chip(one: Tested) -> Chip:
    _, _, evidence = one.sentence.partition(": ")
    short, _, _ = (evidence or one.sentence).partition(". ")
    return Chip(outcome=one.outcome, text=one.text, evidence=short.rstrip("."))


def _precision(runs: Sequence[RunRecords]) -> Fact:
    """How wide the intervals are: those for comparisons, where there are such."""
    found: list[Estimate] = []
    joint = False
    for one in runs:
        known = [r.latency for r in one.records if r.status == "ok" and r.latency is not None]
        relative = spread_of(one.records) == "relative"
        joint |= relative
        found += [e.compared() for e in known] if relative else known
    widths = [w for e in found if (w := e.relative_half_width) is not None]
    if not widths:
        return Fact(name="Precision", value="not known", note=_no_widths(found), is_good=False)
    confidence = min(e.confidence for e in found if e.relative_half_width is not None)
    note = (
        f"how far the {units.percent(confidence)} intervals reach to each side"
        f"{' when workloads of the run are compared' * joint}: the median; "
        f"{units.half_width(min(widths))} to {units.half_width(max(widths))}"
    )
    if len(widths) < len(found):
        note += f", for the {len(widths)} of {len(found)} latencies that have one"
    aim, good = _target(runs, len(found))
    return Fact(
        name="Precision",
        value=f"± {units.half_width(median(widths))}",
        note=f"{note}{aim}.",
        is_good=good,
    )


def _no_widths(found: Sequence[Estimate]) -> str:
    return "the latencies have no intervals." if found else "nothing was measured."


def _target(runs: Sequence[RunRecords], number: int) -> tuple[str, bool]:
    """How many figures missed the target, where all runs had the same; whether none did."""
    targets = {target_of(one.run) for one in runs}
    target = targets.pop() if len(targets) == 1 else None
    if target is None:
        return "", True
    missed = sum(
        one.status == "ok" and one.figures.get("latency_target_met") is False
        for run in runs
        for one in run.records
    )
    told = f"{missed} of {number} missed the target of {units.percent(target)}"
    met = f"all within the target of {units.percent(target)}"
    return f"; {told if missed else met}", not missed


def _disturbance(records: Sequence[Record], findings: Findings) -> Fact:
    """How many figures are not trusted, and what they may be used for all the same."""
    number = len(findings.anomalies)
    odd = [f"{plural(number, 'anomaly', 'anomalies')} (see Anomalies)"] * bool(number)
    judged = [str(r.figures.get("verdict")) for r in records if r.status == "ok" and r.latency]
    counts = Counter(judged)
    trusted, unknown = counts.pop("trusted", 0), counts.pop("unknown", 0) + counts.pop("None", 0)
    disturbed = sum(counts.values())
    kinds = [
        f"{count} {verdict} ({verdict_meaning(verdict)})" for verdict, count in counts.most_common()
    ]
    if unknown:
        kinds.append(f"{unknown} not known")
    if not judged or unknown == len(judged):
        told = ["Whether anything disturbed the measurement is not known", *odd]
        note = " ".join(f"{one}." for one in told)
        return Fact(name="Disturbed", value="not known", note=note, is_good=False)
    fine = f"{trusted} of {len(judged)} latencies are trusted"
    told = [joined(kinds) if disturbed else fine, *_uses(records), *_common(records), *odd]
    return Fact(
        name="Disturbed",
        value=f"{disturbed} of {len(judged)}",
        note=" ".join(f"{one}." for one in told),
        is_good=not disturbed and not unknown and not odd,
    )


def _uses(records: Sequence[Record]) -> list[str]:
    """What the latencies may be used for, where that is not for everything."""
    found = Counter(
        str(use) for one in records if one.latency and (use := one.figures.get("usable_for"))
    )
    total = sum(found.values())
    if not total or found["absolute"] == total:
        return []
    uses = [f"{found[use]} {what}" for use, what in USES.items() if found[use]]
    return [f"All the same usable: {', '.join(uses)}"]


def _common(records: Sequence[Record]) -> list[str]:
    """What is common to all latencies of a joint fit."""
    halves = [half for one in records if (half := one.number("latency_state_half_width"))]
    if not halves:
        return []
    return [f"All may be off by one common factor, up to ± {units.half_width(max(halves))}"]


def _missing(grid: Grid, runs: Sequence[RunRecords]) -> Fact:
    """Workloads without a latency, and figures that nobody could take."""
    groups = grid.failures()
    cut = sum(len(group.shapes) for group in groups if group.kind == "budget")
    other = [group for group in groups if group.kind != "budget"]
    failed = sum(len(group.shapes) for group in other)
    kinds = joined([kind.replace("_", " ") for kind in dict.fromkeys(g.kind for g in other)])
    left = sum(max(0, one.run.planned - len(one.records)) for one in runs)
    records = all_records(runs)
    energy = any(record.number("energy_per_inference_j") is not None for record in records)
    told = [
        *[f"{cut} cut by the time budget"] * bool(cut),
        *[f"{failed} failed or could not be tried ({kinds})"] * bool(failed),
        *[f"{left} not reached"] * bool(left),
        *["no energy figures (see Energy)"] * (not energy),
    ]
    gone = cut + failed + left
    planned = len(records) + left
    return Fact(
        name="Missing",
        value=f"{gone} of {planned}",
        note=f"{'; '.join(told)}." if told else "every workload has a latency.",
        is_good=not gone,
    )
