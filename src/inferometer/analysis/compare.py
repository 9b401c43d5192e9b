"""Records → which of two is faster, workload by workload."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from inferometer.analysis.accuracy import (
    MARGIN,
    NOT_JUDGED,
    AccuracyDifference,
    compare_accuracies,
)
from inferometer.analysis.matching import Match, Matching, run_of
from inferometer.analysis.sides import PROCESS_ALLOWANCE, difference_of, latency_side
from inferometer.core.display import display
from inferometer.core.record import Record
from inferometer.figures.accuracy import PassOf
from inferometer.stats.comparison import (
    ZONE,
    Block,
    Difference,
    Verdict,
    group_ratios,
    is_of_one_fit,
    paired,
    units_to_decide,
    verdicts,
)

PAIRED = "paired A-B-B-A"
JOINT = "contrast of a joint fit of all rounds"
INTERLEAVED = "interleaved in rounds, unpaired"
APART = "measured apart, not interleaved"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How a contender's latency relates to a baseline's.

    Attributes:
        match: what was compared.
        difference: the log-ratio, and what is uncertain about it.
        confidence: nominal coverage of its interval.
        verdict: faster, slower, equivalent or undecided.
        method: how the sides were measured and compared.
        more_rounds: rounds of each side that would decide, if all stays as it is; None where it is
            decided, or where more rounds alone would not do.
        accuracy: how the accuracies relate; None where they were not judged on the same samples.
    """

    match: Match
    difference: Difference
    confidence: float
    verdict: Verdict
    method: str
    more_rounds: int | None
    accuracy: AccuracyDifference | None = None

    @property
    def ratio(self) -> float:
        """The contender's latency as a multiple of the baseline's."""
        return self.difference.ratio

    def row(self) -> dict[str, Any]:
        """The comparison as a flat JSON object."""
        interval = self.difference.interval(self.confidence)
        baseline, contender = self.match.baseline, self.match.contender
        metric = self.match.metric
        return {
            "metric": metric,
            "baseline": self.match.names[0],
            "contender": self.match.names[1],
            "ratio": self.difference.ratio,
            "ratio_low": interval.low if interval else None,
            "ratio_high": interval.high if interval else None,
            "verdict": self.verdict,
            "workload": self.match.workload,
            "baseline_value": baseline.number(metric),
            "contender_value": contender.number(metric),
            "confidence": self.confidence,
            "method": self.method,
            "processes": self.difference.units,
            "process_variance_observed": self.difference.units > 1,
            "more_rounds": self.more_rounds,
            "baseline_verdict": baseline["verdict"],
            "contender_verdict": contender["verdict"],
            **(NOT_JUDGED if self.accuracy is None else asdict(self.accuracy)),
        }

    def _repr_html_(self) -> str:
        return display().html(self)


class Comparisons(list[Comparison]):
    """Comparisons that were made together; a notebook shows them as a chart and a table."""

    def _repr_html_(self) -> str:
        return display().html(self)


def compare(
    matching: Matching, *, zone: float = ZONE, confidence: float = 0.95
) -> list[Comparison]:
    """Compare what was matched, all at once: verdicts hold for all of them together (Holm).

    Args:
        matching: what to compare; records of a paired run with their rounds.
        zone: relative difference that is of no interest.
        confidence: nominal coverage of each interval.
    """
    measured = [(match, *_difference(match)) for match in matching.matches]
    differences = [difference for _, difference, _ in measured]
    decided = verdicts(differences, zone=zone, confidence=confidence)
    return [
        Comparison(
            match=match,
            difference=difference,
            confidence=confidence,
            verdict=verdict,
            method=method,
            more_rounds=_more_rounds(match, difference, zone, confidence)
            if verdict == "undecided"
            else None,
        )
        for (match, difference, method), verdict in zip(measured, decided, strict=True)
    ]


def with_accuracies(
    comparisons: Sequence[Comparison], pass_of: PassOf, *, margin: float = MARGIN
) -> list[Comparison]:
    """The comparisons with those of the accuracies beside them.

    Args:
        comparisons: of latencies.
        pass_of: gives the passes over labelled data.
        margin: loss of accuracy to put up with, in the unit of its metric.
    """
    pairs = [(one.match.baseline, one.match.contender) for one in comparisons]
    found = compare_accuracies(pairs, pass_of, margin=margin)
    return [
        replace(one, accuracy=accuracy) for one, accuracy in zip(comparisons, found, strict=True)
    ]


def _difference(match: Match) -> tuple[Difference, str]:
    """Paired where the rounds say so; else from the intervals of the records."""
    blocks = [_blocks(one) for one in (match.baseline, match.contender)]
    same_run = run_of(match.baseline) == run_of(match.contender)
    groups = group_ratios(*blocks) if same_run else []
    if groups:
        return paired(groups, allowance=math.log1p(PROCESS_ALLOWANCE)), PAIRED
    method = INTERLEAVED if same_run and _is_measured(match.baseline) else APART
    base, contender = (latency_side(one, match.metric) for one in (match.baseline, match.contender))
    if is_of_one_fit(base, contender):
        method = JOINT
    return difference_of(base, contender), method


def _blocks(record: Record) -> list[Block]:
    return [
        Block(done.process, done.pair, done.settled_s)
        for done in record.rounds
        if done.phase == "measure" and done.pair is not None
    ]


def _more_rounds(
    match: Match, difference: Difference, zone: float, confidence: float
) -> int | None:
    units = units_to_decide(difference, zone=zone, confidence=confidence)
    sides = (match.baseline, match.contender)
    rounds = max(int(one.number("latency_rounds") or 0) for one in sides)
    if units is None or not rounds:
        return None
    return max(math.ceil(rounds * (units / difference.units - 1)), 1)


def _is_measured(record: Record) -> bool:
    return record.run.get("origin") != "imported"
