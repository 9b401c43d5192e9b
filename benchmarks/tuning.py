"""Whether `inferometer tune` finds the best candidate, and what that costs beside a whole grid.

    python benchmarks/tuning.py simulated [--grids 200]
    python benchmarks/tuning.py real resnet18 [--budget 3m]

`simulated`: grids of 6 to 30 candidates with known costs, on a machine that drifts, in processes
that differ, with outliers; three kinds: costs far apart, near, and very near. Told are the share of
grids in which the true best is the winner or tied with it, how much slower than the best the winner
is, and the time of the race over that of a grid that gives every candidate as many processes and
rounds as the race gives at the most.

`real`: the exhaustive grid of a model in one run (three processes each), and `tune` over the same
candidates; told are both winners, the ratio of their medians in the grid, and both times.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median

import numpy as np

from inferometer.runner.tuning.race import HEATS, Seen, race

SPREADS = {"far": 0.6, "near": 0.3, "very near": 0.08}
"""Standard deviation of the logarithm of the candidates' costs."""

LOAD_S, ROUND_S, LAPS = 3.0, 0.3, 4


class Machine:
    """Heats of simulated candidates."""

    is_over = False

    def __init__(self, costs: Sequence[float], random: np.random.Generator) -> None:
        self.costs, self.random = costs, random
        self.between = float(random.choice([0.005, 0.02, 0.05]))
        self.noise = float(random.choice([0.01, 0.03]))
        self.drift = float(random.choice([0.02, 0.1, 0.3]))
        self.now_s = self.state = self.work_s = 0.0
        self.processes = 0

    def heat(self, candidates: Sequence[int]) -> Mapping[int, Sequence[Seen]]:
        """Four rounds of each, in turns."""
        found: dict[int, list[Seen]] = {one: [] for one in candidates}
        numbers = {one: self.processes + at for at, one in enumerate(candidates)}
        self.processes += len(candidates)
        effects = {one: self.random.normal(0, self.between) for one in candidates}
        self._spend(LOAD_S * len(candidates))
        for _ in range(LAPS):
            for one in self.random.permutation(np.array(candidates)):
                self._spend(ROUND_S)
                logarithm = self.state + effects[one] + self.random.normal(0, self.noise)
                if self.random.random() < 0.03:
                    logarithm += self.random.exponential(0.3)
                call_s = self.costs[one] * math.exp(logarithm)
                found[int(one)].append(Seen(numbers[one], self.now_s, call_s))
        return found

    def _spend(self, seconds: float) -> None:
        self.now_s += seconds
        self.work_s += seconds
        decay = math.exp(-seconds / 60)
        self.state = decay * self.state + self.random.normal(
            0, self.drift * math.sqrt(1 - decay**2)
        )


def simulated(grids: int) -> None:
    """Print a row for each kind of grid."""
    print("costs      found  tied  slower than best: median, most  time over the grid's")
    for kind, spread in SPREADS.items():
        hits, tied, slower, shares = [], [], [], []
        for seed in range(grids):
            random = np.random.default_rng([seed, len(kind)])
            number = int(random.integers(6, 31))
            costs = list(0.02 * np.exp(random.normal(0, spread, number)))
            machine = Machine(costs, random)
            found = race(list(range(number)), machine, lambda _: 1.0)
            best = int(np.argmin(costs))
            assert found.winner is not None
            hits.append(found.winner == best or best in found.tied)
            tied.append(len(found.tied))
            slower.append(costs[found.winner] / costs[best] - 1)
            shares.append(machine.work_s / (number * HEATS * (LOAD_S + LAPS * ROUND_S)))
        print(
            f"{kind:<10} {mean(hits):5.1%} {mean(tied):5.1f}  {median(slower):8.1%}  "
            f"{max(slower):8.1%}  {mean(shares):8.0%}",
            flush=True,
        )


def real(model: str, budget: str, backends: str) -> None:
    """The grid and the search, one after the other."""
    axes = ["--backends", backends, "--precisions", "fp32,int8", "--size", "224"]
    with tempfile.TemporaryDirectory() as folder:
        grid: list[dict[str, float]] = []
        begin = time.monotonic()
        for threads in ("1", "2"):
            path = Path(folder) / f"grid{threads}.json"
            _inferometer(
                *("run", "--models", model, *axes, "--batch", "1", "--threads", threads),
                *("--no-energy", "--store", f"{folder}/grid.db", "--json", str(path)),
            )
            grid += [one for one in json.loads(path.read_text()) if one["status"] == "ok"]
        grid_s, begin = time.monotonic() - begin, time.monotonic()
        path = Path(folder) / "tune.json"
        _inferometer(
            *("tune", model, *axes, "--batch", "1", "--threads", "1,2"),
            *("--budget", budget, "--json", str(path)),
        )
        tune_s = time.monotonic() - begin
        winner = json.loads(path.read_text())["winner"]
    names = ("backend", "precision", "threads")
    places = {tuple(one[name] for name in names): one["latency_median_s"] for one in grid}
    best = min(places, key=lambda one: places[one])
    chosen = tuple(winner[name] for name in names)
    print(f"{model}: the grid's best is {best}, {1e3 * places[best]:.2f} ms, in {grid_s:.0f} s")
    print(
        f"  tune chose {chosen}, {places[chosen] / places[best] - 1:+.1%} in the grid's own "
        f"figures, in {tune_s:.0f} s, {tune_s / grid_s:.0%} of the grid's time"
    )


def _inferometer(*arguments: str) -> None:
    status = subprocess.run(
        [sys.executable, "-m", "inferometer", *arguments], stdout=subprocess.DEVNULL, check=False
    ).returncode
    if status > 1:
        raise SystemExit(f"inferometer {' '.join(arguments)} left with status {status}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", choices=("simulated", "real"))
    parser.add_argument("models", nargs="*", default=["resnet18"])
    parser.add_argument("--grids", type=int, default=200)
    parser.add_argument("--budget", default="3m")
    parser.add_argument("--backends", default="torch,torchscript,onnxruntime,openvino")
    asked = parser.parse_args()
    if asked.part == "simulated":
        simulated(asked.grids)
    else:
        for model in asked.models:
            real(model, asked.budget, asked.backends)


if __name__ == "__main__":
    main()
