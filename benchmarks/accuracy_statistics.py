"""How far intervals, verdicts and probabilities of accuracy can be trusted, by simulated truth.

    python benchmarks/accuracy_statistics.py [--trials 1000] [--seed 0] [--only shares,metrics,…]

Prints the tables of docs/method/accuracy.md. One core, a few minutes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from inferometer.stats.front import Axis, Front, draw_points, front
from inferometer.stats.noninferiority import further_samples, noninferiority
from inferometer.stats.paired import (
    Difference,
    paired_bootstrap,
    paired_share_interval,
    paired_shares,
)
from inferometer.stats.proportion import share_interval, wilson
from inferometer.stats.resampling import ColumnSums, bootstrap_interval

Floats = NDArray[np.float64]
Rng = np.random.Generator
Ends = tuple[float, float]
Pair = tuple[Floats, Floats, NDArray[np.int64]]
"""Base and contender, right or wrong, and the units of the samples."""

DRAWS = 1000
QUICK = 400  # draws, or trials, where each takes long
MARGIN = 0.01
SIZES = (20, 50, 200, 500, 2000)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" for _ in head), "|")
    for row in rows:
        print("|", " | ".join(row), "|", flush=True)
    print()


def held(ends: Sequence[tuple[float | None, float | None]], truth: float) -> str:
    """Share of the intervals that hold the truth, and their mean width."""
    known = [(low, high) for low, high in ends if low is not None and high is not None]
    if len(known) < len(ends) / 2:
        return "none"
    share = np.mean([low - 1e-9 <= truth <= high + 1e-9 for low, high in known])
    width = np.mean([high - low for low, high in known])
    return f"{share:.1%} ({width:.3f})"


def alike(rng: Rng, units: int, each: int, share: float, correlation: float) -> Floats:
    """Samples right or wrong, those of a unit alike: beta-binomial."""
    scale = 1 / correlation - 1
    chances = rng.beta(share * scale, (1 - share) * scale, units)
    right = rng.random((units, each)) < chances[:, None]
    return right.astype(float).ravel()


def shares(rng: Rng, trials: int) -> None:
    """Wilson's interval, for samples that stand alone and for units of five."""
    rows = []
    for share in (0.5, 0.8, 0.9, 0.95, 0.99):
        for each in (1, 5):
            row = [f"{share}", f"{each}"]
            for n in SIZES:
                units = np.repeat(np.arange(n // each), each)
                ends = []
                for _ in range(trials):
                    right = (
                        (rng.random(n) < share).astype(float)
                        if each == 1
                        else alike(rng, n // each, each, share, 0.3)
                    )
                    found = share_interval(right, units)
                    ends.append((found.low, found.high))
                row.append(held(ends, share))
            rows.append(row)
    print("Share of right samples: coverage of 95 % (mean width)\n")
    table(["share", "samples a unit", *(f"n = {n}" for n in SIZES)], rows)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A simulated metric with a known truth."""

    name: str
    draw: Callable[[Rng, int], ColumnSums]
    truth: float
    low: float | None
    high: float | None


def ratio(sums: Floats) -> Floats:
    return np.asarray(sums[:, 0] / sums[:, 1], float)


def mean_of(values: Floats) -> ColumnSums:
    return ColumnSums(columns=np.column_stack([values, np.ones(values.size)]), combine=ratio)


def dice(rng: Rng, n: int) -> ColumnSums:
    """Dice of pictures, about 0.9."""
    return mean_of(rng.beta(9, 1, n))


def failing(rng: Rng, n: int) -> ColumnSums:
    """The same, with one picture of fifty missed altogether."""
    return mean_of(rng.beta(9, 1, n) * (rng.random(n) >= 0.02))


def word_errors(rng: Rng, n: int) -> ColumnSums:
    """Word errors over words of documents, whose lengths and difficulty differ."""
    words = rng.poisson(rng.lognormal(2.5, 0.6, n)) + 1
    wrong = rng.binomial(words, rng.beta(0.3, 5.7, n))
    return ColumnSums(columns=np.column_stack([wrong, words]).astype(float), combine=ratio)


def macro_f1(rng: Rng, n: int) -> ColumnSums:
    """Five classes, one sample of ten wrong; F1 of each class, averaged."""
    label = rng.integers(5, size=n)
    given = np.where(rng.random(n) < 0.1, (label + rng.integers(1, 5, size=n)) % 5, label)
    one_hot = np.eye(5)
    parts = (one_hot[label] * (label == given)[:, None], one_hot[label] + one_hot[given])
    return ColumnSums(columns=np.concatenate(parts, axis=1), combine=mean_f1)


def mean_f1(sums: Floats) -> Floats:
    hits, both = np.split(sums, 2, axis=1)
    f1 = np.divide(2 * hits, both, out=np.full(hits.shape, np.nan), where=both > 0)
    return np.asarray(np.nanmean(f1, axis=1), float)


def correlation(rng: Rng, n: int) -> ColumnSums:
    """Correlation of 0.8."""
    x, other = rng.standard_normal((2, n))
    y = 0.8 * x + 0.6 * other
    columns = np.column_stack([np.ones(n), x, y, x * x, y * y, x * y])
    return ColumnSums(columns=columns, combine=pearson)


def pearson(sums: Floats) -> Floats:
    n, x, y, xx, yy, xy = sums.T
    spread = (xx - x * x / n) * (yy - y * y / n)
    return np.asarray((xy - x * y / n) / np.sqrt(np.maximum(spread, 1e-300)), float)


CASES = (
    Case(name="Dice, mean 0.9", draw=dice, truth=0.9, low=0, high=1),
    Case(name="Dice, 2 % missed", draw=failing, truth=0.882, low=0, high=1),
    Case(name="word error rate 0.05", draw=word_errors, truth=0.05, low=0, high=None),
    Case(name="macro F1 0.9", draw=macro_f1, truth=0.9, low=0, high=1),
    Case(name="correlation 0.8", draw=correlation, truth=0.8, low=-1, high=1),
)


def metrics(rng: Rng, trials: int) -> None:
    """The bootstrap interval of metrics that are no shares."""
    trials = min(trials, QUICK)
    sizes = (10, 20, 50, 200, 500)
    rows = []
    for case in CASES:
        row = [case.name]
        for n in sizes:
            ends = []
            for seed in range(trials):
                found = bootstrap_interval(
                    case.draw(rng, n),
                    np.arange(n),
                    draws=DRAWS,
                    seed=seed,
                    low=case.low,
                    high=case.high,
                )
                ends.append((found.low, found.high))
            row.append(held(ends, case.truth))
        rows.append(row)
    print(f"Other metrics: coverage of 95 % (mean width), {trials} trials\n")
    table(["metric", *(f"{n} units" for n in sizes)], rows)


def newcombe(both: float, only_a: float, only_b: float, neither: float) -> Ends:
    """The rival of Tango's interval: method 10 of Newcombe, Statistics in Medicine 17, 1998."""
    n = both + only_a + only_b + neither
    a, b = (both + only_a) / n, (both + only_b) / n
    (low_a, high_a), (low_b, high_b) = wilson(a * n, n), wilson(b * n, n)
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    product = both * neither - only_a * only_b
    corrected = max(product - n / 2, 0.0) if product > 0 else product
    phi = corrected / math.sqrt(margins) if margins else 0.0
    below, above = (b - low_b, high_a - a), (high_b - b, a - low_a)
    reach = [math.sqrt(x * x - 2 * phi * x * y + y * y) for x, y in (below, above)]
    return b - a - reach[0], b - a + reach[1]


def differences(rng: Rng, trials: int) -> None:
    """Intervals of the difference of two shares of the same samples."""
    rows = []
    for a, b, apart in ((0.6, 0.5, 0.3), (0.8, 0.8, 0.1), (0.9, 0.88, 0.06), (0.99, 0.98, 0.014)):
        only_a = (apart + a - b) / 2
        chances = [a - only_a, only_a, apart - only_a, 1 - a - apart + only_a]
        counts = {n: rng.multinomial(n, chances, size=trials) for n in SIZES}
        for name, method in (("Tango", paired_share_interval), ("Newcombe", newcombe)):
            row = [f"{a}, {b}", f"{apart}", name]
            row += [held([method(*map(int, one)) for one in counts[n]], b - a) for n in SIZES]
            rows.append(row)
    print("Difference of two shares: coverage of 95 % (mean width)\n")
    table(["shares", "discordant", "interval", *(f"n = {n}" for n in SIZES)], rows)


def pair(rng: Rng, n: int, loss: float, apart: float, each: int = 1) -> Pair:
    """Base and contender, right or wrong; of a unit, half of the samples go together."""
    chances = [0.9 - (apart + loss) / 2, (apart + loss) / 2, (apart - loss) / 2]
    edges = np.cumsum(chances)
    own, unit = rng.random(n), np.repeat(rng.random(n // each), each)
    level = np.where(rng.random(n) < (0.5 if each > 1 else 0.0), unit, own)
    kind = np.searchsorted(edges, level)
    units = np.repeat(np.arange(n // each), each)
    return (kind <= 1).astype(float), np.isin(kind, (0, 2)).astype(float), units


def by_bootstrap(a: Floats, b: Floats, units: NDArray[np.int64], seed: int) -> Difference:
    return paired_bootstrap(
        mean_of(a), mean_of(b), units, draws=QUICK, seed=seed, low=0.0, high=1.0
    )


def verdicts(pairs: Iterable[Pair], *, boot: bool = False) -> dict[str, float]:
    """How often each verdict falls."""
    codes: list[str] = []
    for seed, (a, b, units) in enumerate(pairs):
        found = by_bootstrap(a, b, units, seed) if boot else paired_shares(a, b, units)
        codes.append(noninferiority(found.low, found.high, MARGIN).code)
    return {code: codes.count(code) / len(codes) for code in set(codes)}


def errors(rng: Rng, trials: int) -> None:
    """Contenders that are worse by just the margin, and are called not worse."""
    sizes = (100, 200, 500, 2000)
    rows = []
    for apart in (0.012, 0.03, 0.1):
        for each, boot in ((1, False), (5, False), (1, True), (5, True)):
            row = [f"{apart}", f"{each}", "bootstrap" if boot else "Tango"]
            for n in sizes:
                pairs = (pair(rng, n, MARGIN, apart, each) for _ in range(trials))
                found = verdicts(pairs, boot=boot)
                row.append(f"{found.get('not_worse', 0):.1%}")
            rows.append(row)
    print(f"Worse by the margin ({MARGIN:.0%}) and called not worse, of {trials} pairs\n")
    table(["discordant", "samples a unit", "interval", *(f"n = {n}" for n in sizes)], rows)


def power(rng: Rng, trials: int) -> None:
    """The power curve of the verdict, with 4 % discordant."""
    sizes = (200, 500, 1000, 2000, 5000, 10_000)
    rows = []
    for loss in (-0.01, 0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03):
        row = [f"{loss:.2%}"]
        for n in sizes:
            found = verdicts(pair(rng, n, loss, 0.04) for _ in range(trials))
            kinds = [found.get(code, 0.0) for code in ("not_worse", "worse", "worse_than_margin")]
            row.append(" / ".join(f"{share:.0%}" for share in kinds))
        rows.append(row)
    print(f"Margin {MARGIN:.0%}, 4 % discordant: not worse / worse / worse than the margin\n")
    table(["true loss", *(f"n = {n}" for n in sizes)], rows)


def advice(rng: Rng, trials: int) -> None:
    """Whether as many more samples as advised decide it."""
    rows = []
    for loss in (0.0, 0.0025, 0.005, 0.01, 0.02):
        more, decided = [], []
        for _ in range(trials):
            a, b, units = pair(rng, 400, loss, 0.04)
            found = paired_shares(a, b, units)
            if noninferiority(found.low, found.high, MARGIN).code != "undecided":
                continue
            further = further_samples(found.value, found.standard, found.units, MARGIN)
            more.append(math.nan if further is None else float(further))
            if further is None:
                continue
            more_a, more_b, _ = pair(rng, further, loss, 0.04)
            a, b = np.concatenate([a, more_a]), np.concatenate([b, more_b])
            found = paired_shares(a, b, np.arange(a.size))
            decided.append(noninferiority(found.low, found.high, MARGIN).code != "undecided")
        quartiles = np.nanquantile(more, [0.25, 0.5, 0.75])
        rows.append(
            [
                f"{loss:.2%}",
                f"{len(more) / trials:.0%}",
                " / ".join(f"{number:.0f}" for number in quartiles),
                f"{np.isnan(more).mean():.0%}",
                f"{np.mean(decided):.0%}",
            ]
        )
    print("400 samples, 4 % discordant: further samples that are advised\n")
    head = ["true loss", "undecided at 400", "advised (quartiles)", "no advice", "then decided"]
    table(head, rows)


AXES = (
    Axis(name="latency", higher_is_better=False, scale="positive"),
    Axis(name="accuracy", higher_is_better=True, scale="share"),
    Axis(name="energy", higher_is_better=False, scale="positive"),
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One simulated set of models."""

    truth: Floats
    estimate: Floats
    found: Front


def truths(rng: Rng, spread: float, points: int = 8) -> Floats:
    """Models of which the slower ones are more accurate, more or less.

    Args:
        rng: of the models.
        spread: of the logarithms of costs over their standard errors, and nearly so of accuracies.
        points: number of models.
    """
    size = rng.standard_normal(points)
    costs = np.exp(0.02 * spread * (size + 0.5 * rng.standard_normal((2, points))))
    logits = 2.2 + 0.133 * spread * (size + rng.standard_normal(points)) / 2
    return np.column_stack([costs[0], 1 / (1 + np.exp(-logits)), costs[1]])


def observe(rng: Rng, truth: Floats, samples: int = 500) -> Field:
    """Estimates with a standard error of 2 % of costs, and accuracy over samples."""
    points = len(truth)
    right = rng.binomial(samples, truth[:, 1])
    ends = np.array([wilson(int(one), samples) for one in right])
    seen = truth[:, [0, 2]] * np.exp(0.02 * rng.standard_normal((points, 2)))
    factor = math.exp(1.96 * 0.02)
    estimate = np.column_stack([seen[:, 0], right / samples, seen[:, 1]])
    low = np.column_stack([seen[:, 0] / factor, ends[:, 0], seen[:, 1] / factor])
    high = np.column_stack([seen[:, 0] * factor, ends[:, 1], seen[:, 1] * factor])
    names = [str(at) for at in range(points)]
    drawn = draw_points(names, AXES, estimate, low, high, draws=1000, seed=int(rng.integers(2**31)))
    found = front(drawn.draws, [axis.higher_is_better for axis in AXES])
    return Field(truth=truth, estimate=estimate, found=found)


def on_true_front(truth: Floats) -> NDArray[np.bool_]:
    better = truth * np.where([axis.higher_is_better for axis in AXES], 1.0, -1.0)
    return np.array(
        [
            not any((other >= one).all() and (other > one).any() for other in better)
            for one in better
        ]
    )


def fronts(rng: Rng, trials: int) -> None:
    """Calibration of P(on the front)."""
    edges = np.array([0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0])
    names = [f"{low:.0%} to {high:.0%}" for low, high in pairwise(edges)]
    rows = []
    for spread in (1.0, 3.0, 10.0, 30.0):
        fields = [observe(rng, truths(rng, spread)) for _ in range(trials)]
        said = np.concatenate([one.found.on_front for one in fields])
        true = np.concatenate([on_true_front(one.truth) for one in fields])
        at = np.clip(np.searchsorted(edges, said, side="right") - 1, 0, len(names) - 1)
        bins = [(true[at == index], said[at == index]) for index in range(len(names))]
        row = [
            f"{is_on.mean():.0%}, said {p.mean():.0%} ({p.size})" if p.size else ""
            for is_on, p in bins
        ]
        rows.append([f"{spread:.0f}", *row])
    print("Truly on the front, by the probability that is said (points); three metrics, 8 points\n")
    table(["spread / error", *names], rows)


def separate(rng: Rng, points: int = 8) -> Floats:
    """Costs 10 % apart, known to ± 4 %; accuracies 4 % apart, known to ± 2 % (2000 samples)."""
    size = np.argsort(np.argsort(np.arange(points) + rng.normal(0, 2, points)))
    cost = 1.1 ** np.arange(points)
    return np.column_stack([cost, 0.66 + 0.04 * size, cost * rng.permutation([1.0, 1.5] * 4)])


def recommended(rng: Rng, trials: int) -> None:
    """Whether the fastest of those that reach an accuracy is truly on the front."""
    rows = []
    for spread in (None, 30.0, 10.0, 3.0, 1.0):
        hits = []
        for _ in range(trials):
            truth = separate(rng) if spread is None else truths(rng, spread)
            one = observe(rng, truth, 2000 if spread is None else 500)
            asked = rng.choice(one.estimate[:, 1])
            costs = np.where(one.estimate[:, 1] >= asked, one.estimate[:, 0], np.inf)
            hits.append(on_true_front(truth)[np.argmin(costs)])
        name = "apart by more than their intervals" if spread is None else f"{spread:.0f}"
        rows.append([name, f"{np.mean(hits):.1%}"])
    print("The fastest of those that reach an accuracy, by their estimates\n")
    table(["spread / error", "on the true front"], rows)


PARTS: dict[str, Callable[[Rng, int], None]] = {
    "shares": shares,
    "metrics": metrics,
    "differences": differences,
    "errors": errors,
    "power": power,
    "advice": advice,
    "fronts": fronts,
    "recommended": recommended,
}


def main() -> None:
    """Runs the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(PARTS))
    given = parser.parse_args()
    for name in given.only.split(","):
        begin = time.perf_counter()
        PARTS[name](np.random.default_rng(given.seed), given.trials)
        print(f"{name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
