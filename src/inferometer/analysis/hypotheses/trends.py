"""Does a figure rise, or fall, with a factor? Does it do so in proportion?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from inferometer.analysis.explain import why
from inferometer.analysis.findings import Effect, Outcome, Tested
from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.hypotheses.pairs import (
    Pair,
    Stratum,
    judged,
    models,
    steps,
    strata,
)
from inferometer.analysis.hypotheses.words import (
    figure_text,
    limits,
    nothing_to_compare,
    of_all,
    ratios,
)
from inferometer.core import units
from inferometer.core.hypothesis import AXES, Hypothesis
from inferometer.core.roof import Roof
from inferometer.stats.slopes import Slope, agreement, log_slope, mean_slope

MOST_NAMED = 5
MOST = 0.5
LINEAR = (0.9, 1.1)
"""Exponents that are called linear."""
UNCOUNTED = (
    "The table holds no operations, which might explain it: inferometer cost MODEL counts them."
)
TWO = 2


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The pairs of one step of an axis, or of two models, in all strata."""

    pairs: tuple[Pair, ...]

    @property
    def against(self) -> tuple[Pair, ...]:
        """Those that speak against the hypothesis, the largest first."""
        found = [pair for pair in self.pairs if pair.says == "against"]
        return tuple(sorted(found, key=lambda pair: -abs(pair.difference.log_ratio)))

    @property
    def everywhere(self) -> bool:
        """Whether most pairs speak against it, and none for it."""
        favour = any(pair.says == "for" for pair in self.pairs)
        return not favour and len(self.against) > MOST * len(self.pairs)

    @property
    def strength(self) -> tuple[float, float]:
        """Sorts by the share of pairs against, then by how much."""
        share = len(self.against) / len(self.pairs)
        size = median([abs(pair.difference.log_ratio) for pair in self.against] or [0.0])
        return (share * min(len(self.pairs), TWO), size)


def trend(grid: Grid, hypothesis: Hypothesis, roofs: Mapping[str, Sequence[Roof]]) -> Tested:
    """Test whether a figure rises or falls with a factor, all else equal."""
    found = strata(grid, hypothesis.figure, hypothesis.factor)
    along = hypothesis.factor in AXES
    pairs = judged(steps(found) if along else models(found), rises=hypothesis.rises)
    if not pairs:
        return nothing_to_compare(hypothesis)
    contrasts = _contrasts(pairs, along=along)
    counts = {says: sum(p.says == says for p in pairs) for says in ("for", "against", "undecided")}
    outcome = _outcome(counts, systematic=not along and any(c.everywhere for c in contrasts))
    counter = [_counterexample(hypothesis, one) for one in contrasts if one.against]
    slopes = _exponents(found) if along else _across_models(found)
    overall = _over_all(slopes, rises=hypothesis.rises) if outcome == "undecided" else None
    outcome = overall or outcome
    said = _sentence(hypothesis, outcome, counts, counter, slopes if overall else ())
    return Tested(
        text=hypothesis.text,
        outcome=outcome,
        sentence=said + _repeated(pairs),
        effects=(*slopes, *(() if along else _agreement(found))),
        strata=len(found),
        pairs=len(pairs),
        supporting=counts["for"],
        against=counts["against"],
        undecided=counts["undecided"],
        counterexamples=tuple(counter[:MOST_NAMED]),
        explanation="" if along else _explanation(grid, hypothesis, contrasts, roofs),
        limits=limits(grid, pairs, across_models=not along),
    )


def linear(grid: Grid, hypothesis: Hypothesis) -> Tested:
    """Test whether a figure grows in proportion to a factor: an exponent of one, give or take."""
    found = strata(grid, hypothesis.figure, hypothesis.factor)
    if not found:
        return nothing_to_compare(hypothesis)
    confidence = 1 - 0.05 / len(found)  # all series are judged at once (Bonferroni)
    slopes = [(one, _slope(one, confidence)) for one in found]
    low, high = LINEAR
    says = [_within(slope, low, high) for _, slope in slopes]
    counts = {word: says.count(word) for word in ("for", "against", "undecided")}
    outcome = _outcome(counts, systematic=False)
    off = [one for one, word in zip(slopes, says, strict=True) if word == "against"]
    off.sort(key=lambda one: -abs(one[1].value - 1))
    counter = [
        f"{_series(stratum, hypothesis.factor)}: exponent {units.number(slope.value)}"
        for stratum, slope in off
    ]
    text = (
        f"{outcome.capitalize()}: in {of_all(counts['for'], len(found), 'series')} the exponent "
        f"surely lies between {low} and {high}, in {counts['against']} surely outside"
    )
    pairs = steps(found)
    return Tested(
        text=hypothesis.text,
        outcome=outcome,
        sentence=f"{text}{f'; farthest off: {counter[0]}' if counter else ''}.",
        effects=_exponents(found),
        strata=len(found),
        pairs=len(pairs),
        supporting=counts["for"],
        against=counts["against"],
        undecided=counts["undecided"],
        counterexamples=tuple(counter[:MOST_NAMED]),
        limits=limits(grid, pairs, across_models=hypothesis.factor not in AXES),
    )


