"""How often the interval that is reported at the stop holds the true median.

    python benchmarks/coverage.py [--trials N] [--seed N] [--jobs 1|2] [--only CELLS]

Simulated processes with a known median are measured as the runner does: rounds of 20 calls, looked
at by `look`, until the target is met or the limit is reached. Between the rounds the process goes
on for `gap` calls: 0 for the only workload, 60 where three others have their turn. Where the level
changes, the least span is 5000 calls on the clock (10 s of calls of 2 ms); elsewhere there is none,
which is harder. A false "target met" is one whose estimate is further from the truth than the
target; its share is of all trials. The reference stops after any call at which the order-statistic
interval for independent values is narrow enough.
"""

from __future__ import annotations

import argparse
import bisect
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import binomtest

from inferometer.stats.intervals import quantile_interval
from inferometer.stats.processes import process_interval
from inferometer.stats.stopping import Rule, look

Floats = NDArray[np.float64]
Rounds = Sequence[Sequence[float]]
Draw = Callable[[np.random.Generator, int], Floats]

CALLS = 20  # of a round
GAPS = (0, 60)  # calls for which a process goes on between rounds
SPAN = 5000
RULE = Rule(
    target=0.02,
    confidence=0.95,
    min_calls=100,
    min_rounds=20,
    min_span_s=0.0,
    max_calls=20_000,
    max_time_s=math.inf,
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A kind of process, and what is asked of the interval."""

    name: str
    draw: Draw
    gap: int
    low: float
    high: float = 1.0
    refusal_counts: bool = False
    span_calls: int = 0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The end of one measurement."""

    covered: bool
    met: bool
    false: bool
    calls: int
    naive: bool


def lognormal(rng: np.random.Generator, n: int, *, sd: float) -> Floats:
    """Independent values."""
    return np.exp(sd * rng.standard_normal(n))


def spikes(rng: np.random.Generator, n: int, *, sd: float) -> Floats:
    """Independent values, 5 % of which are longer by a factor with a Pareto tail."""
    return lognormal(rng, n, sd=sd) * (1 + (rng.random(n) < 0.05) * rng.pareto(1.5, n))


def autoregression(rng: np.random.Generator, n: int, *, phi: float, sd: float) -> Floats:
    """Log values of first order, stationary from the start."""
    steps = rng.standard_normal(n) * math.sqrt(1 - phi**2)
    steps[0] /= math.sqrt(1 - phi**2)
    logs: Floats = lfilter([1.0], [1.0, -phi], steps)
    return np.exp(sd * logs)


def regimes(rng: np.random.Generator, n: int, *, dwell: float, slow_share: float) -> Floats:
    """The level is 1 or 1.15, for geometric numbers of calls."""
    means = np.array([dwell * (1 - slow_share), dwell * slow_share]) * 2
    turns = 4 * int(n / dwell) + 40
    state = int(rng.random() < slow_share)
    states = (np.arange(turns) + state) % 2
    level = np.repeat(1 + 0.15 * states, rng.geometric(1 / means[states]))[:n]
    return level * lognormal(rng, level.size, sd=0.02)


def cells() -> list[Cell]:
    """What the scorecard lists."""
    strict = {
        "iid": partial(lognormal, sd=0.2),
        "iid, 5 % Pareto spikes": partial(spikes, sd=0.2),
        "AR(1) 0.5": partial(autoregression, phi=0.5, sd=0.2),
        "AR(1) 0.9": partial(autoregression, phi=0.9, sd=0.1),
        "AR(1) 0.95": partial(autoregression, phi=0.95, sd=0.1),
    }
    loose = {
        f"levels, dwell {dwell}, {share:.0%} slow": partial(regimes, dwell=dwell, slow_share=share)
        for dwell in (64, 400)
        for share in (1 / 3, 1 / 2)
    }
    return [
        *(
            Cell(name=k, draw=v, gap=g, low=0.93, high=0.98)
            for k, v in strict.items()
            for g in GAPS
        ),
        *(
            Cell(name=k, draw=v, gap=g, low=0.9, refusal_counts=True, span_calls=SPAN)
            for k, v in loose.items()
            for g in GAPS
        ),
    ]


@cache
def truth(index: int) -> float:
    """Median of the marginal distribution, from four million values or by symmetry."""
    cell = cells()[index]
    if isinstance(cell.draw, partial) and cell.draw.func in (lognormal, autoregression):
        return 1.0
    rng = np.random.default_rng(7)
    if isinstance(cell.draw, partial) and cell.draw.func is regimes:
        # the marginal mixture, drawn independently: dwell times would leave noise in it
        n, share = 4_000_000, cell.draw.keywords["slow_share"]
        return float(np.median((1 + 0.15 * (rng.random(n) < share)) * lognormal(rng, n, sd=0.02)))
    return float(np.median(cell.draw(rng, 4_000_000)))


def measure(values: Floats, gap: int, span_calls: int = 0) -> tuple[Rounds, str]:
    """Take rounds as the runner does, until `look` says stop."""
    period = CALLS + gap
    rule = replace(RULE, min_span_s=float(span_calls))
    due = RULE.min_rounds
    while True:
        # arrays serve as well as lists of floats, and are faster
        parts = [values[i * period : i * period + CALLS] for i in range(due)]
        rounds = cast("Rounds", parts)
        seen = look(rounds, rule, span_s=float(due * period))
        if seen.decision != "more":
            return rounds, seen.decision
        due = min(seen.rounds, RULE.max_calls // CALLS)


def naive_covers(values: Floats, true: float) -> bool:
    """Whether the order-statistic interval for independent values holds it, stopped at any call."""
    ordered: list[float] = []
    low = high = 0.0
    for value in values.tolist():
        bisect.insort(ordered, value)
        n = len(ordered)
        if n < 30:
            continue
        half = 0.98 * math.sqrt(n)
        low = ordered[max(int(n / 2 - half), 0)]
        high = ordered[min(math.ceil(n / 2 + half), n - 1)]
        if high - low <= 2 * RULE.target * ordered[n // 2]:
            break
    return low <= true <= high


def trial(index: int, seed: int, number: int) -> Trial:
    """One measurement of one cell."""
    cell, true = cells()[index], truth(index)
    rng = np.random.default_rng([seed, index, number])
    values = cell.draw(rng, RULE.max_calls // CALLS * (CALLS + cell.gap))
    rounds, decision = measure(values, cell.gap, cell.span_calls)
    found = quantile_interval(rounds, 0.5, RULE.confidence)
    covered = found.low is not None and found.high is not None and found.low <= true <= found.high
    period = CALLS + cell.gap
    taken = values[: values.size // period * period].reshape(-1, period)[:, :CALLS].ravel()
    met = decision == "target_met"
    return Trial(
        covered=covered,
        met=met,
        false=met and abs(true / found.value - 1) > RULE.target,
        calls=len(rounds) * CALLS,
        naive=naive_covers(taken, true),
    )


def process_trial(processes: int, sd: float, seed: int, number: int) -> bool:
    """Whether the interval over fresh processes holds the median of the typical one."""
    rng = np.random.default_rng([seed, processes, round(sd * 1000), number])
    medians, within = [], []
    for level in np.exp(sd * rng.standard_normal(processes)):
        rounds, _ = measure(level * lognormal(rng, RULE.max_calls, sd=0.1), 0)
        found = quantile_interval(rounds, 0.5, RULE.confidence)
        medians.append(found.value)
        if found.low is not None and found.high is not None:
            within.append((found.high - found.low) / 2 / found.value / 1.96)
    found_all = process_interval(medians, RULE.confidence, within)
    assert found_all.low is not None
    assert found_all.high is not None
    return found_all.low <= 1.0 <= found_all.high


def rate(hits: int, n: int) -> str:
    """A share with its 95 % binomial interval."""
    if not n:
        return "-"
    ci = binomtest(hits, n).proportion_ci()
    return f"{hits / n:.3f} [{ci.low:.3f}, {ci.high:.3f}]"


def report(cell: Cell, trials: list[Trial]) -> tuple[bool, bool]:
    """Print the row of a cell; whether its coverage and its false stops are as asked."""
    n = len(trials)
    met = [t for t in trials if t.met]
    covered = sum(t.covered or (cell.refusal_counts and not t.met) for t in trials)
    false = sum(t.false for t in met)
    right = cell.low <= covered / n <= cell.high
    honest = false <= 0.05 * n
    print(
        f"{cell.name:26} {cell.gap:3}  {cell.low:.2f}-{cell.high:.2f}  {rate(covered, n)} "
        f"{'ok  ' if right else 'MISS'}  {rate(false, n):22} {'ok  ' if honest else 'MISS'}"
        f"  {1 - len(met) / n:7.3f}  {np.mean([t.calls for t in trials]):7.0f}"
        f"  {np.mean([t.naive for t in trials]):.3f}",
        flush=True,
    )
    return right, honest


def main() -> None:
    """Run every cell and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cells whose name begins so, or: processes")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2)
    args = parser.parse_args()
    print(
        f"{args.trials} trials, target {RULE.target:.0%}, at most {RULE.max_calls} calls\n"
        f"{'process':26} gap  asked      covered (or refused)       false 'target met'"
        "           refused    calls  iid rule"
    )
    verdicts = []
    with ProcessPoolExecutor(args.jobs) as pool:
        for index, cell in enumerate(cells()):
            if not cell.name.startswith(args.only):
                continue
            one = partial(trial, index, args.seed)
            verdicts += [report(cell, list(pool.map(one, range(args.trials), chunksize=25)))]
        pairs = []
        for processes in (3, 5) if args.only in ("", "processes") else ():
            for sd in (0.01, 0.05):
                each = partial(process_trial, processes, sd, args.seed)
                hits = sum(pool.map(each, range(args.trials), chunksize=25))
                pairs.append(0.93 <= hits / args.trials <= 0.98)
                print(
                    f"{processes} processes, sd {sd:.0%}{'':9}   0  0.93-0.98  "
                    f"{rate(hits, args.trials)} {'ok' if pairs[-1] else 'MISS'}",
                    flush=True,
                )
    done = [cell for cell in cells() if cell.name.startswith(args.only)]
    strict = [v[0] for v, c in zip(verdicts, done, strict=True) if not c.refusal_counts]
    loose = [v[0] for v, c in zip(verdicts, done, strict=True) if c.refusal_counts]
    for row, results in (
        ("coverage at stop, 93-98 %", strict),
        ("coverage of changing levels, at least 90 % or refused", loose),
        ("false 'target met', at most 5 %", [v[1] for v in verdicts]),
        ("coverage over processes, 93-98 %", pairs),
    ):
        print(f"{row}: {'met' if all(results) else 'MISSED'} ({sum(results)} of {len(results)})")


if __name__ == "__main__":
    main()
