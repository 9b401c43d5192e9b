"""A report in a few sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from inferometer.analysis import facts
from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.workload import Shape
from inferometer.report.document.explanation import in_short
from inferometer.report.document.marks import spread_of, use_mark, verdict_meaning
from inferometer.report.document.material import Material
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.wording import common_part, joined, plural, target_of, uses
from inferometer.report.plots.choice import size_title

MOST_NAMED = 3
"""Variants that cannot be told apart whose verdicts are told."""
MOST_TESTED = 5
"""Hypotheses that are answered here; all are in their section."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The report in a few sentences, by the question that they answer.

    Attributes:
        scope: what was measured, and where.
        fastest: which variant is the fastest.
        sure: how far that can be trusted.
        wrong: what failed, is not trusted, odd, or missing.
        further: how the hypotheses fare, and what else is worth knowing at first sight.
    """

    scope: tuple[str, ...]
    fastest: tuple[str, ...]
    sure: tuple[str, ...]
    wrong: tuple[str, ...]
    further: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """All of them."""
        return [*self.scope, *self.fastest, *self.sure, *self.further, *self.wrong]


def summary(material: Material) -> Summary:
    """The report in a few sentences."""
    grid, runs, records = material.grid, material.runs, material.records
    findings = material.findings or Findings()
    return Summary(
        scope=(_scope(grid, runs, records),),
        fastest=tuple(_fastest(grid)),
        sure=(*_how_sure(grid), *_precision(runs), *_common(records)),
        wrong=(
            *_absent(grid, runs),
            *([] if _is_joint(records) else _untrusted(records)),
            *_odd(findings),
            *_energy_in_short(records),
        ),
        further=(*_tested(findings), *in_short(grid)),
    )


def _scope(grid: Grid, runs: Sequence[RunRecords], records: Sequence[Record]) -> str:
    devices = joined(list(dict.fromkeys(one.run.device_name for one in runs)))
    verb = "compared" if any(one.study is None for one in runs) else "measured"
    ok = sum(record.status == "ok" for record in records)
    variants = plural(len(grid.columns), "variant")
    return (
        f"{variants} {'was' if len(grid.columns) == 1 else 'were'} {verb} at "
        f"{plural(len(grid.shapes), 'shape')} (input size/batch size from {grid.shapes[0].label} "
        f"to {grid.shapes[-1].label}) on {devices}: {ok} of {plural(len(records), 'workload')} "
        f"{'has' if ok == 1 else 'have'} a latency."
    )


def _fastest(grid: Grid) -> list[str]:
    shape = facts.common_shape(grid)
    if shape is None:
        return ["No latency was measured."]
    ranked, first = facts.ranking(grid, shape), facts.fastest(grid, shape)
    where = f"At {size_title(shape.input_size)} and batch size {shape.batch_size}"
    if len(ranked) == 1:
        return [f"{where}, {_with_latency(ranked[0])} a call."]
    if len(first) > 1:
        names = joined([_with_latency(one) for one in first])
        return [f"{where}, the fastest cannot be told apart, {_why_alike(first)}: {names}."]
    best, worst = ranked[0], ranked[-1]
    times = units.ratio(worst.latency.value / best.latency.value)
    fast = f"{best.column.label} is the fastest with {units.latency(_shown(best))} a call"
    fast += _ahead(best, ranked[1])
    slow = f"{worst.column.label} the slowest with {units.latency(_shown(worst))}"
    return [f"{where}, {fast}, {slow} ({times})."]


def _why_alike(found: Sequence[facts.Ranked]) -> str:
    """Why the fastest cannot be told apart, by what is known of how sure they are."""
    best = found[0].latency
    if all(facts.ratio_error(best, one.latency) is not None for one in found):
        return "as the intervals of their ratios hold 1"
    known = sum(_has_interval(one) for one in found)
    if known == len(found):
        return "as their intervals overlap"
    few = f"{known} of them" if known else "none of them"
    return f"as {few} {'has' if known <= 1 else 'have'} an interval"


def _has_interval(one: facts.Ranked) -> bool:
    return one.latency.low is not None and one.latency.high is not None


def _ahead(best: facts.Ranked, second: facts.Ranked) -> str:
    """By how much the fastest is ahead, where the joint fit tells."""
    error = facts.ratio_error(best.latency, second.latency)
    if error is None:
        return ""
    log = math.log(second.latency.value / best.latency.value)
    low, high = (units.number(math.exp(log + way * error)) for way in (-1, 1))
    return f" ({units.number(math.exp(log))} times ahead of {second.column.label}: {low} to {high})"


def _with_latency(one: facts.Ranked) -> str:
    return f"{one.column.label} takes {units.latency(_shown(one))}"


def _shown(one: facts.Ranked) -> Estimate:
    """The latency as the table shows it: with the interval for comparisons, where it has one."""
    compared = one.latency.compared()
    return one.latency if compared.low is None else compared


def _how_sure(grid: Grid) -> list[str]:
    """Whether the fastest is apart from the others, and what its verdict is."""
    shape = facts.common_shape(grid)
    if shape is None:
        return []
    first, ranked = facts.fastest(grid, shape), facts.ranking(grid, shape)
    apart = len(first) == 1 and len(ranked) > 1 and all(map(_has_interval, ranked))
    told = apart and facts.ratio_error(first[0].latency, ranked[1].latency) is None
    lines = ["The interval of the fastest overlaps none of the others."] if told else []
    joint = all(one.latency.compared().low is not None for one in ranked)
    by_verdict: dict[str, list[facts.Ranked]] = {}
    for one in first:
        record = grid.cells[shape, one.column]
        if joint and not use_mark(record):
            continue  # what disturbed all alike does not change which is the fastest
        if verdict := record.figures.get("verdict"):
            by_verdict.setdefault(str(verdict), []).append(one)
    return lines + [_verdict(grid, shape, *found) for found in by_verdict.items()]


def _verdict(grid: Grid, shape: Shape, verdict: str, found: Sequence[facts.Ranked]) -> str:
    """A verdict on one of the fastest with its worst cause, or on several with its meaning."""
    if len(found) == 1:
        why = _why(grid.cells[shape, found[0].column])
        return f"The verdict on {found[0].column.label} is {verdict}{why}."
    names = [one.column.label for one in found[:MOST_NAMED]]
    if len(found) > MOST_NAMED:
        names.append(f"{len(found) - MOST_NAMED} more")
    return f"The verdict on {joined(names)} is {verdict}: {verdict_meaning(verdict)}."


def _why(record: Record) -> str:
    """The worst cause of a verdict, and how many others there are."""
    causes = record.causes
    if not causes:
        return ""
    if record.figures.get("verdict") == "trusted":  # what follows are limits, not causes
        return f" ({plural(len(causes), 'remark')})"
    more = f" (and {plural(len(causes) - 1, 'further remark')})" if len(causes) > 1 else ""
    return f": {causes[0]}{more}"


def _is_joint(records: Sequence[Record]) -> bool:
    """Whether figures are told apart by a joint fit: what moved all alike matters to no ranking."""
    return spread_of(records) == "relative"


def _common(records: Sequence[Record]) -> list[str]:
    """What is common to all latencies, and what these may be used for."""
    if not _is_joint(records):
        return []
    return [line for line in (common_part(records), uses(records)) if line]


def _untrusted(records: Sequence[Record]) -> list[str]:
    """How many figures are not trusted, by verdict, and of how many that is not known."""
    judged = [str(r.figures.get("verdict")) for r in records if r.status == "ok" and r.latency]
    counts = Counter(verdict for verdict in judged if verdict not in {"trusted", "None"})
    unknown, number = counts.pop("unknown", 0), sum(counts.values())
    total = plural(len(judged), "latency", "latencies")
    kinds = joined([f"{count} {verdict}" for verdict, count in counts.most_common()])
    lines = []
    if number:
        verb = "is" if number == 1 else "are"
        lines.append(f"{number} of {total} {verb} not trusted: {kinds} (see Verdicts).")
    if unknown:
        lines.append(f"Whether {unknown} of {total} can be trusted is not known (see Verdicts).")
    return lines


def _precision(runs: Sequence[RunRecords]) -> list[str]:
    lines = []
    for one in runs:
        name = f"run {one.run.id}: " if len(runs) > 1 else ""
        estimates = [r.latency for r in one.records if r.status == "ok" and r.latency is not None]
        joint = _is_joint(one.records)
        estimates = [e.compared() for e in estimates] if joint else estimates
        line = _widths(estimates, one, kind=" for comparisons within the run" * joint)
        lines.append(f"Precision: {name}{line}" if estimates else "")
    return [line for line in lines if line]


def _widths(estimates: Sequence[Estimate], one: RunRecords, *, kind: str) -> str:
    widths = [w for e in estimates if (w := e.relative_half_width) is not None]
    if not widths:
        return "the latencies have no intervals."
    target = target_of(one.run)
    confidence = min(e.confidence for e in estimates if e.relative_half_width is not None)
    line = (
        f"the half-width of the {units.percent(confidence)} intervals{kind} is "
        f"{units.half_width(min(widths))} to {units.half_width(max(widths))} of the median, with a "
        f"median of {units.half_width(median(widths))}"
    )
    if len(widths) < len(estimates):
        line += f", of the {len(widths)} of {len(estimates)} latencies that have one"
    if target is None:
        return f"{line}."
    missed = sum(_missed(record) for record in one.records)
    return f"{line}; {missed} of {len(estimates)} missed the target of {units.percent(target)}."


def _missed(record: Record) -> bool:
    return record.status == "ok" and record.figures.get("latency_target_met") is False


def _tested(findings: Findings) -> list[str]:
    """Each hypothesis with its answer."""
    tested = findings.hypotheses
    lines = [f"Hypothesis: {one.text}. {one.sentence}" for one in tested[:MOST_TESTED]]
    rest = plural(len(tested) - MOST_TESTED, "further hypothesis", "further hypotheses")
    return [*lines, *[f"{rest} were tested (see Hypotheses)."] * (len(tested) > MOST_TESTED)]


def _odd(findings: Findings) -> list[str]:
    number = len(findings.anomalies)
    verb = "was" if number == 1 else "were"
    told = f"{plural(number, 'anomaly', 'anomalies')} {verb} found (see Anomalies)."
    return [told] * bool(number)


def _absent(grid: Grid, runs: Sequence[RunRecords]) -> list[str]:
    groups = grid.failures()
    lines = []
    for cut in (False, True):
        found = [group for group in groups if (group.kind == "budget") is cut]
        number = sum(len(group.shapes) for group in found)
        kinds = joined([kind.replace("_", " ") for kind in dict.fromkeys(g.kind for g in found)])
        if number and cut:
            left = plural(number, "workload")
            lines.append(f"The time budget left {left} out (see What was not measured).")
        elif number:
            what = f"{plural(number, 'workload')} failed or could not be tried"
            lines.append(f"{what}: {kinds} (see What was not measured).")
    lines += [
        f"Run {one.run.id} is not finished: {one.run.planned - len(one.records)} of "
        f"{plural(one.run.planned, 'workload')} were not reached."
        for one in runs
        if one.run.planned > len(one.records)
    ]
    return lines


def _energy_in_short(records: Sequence[Record]) -> list[str]:
    if any(record.number("energy_per_inference_j") is not None for record in records):
        return []
    return ["Energy was not measured (see Energy)."]
