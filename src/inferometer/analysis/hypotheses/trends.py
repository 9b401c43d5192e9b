"""Does a figure rise, or fall, with a factor? Does it do so in proportion?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from inferometer.analysis.explain import EXPLAINING, why
from inferometer.analysis.findings import Effect, Outcome, Tested
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses.effects import exponent, order, order_effect, slope
from inferometer.analysis.hypotheses.pairs import (
    Pair,
    Says,
    Stratum,
    counted,
    judged,
    models,
    steps,
    strata,
)
from inferometer.analysis.hypotheses.words import (
    figure_text,
    limits,
    limits_of,
    nothing_to_compare,
    of_all,
    plain,
    ratios,
)
from inferometer.analysis.parts import unknown_operators
from inferometer.core import units
from inferometer.core.hypothesis import AXES, Hypothesis
from inferometer.core.operators import kind_times
from inferometer.core.roofline import Roofline
from inferometer.stats.slopes import Slope

COSTS = {"macs": "MACs", "operator_bytes": "the bytes that operators move"}
"""Factors as people call them."""
MOST_NAMED = 5
MOST = 0.5
LINEAR = (0.9, 1.1)
"""Exponents that are called linear."""
UNCOUNTED = (
    "The table holds no operations, which might explain it: inferometer cost MODEL counts them."
)
AS_THEY_STAND = (
    "The intervals of the exponents are from how far the figures lie off their slopes; what is "
    "uncertain of each figure by itself is not in them."
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


def trend(
    grid: Grid, hypothesis: Hypothesis, rooflines: Mapping[str, Sequence[Roofline]]
) -> Tested:
    """Test whether a figure rises or falls with a factor, all else equal."""
    found = strata(grid, hypothesis.figure, hypothesis.factor)
    along = hypothesis.factor in AXES
    pairs = judged(steps(found) if along else models(found), rises=hypothesis.rises)
    if not pairs:
        return nothing_to_compare(hypothesis)
    contrasts = _contrasts(pairs, along=along)
    counts = counted([pair.says for pair in pairs])
    outcome = _outcome(counts, systematic=not along and any(c.everywhere for c in contrasts))
    counter = [_counterexample(hypothesis, one) for one in contrasts if one.against]
    over_all = exponent(found, along=along)
    decided = _decided(over_all, hypothesis, counts) if outcome == "undecided" else None
    said = _sentence(hypothesis, decided or outcome, counts, counter, over_all if decided else None)
    agreement = None if along else order_effect(found, rises=hypothesis.rises)
    return Tested(
        text=hypothesis.text,
        outcome=decided or outcome,
        sentence=said + _repeated(pairs),
        effects=tuple(one for one in (over_all, agreement) if one is not None),
        strata=len(found),
        pairs=len(pairs),
        supporting=counts["for"],
        against=counts["against"],
        undecided=counts["undecided"],
        counterexamples=tuple(counter[:MOST_NAMED]),
        explanation="" if along else _explanation(grid, hypothesis, contrasts, rooflines),
        limits=limits(grid, pairs, across_models=not along),
    )


def linear(grid: Grid, hypothesis: Hypothesis) -> Tested:
    """Test whether a figure grows in proportion to a factor: an exponent of one, give or take."""
    found = strata(grid, hypothesis.figure, hypothesis.factor)
    if not found:
        return nothing_to_compare(hypothesis)
    along = hypothesis.factor in AXES
    confidence = 1 - 0.05 / len(found)  # all series are judged at once (Bonferroni)
    slopes = [slope(one, confidence) for one in found]
    says = [_within(one) for one in slopes]
    counts = counted(says)
    outcome = _outcome(counts, systematic=False)
    off = sorted(
        (
            -abs(one.value - 1),
            f"{_series(at, hypothesis.factor)}: exponent {units.number(one.value)}",
        )
        for at, one, word in zip(found, slopes, says, strict=True)
        if one is not None and word == "against"
    )
    counter = [text for _, text in off]
    low, high = LINEAR
    text = (
        f"{outcome.capitalize()}: in {of_all(counts['for'], len(found), 'series')} the exponent "
        f"surely lies between {low} and {high}, in {counts['against']} surely outside"
    )
    over_all = exponent(found, along=along)
    cells = [cell for one in found for cell in one.cells]
    return Tested(
        text=hypothesis.text,
        outcome=outcome,
        sentence=f"{text}{f'; farthest off: {counter[0]}' if counter else ''}.",
        effects=() if over_all is None else (over_all,),
        strata=len(found),
        pairs=len(found),
        supporting=counts["for"],
        against=counts["against"],
        undecided=counts["undecided"],
        counterexamples=tuple(counter[:MOST_NAMED]),
        limits=(AS_THEY_STAND, *limits_of(grid, cells, across_models=not along)),
    )


def _outcome(counts: Mapping[str, int], *, systematic: bool) -> Outcome:
    favour, against = counts["for"], counts["against"]
    if systematic or against > favour:
        return "refuted"
    if against:
        return "mixed"
    return "supported" if favour > counts["undecided"] else "undecided"


def _decided(
    over_all: Effect | None, hypothesis: Hypothesis, counts: Mapping[str, int]
) -> Outcome | None:
    """What the slope over all decides where the steps do not; None where it does not either."""
    if over_all is None or over_all.low is None or over_all.high is None:
        return None
    if over_all.low <= 0 <= over_all.high:
        return None
    if (over_all.low > 0) == hypothesis.rises:
        return "supported"
    return None if counts["for"] else "refuted"


def _contrasts(pairs: Sequence[Pair], *, along: bool) -> list[Contrast]:
    """Pairs of the same step or the same two models together, strongest counterexample first."""
    groups: dict[object, list[Pair]] = defaultdict(list)
    for pair in pairs:
        cells = (pair.start, pair.end)
        groups[tuple(c.factor if along else c.column.variant.model for c in cells)].append(pair)
    found = [Contrast(pairs=tuple(group)) for group in groups.values()]
    return sorted(found, key=lambda one: one.strength, reverse=True)


def _counterexample(hypothesis: Hypothesis, one: Contrast) -> str:
    start, end = one.against[0].start, one.against[0].end
    where = of_all(len(one.against), len(one.pairs), "comparison")
    figure, name = hypothesis.figure, plain(hypothesis.factor)
    if hypothesis.factor in AXES:
        way = "lower" if hypothesis.rises else "higher"
        named = "" if start.column == end.column else f"{end.column.label}: "
        example = (
            f"{start.column.label}: {figure_text(figure, start)} at {start.shape.label}, "
            f"{named}{figure_text(figure, end)} at {end.shape.label}"
        )
        step = f"{start.factor:g} to {end.factor:g}"
        return f"from {name} {step}, {figure} is {way} in {where} ({example})"
    amounts = f"{units.count(int(start.factor))} against {units.count(int(end.factor))}"
    turned = "higher" if hypothesis.rises else "lower"
    size = ratios([pair.ratio for pair in one.against])
    return (
        f"{start.column.label} has fewer {name} than {end.column.label}, {amounts}, yet its "
        f"{figure} is {turned} in {where}, {size}"
    )


def _sentence(
    hypothesis: Hypothesis,
    outcome: Outcome,
    counts: Mapping[str, int],
    counter: Sequence[str],
    decided_by: Effect | None,
) -> str:
    total = sum(counts.values())
    way = "rises" if hypothesis.rises else "falls"
    what = f"{hypothesis.figure} {way} with {plain(hypothesis.factor)}"
    text = f"{what} in {of_all(counts['for'], total, 'comparison')}"
    if counts["against"]:
        text += f" and goes the other way in {counts['against']}"
    if counts["undecided"]:
        text += f"; {counts['undecided']} cannot be decided"
    if decided_by is not None:
        interval = f"[{units.number(decided_by.low)}, {units.number(decided_by.high)}]"
        over = f"the exponent over all is {units.number(decided_by.value)} {interval}"
        return f"{outcome.capitalize()}: {over}, though one by one {text}."
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


def _within(found: Slope | None) -> Says:
    low, high = LINEAR
    if found is None or found.low is None or found.high is None:
        return "undecided"
    if low <= found.low and found.high <= high:
        return "for"
    return "against" if found.high < low or found.low > high else "undecided"


# Why


def _explanation(
    grid: Grid,
    hypothesis: Hypothesis,
    contrasts: Sequence[Contrast],
    rooflines: Mapping[str, Sequence[Roofline]],
) -> str:
    """What orders the models better, and why the strongest counterexample is one."""
    if not any(record.number("macs") for record in grid.cells.values()):
        return UNCOUNTED
    said = [_better(grid, hypothesis)]
    worst = contrasts[0].against
    if worst and hypothesis.figure.startswith("latency"):
        profiled = (one for one in worst if _is_profiled(grid, one))
        pair = next(profiled, worst[0])
        start, end = pair.start, pair.end
        told = why(grid, start.column, end.column, start.shape, rooflines)
        said += [one.sentence for one in told if one.kind in EXPLAINING]
    return " ".join(text for text in said if text)


def _is_profiled(grid: Grid, pair: Pair) -> bool:
    """Whether the operators of both sides were timed."""
    cells = (pair.start, pair.end)
    return all(kind_times(grid.cell(one.shape, one.column)) for one in cells)


def _better(grid: Grid, hypothesis: Hypothesis) -> str:
    """The cost whose order of the same models is nearest to that by the figure, if nearer."""
    macs = () if any(map(unknown_operators, grid.cells.values())) else ("macs",)
    orders = {
        factor: order(found)
        for factor in dict.fromkeys((hypothesis.factor, *macs, "operator_bytes", "parameters"))
        if (found := strata(grid, hypothesis.figure, factor))
    }
    mine = orders[hypothesis.factor]
    taus = {name: one.tau for name, one in orders.items() if one.models == mine.models}
    best = max(taus, key=lambda name: taus[name])
    if taus[best] <= mine.tau:
        return ""
    other = COSTS.get(best, plain(best))
    return (
        f"The models' order by {other} is nearer to their order by {hypothesis.figure} (Kendall's "
        f"tau {_tau(taus[best])}) than that by {plain(hypothesis.factor)} ({_tau(mine.tau)})."
    )


def _tau(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _series(stratum: Stratum, factor: str) -> str:
    cell = stratum.cells[0]
    if factor == "batch_size":
        size = cell.shape.input_size
        return f"{cell.column.label} at {'own size' if size is None else size}"
    if factor == "input_size":
        return f"{cell.column.label} at batch {cell.shape.batch_size}"
    return f"{cell.column.label} at {cell.shape.label}"
