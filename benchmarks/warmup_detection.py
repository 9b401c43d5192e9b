"""How well the end of warm-up is found, on simulated traces whose truth is known.

Run: `python benchmarks/warmup_detection.py --trials 2000`. Seeded: the same table every time.
Noise: independent log-normal (1 to 5 %), first-order autoregressive (0.5, 0.9), 5 % Pareto spikes,
and a neighbour's load that comes and goes. Shapes: none, exponential decay, a step of 200 calls,
two steps, and a ramp of 1 % every 50 calls that never ends. A step that is no higher than the
neighbour's load (within the rule's 5 %) looks like that load, which goes on coming: it is hidden,
and counted with the others, and its share is told. Beside our rule stand two that others
use, written here from their descriptions: two windows that look alike, and MSER-5.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from inferometer.stats.trend import trend
from inferometer.stats.warmup import steady_state

Floats = NDArray[np.float64]
Rule = Callable[[Floats], "int | None"]
STEP = 200
TOLERANCE = 0.05  # within which our rule takes two levels for one
NOISES = ("iid", "ar 0.5", "ar 0.9", "spikes", "regimes")
SHAPES = ("none", "decay", "step", "two steps", "ramp")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Simulated durations, and the call at which they become steady.

    Attributes:
        values_s: durations.
        noise: kind of noise.
        shape: kind of warm-up.
        steady: the call; None if they never do.
        hidden: whether the last step looks like the load that comes and goes.
    """

    values_s: Floats
    noise: str
    shape: str
    steady: int | None
    hidden: bool


def simulated_noise(kind: str, n: int, rng: np.random.Generator) -> tuple[Floats, float]:
    """Noise of log durations, with a deviation of 1 to 5 %, and the height of its levels."""
    sd = rng.uniform(0.01, 0.05)
    if kind.startswith("ar"):
        phi = float(kind.split()[1])
        white = rng.normal(0, sd * np.sqrt(1 - phi**2), n + 200)
        correlated: Floats = lfilter([1], [1, -phi], white)[200:]
        return correlated, 0.0
    log = rng.normal(0, sd, n)
    if kind == "spikes":
        spiked = rng.random(n) < 0.05
        log[spiked] += np.log1p(rng.pareto(1.5, int(spiked.sum())))
    if kind == "regimes":
        dwell = rng.choice([64, 400])
        switches = np.cumsum(rng.random(n) < 1 / dwell) + rng.integers(2)
        height = rng.uniform(0.05, 0.3)
        return log + height * (switches % 2), height
    return log, 0.0