def _outcome(counts: Mapping[str, int], *, systematic: bool) -> Outcome:
    favour, against = counts["for"], counts["against"]
    if systematic or against > favour:
        return "refuted"
    if against:
        return "mixed"
    return "supported" if favour > counts["undecided"] else "undecided"


def _over_all(slopes: Sequence[Effect], *, rises: bool) -> Outcome | None:
    """What the slope over all decides where no step does; None where it does not either."""
    for slope in slopes:
        if slope.low is not None and slope.low > 0:
            return "supported" if rises else "refuted"
        if slope.high is not None and slope.high < 0:
            return "refuted" if rises else "supported"
    return None


def _contrasts(pairs: Sequence[Pair], *, along: bool) -> list[Contrast]:
    """Pairs of the same step or the same two models together, the strongest objection first."""
    groups: dict[object, list[Pair]] = defaultdict(list)
    for pair in pairs:
        cells = (pair.start, pair.end)
        groups[tuple(c.factor if along else c.column.variant.model for c in cells)].append(pair)
    found = [Contrast(pairs=tuple(group)) for group in groups.values()]
    return sorted(found, key=lambda one: one.strength, reverse=True)


def _counterexample(hypothesis: Hypothesis, one: Contrast) -> str:
    worst = one.against[0]
    where = of_all(len(one.against), len(one.pairs), "comparison")
    size = ratios([pair.ratio for pair in one.against])
    way = "lower" if hypothesis.rises else "higher"
    figure = hypothesis.figure
    if hypothesis.factor in AXES:
        name = hypothesis.factor.replace("_", " ")
        start, end = f"{worst.start.factor:g}", f"{worst.end.factor:g}"
        example = (
            f"{worst.start.column.label}: {figure_text(figure, worst.start)} at "
            f"{worst.start.shape.label}, {figure_text(figure, worst.end)} at "
            f"{worst.end.shape.label}"
        )
        return f"from {name} {start} to {end}, {figure} is {way} in {where} ({example})"
    less, more = worst.start, worst.end
    amounts = f"{_amount(less.factor)} against {_amount(more.factor)}"
    name = hypothesis.factor.replace("_", " ")
    turned = "higher" if hypothesis.rises else "lower"
    return (
        f"{less.column.label} has fewer {name} than {more.column.label}, {amounts}, yet its "
        f"{figure} is {turned} in {where}, {size}"
    )


def _sentence(
    hypothesis: Hypothesis,
    outcome: Outcome,
    counts: Mapping[str, int],
    counter: Sequence[str],
    decided_by: Sequence[Effect],
) -> str:
    total = sum(counts.values())
    way = "rises" if hypothesis.rises else "falls"
    name = hypothesis.factor.replace("_", " ")
    text = f"{hypothesis.figure} {way} with {name} in {of_all(counts['for'], total, 'comparison')}"
    if counts["against"]:
        text += f" and goes the other way in {counts['against']}"
    if counts["undecided"]:
        text += f"; {counts['undecided']} cannot be decided"
    for slope in decided_by:
        interval = f"[{units.number(slope.low)}, {units.number(slope.high)}]"
        exponent = f"the exponent over all is {units.number(slope.value)} {interval}"
        return f"{outcome.capitalize()}: {exponent}, though one by one {text}."
    if counter:
        return f"{outcome.capitalize()}: {counter[0]}. Over all, {text}."
    return f"{outcome.capitalize()}: {text}."


def _repeated(pairs: Sequence[Pair]) -> str:
    """Pairs that say nothing because one and the same figure stands on both sides."""
    same = [pair for pair in pairs if pair.by_sign and pair.ratio == 1]
    if not same:
        return ""
    cells = "; ".join(
        f"{pair.start.column.label} {pair.start.shape.label} and {pair.end.shape.label}"
        if pair.start.column == pair.end.column
        else f"{pair.start.column.label} and {pair.end.column.label} at {pair.end.shape.label}"
        for pair in same[:MOST_NAMED]
    )
    return f" The very same figure stands on both sides of {len(same)}: {cells}."


# Effects


def _slope(stratum: Stratum, confidence: float = 0.95) -> Slope:
    x = [float(cell.factor) for cell in stratum.cells]
    return log_slope(x, [cell.value for cell in stratum.cells], confidence)


def _within(slope: Slope, low: float, high: float) -> str:
    if slope.low is None or slope.high is None:
        return "undecided"
    if low <= slope.low and slope.high <= high:
        return "for"
    return "against" if slope.high < low or slope.low > high else "undecided"


