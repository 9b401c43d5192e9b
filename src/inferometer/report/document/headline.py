"""The first screen of a report: an answer, three figures, the hypotheses, and what to do next."""

from __future__ import annotations

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
from inferometer.core.workload import size_label
from inferometer.report.document.answer import answer
from inferometer.report.document.marks import spread_of, verdict_meaning
from inferometer.report.document.material import Material
from inferometer.report.document.sources import RunRecords, all_records
from inferometer.report.document.step import Step, next_step
from inferometer.report.document.wording import evidence, joined, plural, target_of
from inferometer.report.plots.choice import size_title

FIT_FOR = {
    "absolute": "absolute claims and comparisons",
    "ranking": "comparisons within this run only",
    "none": "nothing",
}
"""What latencies may be used for."""
MOST_VALUES = 3
"""Values of an axis that are listed; of more, the first and the last are told."""
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
        outcome: supported, refuted, mixed or undecided.
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
        chips: the hypotheses that the data can say something of.
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
    chips = tuple(_chip(one) for one in findings.hypotheses if one.outcome != "untestable")
    return Headline(
        answer=answer(grid),
        scope=_scope(grid, records),
        facts=(_precision(runs), _disturbance(records, findings), _missing(grid, runs)),
        chips=chips[:MOST_CHIPS],
        step=next_step(grid, runs, findings),
    )


def _scope(grid: Grid, records: Sequence[Record]) -> str:
    shape = facts.common_shape(grid)
    where = ""
    if shape is not None:
        where = f"At {size_title(shape.input_size)} and batch size {shape.batch_size}. "
    sizes = [size_label(one) for one in grid.sizes]
    batches = sorted({one.batch_size for one in grid.shapes})
    tried = "Measured" if any(record.status == "ok" for record in records) else "Tried"
    return (
        f"{where}{tried}: {plural(len(grid.columns), 'variant')}, {_span('input size', sizes)}, "
        f"{_span('batch size', batches)}."
    )


def _span(name: str, values: Sequence[object]) -> str:
    """The values of an axis in a few words; at least one, in order."""
    if len(values) <= MOST_VALUES:
        return f"{name}{'s' * (len(values) > 1)} {joined([str(one) for one in values])}"
    return f"{name}s {values[0]} to {values[-1]}"


def _chip(one: Tested) -> Chip:
    short, _ = evidence(one)
    return Chip(outcome=one.outcome, text=one.text, evidence=short)


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
    level, several = units.percent(confidence), len(widths) > 1
    note = f"median of the {level} intervals" if several else f"the {level} interval"
    note += " for comparisons within the run" * joint
    if len(widths) < len(found):
        note += f", which {len(widths)} of {len(found)} latencies {'have' if several else 'has'}"
    least, most = units.half_width(min(widths)), units.half_width(max(widths))
    if least != most:
        note += f"; ± {least} to ± {most}"
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
    told = f"{missed} of {number} missed the target of ± {units.percent(target)}"
    met = f"{'all ' * (number > 1)}within the target of ± {units.percent(target)}"
    return f"; {told if missed else met}", not missed


def _disturbance(records: Sequence[Record], findings: Findings) -> Fact:
    """How many figures are not trusted, and what they may be used for all the same."""
    number = len(findings.anomalies)
    odd = [f"{plural(number, 'anomaly', 'anomalies')} (see Anomalies)"] * bool(number)
    judged = [str(r.figures.get("verdict")) for r in records if r.status == "ok" and r.latency]
    counts = Counter(judged)
    unknown = counts.pop("unknown", 0) + counts.pop("None", 0)
    del counts["trusted"]
    disturbed = sum(counts.values())
    kinds = [
        f"{count} {verdict} ({verdict_meaning(verdict)})" for verdict, count in counts.most_common()
    ]
    if unknown:
        kinds.append(f"{unknown} not known")
    if not judged or unknown == len(judged):
        why = "the conditions were not recorded" if judged else "nothing was measured"
        told = [why, *odd]
        note = " ".join(f"{one}." for one in told)
        return Fact(name="Disturbed", value="not known", note=note, is_good=False)
    fine = "all latencies are trusted" if len(judged) > 1 else "the latency is trusted"
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
    fit = [f"{found[use]} for {what}" for use, what in FIT_FOR.items() if found[use]]
    if len(fit) == 1:
        number = "All" if total > 1 else "It"
        return [f"{number} can be used {fit[0].partition(' ')[2]}"]
    first = fit[0].replace(" for", " can be used for", 1)
    return [f"Of {total}, {joined([first, *fit[1:]])}"]


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
    ]
    gone = cut + failed + left
    told = told or ["every workload has a latency"]
    if not energy:
        told.append("no energy figures (see Energy)")
    planned = len(records) + left
    return Fact(
        name="Missing",
        value=f"{gone} of {planned}",
        note=f"{'; '.join(told)}.",
        is_good=not gone,
    )
