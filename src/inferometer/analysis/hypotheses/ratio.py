"""Is a figure at one value of an axis at most, or at least, so many times that at another?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from inferometer.analysis.explain import EXPLAINING, why
from inferometer.analysis.findings import Effect, Outcome, Tested
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses.pairs import Pair, counted, judged, names_of, opposites
from inferometer.analysis.hypotheses.words import (
    figure_text,
    limits,
    of_all,
    untestable,
)
from inferometer.core import units
from inferometer.core.hypothesis import FIGURES, Hypothesis
from inferometer.core.roofline import Roofline
from inferometer.stats.slopes import mean_slope

MOST_NAMED = 5
MOST_LISTED = 12
NO_ZONE = 1e-9
"""A bound is a bound: there is no zone around it that does not matter."""


def ratio(
    grid: Grid, hypothesis: Hypothesis, rooflines: Mapping[str, Sequence[Roofline]]
) -> Tested:
    """Test a bound on the ratio of a figure at two values, in each stratum that has both."""
    pairs = opposites(grid, hypothesis.figure, hypothesis.left, hypothesis.right)
    if not pairs:
        return untestable(hypothesis.text, _nothing(grid, hypothesis))
    shift = math.log(hypothesis.bound)
    moved = [_shifted(pair, shift) for pair in pairs]
    says = [one.says for one in judged(moved, rises=hypothesis.at_most, zone=NO_ZONE)]
    pairs = [replace(pair, says=word) for pair, word in zip(pairs, says, strict=True)]
    counts = counted(says)
    outcome = _outcome(counts)
    against = [pair for pair in pairs if pair.says == "against"]
    against.sort(key=lambda pair: -abs(pair.difference.log_ratio + shift))
    counter = tuple(_told(hypothesis, pair) for pair in against[:MOST_NAMED])
    effect = _effect(pairs)
    return Tested(
        text=hypothesis.text,
        outcome=outcome,
        sentence=_sentence(hypothesis, outcome, counts, effect, counter),
        effects=(effect,),
        strata=len(pairs),
        pairs=len(pairs),
        supporting=counts["for"],
        against=counts["against"],
        undecided=counts["undecided"],
        counterexamples=counter,
        explanation=_explanation(grid, hypothesis, pairs, rooflines),
        limits=limits(grid, pairs, across_models=False),
    )


def _nothing(grid: Grid, hypothesis: Hypothesis) -> str:
    """Why there is no pair."""
    known, sides = names_of(grid), (hypothesis.left, hypothesis.right)
    absent = [repr(name) for name in sides if name not in known]
    if absent:
        more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
        listed = ", ".join(known[:MOST_LISTED]) or "nothing"
        return f"the table has no {' and no '.join(absent)}; it has {listed}{more}"
    return (
        f"no figure of {hypothesis.figure} ({FIGURES[hypothesis.figure]}) at {hypothesis.left} has "
        f"one at {hypothesis.right} beside it that agrees in all else"
    )


def _shifted(pair: Pair, shift: float) -> Pair:
    difference = replace(pair.difference, log_ratio=pair.difference.log_ratio + shift)
    return replace(pair, difference=difference)


def _outcome(counts: Mapping[str, int]) -> Outcome:
    favour, against, open_ = counts["for"], counts["against"], counts["undecided"]
    if favour and against:
        return "mixed"
    if against:
        return "refuted"
    return "supported" if favour > open_ else "undecided"


def _effect(pairs: Sequence[Pair]) -> Effect:
    """Geometric mean of left over right."""
    if len(pairs) == 1:
        return _of_one(pairs[0])
    mean = mean_slope([-pair.difference.log_ratio for pair in pairs])
    low, high = (None if end is None else math.exp(end) for end in (mean.low, mean.high))
    method = f"geometric mean of {mean.points} strata, Student's t on their logarithms"
    return Effect(name="ratio", value=math.exp(mean.value), low=low, high=high, method=method)


def _of_one(pair: Pair) -> Effect:
    interval = pair.difference.interval()
    return Effect(
        name="ratio",
        value=1 / pair.ratio,
        low=1 / interval.high if interval else None,
        high=1 / interval.low if interval else None,
        method=f"one stratum, {'interval of its comparison' if interval else 'without intervals'}",
    )


def _told(hypothesis: Hypothesis, pair: Pair) -> str:
    left, right = (figure_text(hypothesis.figure, cell) for cell in (pair.start, pair.end))
    return (
        f"{pair.start.column.label} at {pair.start.shape.label}: {left} at {hypothesis.left}, "
        f"{right} at {hypothesis.right}: {units.ratio(1 / pair.ratio)}"
    )


def _sentence(
    hypothesis: Hypothesis,
    outcome: Outcome,
    counts: Mapping[str, int],
    effect: Effect,
    counter: Sequence[str],
) -> str:
    total = sum(counts.values())
    text = (
        f"{outcome.capitalize()}: {hypothesis.figure} at {hypothesis.left} is {_bound(hypothesis)} "
        f"that at {hypothesis.right} in "
        f"{of_all(counts['for'], total, 'comparison')}"
        + (f", surely not in {counts['against']}" if counts["against"] else "")
        + f"; on average it is {units.ratio(effect.value)}"
    )
    return f"{text}. Against it: {counter[0]}." if counter else f"{text}."


def _bound(hypothesis: Hypothesis) -> str:
    if hypothesis.bound == 1:
        return "below" if hypothesis.at_most else "above"
    return f"at {'most' if hypothesis.at_most else 'least'} {units.ratio(hypothesis.bound)}"


def _explanation(
    grid: Grid,
    hypothesis: Hypothesis,
    pairs: Sequence[Pair],
    rooflines: Mapping[str, Sequence[Roofline]],
) -> str:
    """Why one of two models is faster, where the sides are models."""
    pair = pairs[0]
    sides = (pair.start, pair.end)
    two_models = sides[0].column.variant.model != sides[1].column.variant.model
    if not two_models or not hypothesis.figure.startswith("latency"):
        return ""
    fast, slow = sorted(sides, key=lambda cell: cell.value)
    told = why(grid, fast.column, slow.column, fast.shape, rooflines)
    return " ".join(one.sentence for one in told if one.kind in EXPLAINING)