def _exponents(found: Sequence[Stratum]) -> tuple[Effect, ...]:
    """Mean exponent of the variants, each with the mean of its series."""
    by_column: dict[Column, list[float]] = defaultdict(list)
    for one in found:
        by_column[one.cells[0].column].append(_slope(one).value)
    mean = mean_slope([fmean(values) for values in by_column.values()])
    method = (
        f"mean of the log-log slopes of {mean.points} variants, Student's t on their spread"
        if mean.low is not None
        else "log-log slope of one variant: no spread, no interval"
    )
    return (_effect("scaling exponent", mean, method),)


def _across_models(found: Sequence[Stratum]) -> tuple[Effect, ...]:
    """Exponent over models, from their means over the strata that hold all of them."""
    centred: dict[str, list[tuple[float, float]]] = defaultdict(list)
    largest = max(len(one.cells) for one in found)
    for one in found:
        if len(one.cells) == largest:
            logs = [(math.log(float(c.factor)), c.side.log_median) for c in one.cells]
            means = [fmean(part) for part in zip(*logs, strict=True)]
            for cell, (u, v) in zip(one.cells, logs, strict=True):
                centred[cell.column.variant.model].append((u - means[0], v - means[1]))
    x = [math.exp(fmean(u for u, _ in points)) for points in centred.values()]
    y = [math.exp(fmean(v for _, v in points)) for points in centred.values()]
    if len(set(x)) < TWO:
        return ()
    slope = log_slope(x, y)
    method = f"log-log slope over {slope.points} models, each the mean of its cells; " + (
        "Student's t with the models as the units"
        if slope.low is not None
        else "two models leave nothing to judge it by"
    )
    return (_effect("scaling exponent", slope, method),)


def _agreement(found: Sequence[Stratum]) -> tuple[Effect, ...]:
    """How well the order of the models by the factor is their order by the figure."""
    names = sorted({cell.column.variant.model for one in found for cell in one.cells})
    factor = {c.column.variant.model: float(c.factor) for one in found for c in one.cells}
    if len(names) < TWO:
        return ()
    rows = []
    for one in found:
        seen = {cell.column.variant.model: cell.side.log_median for cell in one.cells}
        rows.append([seen.get(name, math.nan) for name in names])
    order = agreement([factor[name] for name in names], rows)
    way = "all orders" if order.exact else "5,000 orders"
    method = (
        f"Kendall's tau over {order.items} models, mean of {len(rows)} strata; one-sided "
        f"p = {order.p:.2g} by permutation of {way}, and {order.least_p:.2g} is the least that "
        "so few could give: no proof either way"
    )
    return (Effect(name="order agreement", value=order.tau, low=None, high=None, method=method),)


def _effect(name: str, slope: Slope, method: str) -> Effect:
    return Effect(name=name, value=slope.value, low=slope.low, high=slope.high, method=method)


# Why


def _explanation(
    grid: Grid,
    hypothesis: Hypothesis,
    contrasts: Sequence[Contrast],
    roofs: Mapping[str, Sequence[Roof]],
) -> str:
    """What orders the models better, and why the strongest counterexample is one."""
    if not any(record.number("macs") for record in grid.cells.values()):
        return UNCOUNTED
    said = [_better(grid, hypothesis)]
    worst = contrasts[0].against[:1]
    for pair in worst:
        fast, slow = sorted((pair.start, pair.end), key=lambda cell: cell.value)
        if hypothesis.figure.startswith("latency"):
            told = why(grid, fast.column, slow.column, fast.shape, roofs)
            said += [one.sentence for one in told if one.kind != "unknown"]
    return " ".join(text for text in said if text)


def _better(grid: Grid, hypothesis: Hypothesis) -> str:
    """Factors whose order of the models is nearer to that of the figure."""
    taus: dict[str, float] = {}
    for factor in dict.fromkeys((hypothesis.factor, "macs", "operator_bytes", "parameters")):
        effects = _agreement(strata(grid, hypothesis.figure, factor))
        if effects:
            taus[factor] = effects[0].value
    mine = taus.pop(hypothesis.factor, None)
    nearer = {name: tau for name, tau in taus.items() if mine is not None and tau > mine}
    if not nearer or mine is None:
        return ""
    best = max(nearer, key=lambda name: nearer[name])
    return (
        f"The models' order by {best.replace('_', ' ')} is nearer to their order by "
        f"{hypothesis.figure} (tau {nearer[best]:.2f}) than that by "
        f"{hypothesis.factor.replace('_', ' ')} (tau {mine:.2f})."
    )


def _series(stratum: Stratum, factor: str) -> str:
    cell = stratum.cells[0]
    if factor == "batch_size":
        size = cell.shape.input_size
        return f"{cell.column.label} at {'own size' if size is None else size}"
    if factor == "input_size":
        return f"{cell.column.label} at batch {cell.shape.batch_size}"
    return f"{cell.column.label} at {cell.shape.label}"


def _amount(value: float | str) -> str:
    return units.count(int(value)) if isinstance(value, float | int) else value