def simulated_shape(kind: str, n: int, rng: np.random.Generator) -> tuple[Floats, int | None]:
    """Log level of each call, and the call at which it becomes steady (within 1 %)."""
    calls = np.arange(n)
    height = np.log1p(rng.uniform(0.15, 1.0))
    if kind == "decay":
        scale = rng.uniform(2, 60)
        return height * np.exp(-calls / scale), int(scale * np.log(height / 0.01))
    if kind == "step":
        return height * (calls < STEP), STEP
    if kind == "two steps":
        return height * ((calls < STEP / 2) + 0.5 * ((calls >= STEP / 2) & (calls < STEP))), STEP
    if kind == "ramp":
        return np.log(1.01) * (calls // 50), None
    return np.zeros(n), 0


def traces(trials: int, seed: int) -> list[Trace]:
    """Traces of 300 to 3000 calls of 1 ms: every noise with every shape in turn."""
    found = []
    for i in range(trials):
        rng = np.random.default_rng([seed, i])
        noise, shape = NOISES[i % len(NOISES)], SHAPES[i // len(NOISES) % len(SHAPES)]
        n = int(rng.integers(500 if shape == "ramp" else 300, 3001))
        level, steady = simulated_shape(shape, n, rng)
        noises, height = simulated_noise(noise, n, rng)
        found.append(
            Trace(
                values_s=1e-3 * np.exp(level + noises),
                noise=noise,
                shape=shape,
                steady=steady,
                hidden="step" in shape and 0 < level[STEP - 1] <= height + TOLERANCE,
            )
        )
    return found


def two_windows(values_s: Floats) -> int | None:
    """First window of 50 calls whose mean and quartiles are within 10 % of those of the next."""
    for start in range(0, values_s.size - 100, 10):
        a, b = values_s[start : start + 50], values_s[start + 50 : start + 100]
        left, right = [[w.mean(), *np.quantile(w, (0.25, 0.75))] for w in (a, b)]
        if np.allclose(left, right, rtol=0.1):
            return start
    return None


def mser5(values_s: Floats) -> int | None:
    """MSER-5: means of 5, cut where the squared standard error of the rest is least.

    White, Cobb and Spratt, A comparison of five steady-state truncation heuristics for simulation,
    Winter Simulation Conference, 2000. A cut in the second half counts as no steady state.
    """
    means = values_s[: values_s.size // 5 * 5].reshape(-1, 5).mean(axis=1)
    left = np.arange(means.size, 0, -1)
    sums, squares = np.cumsum(means[::-1])[::-1], np.cumsum(means[::-1] ** 2)[::-1]
    errors = (squares - sums**2 / left) / left**2
    cut = int(np.argmin(errors[:-5]))
    return None if cut > means.size / 2 else 5 * cut


def ours(values_s: Floats) -> int | None:
    return steady_state(list(values_s)).first


def is_trending(values_s: Floats) -> bool:
    """Whether the slope over the whole trace excludes 0."""
    found = trend(list(np.cumsum(values_s)), list(values_s), [0] * values_s.size)
    return (
        found is not None
        and found.low is not None
        and found.high is not None
        and (found.low > 0 or found.high < 0)
    )


@dataclass(frozen=True, kw_only=True)
class Score:
    """Shares of traces, 0 to 1; NaN where no trace is of that kind."""

    over_cut: float
    missed_step: float
    refused: float
    passed_ramp: float


def score(rule: Rule, sample: list[Trace]) -> Score:
    over, missed, refused, passed = [], [], [], []
    for trace in sample:
        first = rule(trace.values_s)
        if trace.steady is None:
            passed.append(first is not None and not is_trending(trace.values_s[first:]))
            continue
        if "step" in trace.shape:
            missed.append(first is not None and first < 0.9 * STEP)
        if trace.steady <= 0.5 * trace.values_s.size:
            refused.append(first is None)
            if first is not None:
                over.append(first > trace.steady + 100)
    shares = [float(np.mean(s)) if s else float("nan") for s in (over, missed, refused, passed)]
    return Score(
        over_cut=shares[0], missed_step=shares[1], refused=shares[2], passed_ramp=shares[3]
    )


def print_table(rules: dict[str, Rule], sample: list[Trace]) -> None:
    groups = {"all": sample, "without regimes": [t for t in sample if t.noise != "regimes"]}
    groups |= {noise: [t for t in sample if t.noise == noise] for noise in NOISES}
    print("| traces | rule | over-cut > 100 calls | missed step | refused | ramp passed |")
    print("|---|---|---|---|---|---|")
    for name, group in groups.items():
        for rule_name, rule in rules.items():
            s = score(rule, group)
            shares = (s.over_cut, s.missed_step, s.refused, s.passed_ramp)
            cells = " | ".join(f"{100 * share:.1f} %" for share in shares)
            print(f"| {name} ({len(group)}) | {rule_name} | {cells} |")
    print("| target | | <= 5 % | <= 2 % | published | 0 % |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    started = time.perf_counter()
    sample = traces(arguments.trials, arguments.seed)
    print_table({"ours": ours, "two windows": two_windows, "MSER-5": mser5}, sample)
    seen = [t for t in sample if not t.hidden]
    print(f"hidden steps: {len(sample) - len(seen)}; without them:")
    print_table({"ours": ours}, seen)
    print(f"{arguments.trials} traces, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
