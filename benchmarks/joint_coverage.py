"""Coverage of the joint fit's relative intervals over simulated runs whose truth is known.

    python benchmarks/joint_coverage.py [--runs 60] [--jobs 2] [--alone]

Each run is a random walk and an autoregressive state of the machine, process effects, noise and
spikes; all pairs of workloads count. With --alone one workload is slowed for a part of the time:
how often it is named, how often its intervals hold the ratio without the slowdown, and how often
another one is named.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "stats"))

import numpy as np
from simulated_run import Machine, covered, simulate  # type: ignore[import-not-found]

from inferometer.stats.joint.fit import joint_fit

MACHINES = {
    "usual": Machine(),
    "still": Machine(fast=0.02, walk=0.0, spikes=0.0),
    "uneven": Machine(between=0.02, fast=0.02, noise=0.02, walk=0.02, spikes=0.01, uneven=1.5),
    "wild": Machine(between=0.08, fast_s=4.0, walk=0.3, spikes=0.08),
}


def one(case: tuple[int, int, int, str]) -> tuple[float, float, float]:
    """Share of covered pairs, median relative half-width, workloads that were named."""
    seed, workloads, replicates, machine = case
    run = simulate(seed, workloads, replicates, machine=MACHINES[machine])
    fit = joint_fit(*run.rounds)
    assert fit is not None
    return covered(fit, run.truth), float(np.median(fit.relative)), float(len(fit.alone))


def planted(case: tuple[int, int, tuple[float, float], float]) -> tuple[float, float, float]:
    """Whether the slowed workload is named, whether it is covered, how many others are named."""
    seed, replicates, (begin, end), size = case
    run = simulate(
        seed,
        20,
        replicates,
        alone=lambda w, at: size * ((w == 1) & (at > begin) & (at < end)),
    )
    fit = joint_fit(*run.rounds)
    assert fit is not None
    others = np.arange(20) != 1
    error = fit.mean[others] - fit.mean[1] - run.truth[others] + run.truth[1]
    held = np.abs(error) <= np.hypot(fit.relative[others], fit.relative[1])
    named = [one.workload for one in fit.alone]
    return float(1 in named), float(held.mean()), float(sum(name != 1 for name in named))


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=60)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--alone", action="store_true")
    given = options.parse_args()
    with ProcessPoolExecutor(given.jobs) as pool:
        if given.alone:
            print("replicates  slowed     by  named  covered  others named")
            spans = ((0.4, 0.6), (0.5, 1.0), (0.33, 0.66))
            for replicates, span, size in product((2, 3, 6), spans, (0.1, 0.3)):
                slowed = [(seed, replicates, span, size) for seed in range(given.runs)]
                named, held, others = np.mean(list(pool.map(planted, slowed)), axis=0)
                print(
                    f"{replicates:10}  {span[0]:.0%} to {span[1]:.0%}  {size:.1f}  {named:5.0%}"
                    f"  {held:7.1%}  {others:.2f}",
                    flush=True,
                )
            return
        print("workloads  replicates  machine  coverage (standard error)  half-width  named")
        for workloads, replicates in product((2, 4, 10, 40), (2, 3, 6)):
            for machine in MACHINES:
                runs = given.runs if workloads < 40 else max(given.runs // 4, 8)
                cases = [(seed, workloads, replicates, machine) for seed in range(runs)]
                found = np.array(list(pool.map(one, cases)))
                error = found[:, 0].std() / np.sqrt(runs)
                print(
                    f"{workloads:9}  {replicates:10}  {machine:7}  {found[:, 0].mean():8.1%}"
                    f" ({error:.1%})  {np.median(found[:, 1]):10.1%}  {found[:, 2].mean():.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
