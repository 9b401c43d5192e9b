"""Coverage of contrasts and absolute figures over simulated runs that are spread over devices.

    python benchmarks/fleet_devices.py [--runs 40] [--jobs 2]

Devices of one class differ by a factor that is drawn anew for each run; each has its own state, and
workload 0 is measured on all of them. "within" are pairs of workloads of one device, "across" those
of two; "absolute" is the level of a typical device of the class.
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
from simulated_run import Machine, simulate_devices  # type: ignore[import-not-found]

from inferometer.stats.joint.fit import joint_fit

MACHINES = {
    "calm": Machine(noise=0.02, between=0.01, fast=0.02, walk=0.0, spikes=0.01),
    "usual": Machine(),
}


def one(case: tuple[int, int, float, str]) -> tuple[float, ...]:
    """Shares covered within, across and absolutely, and the half-widths across and absolutely."""
    seed, devices, factor, machine = case
    spread = simulate_devices(
        seed, devices, 16 // devices, factor=factor, machine=MACHINES[machine]
    )
    fit = joint_fit(*spread.run.rounds, device=spread.device)
    assert fit is not None
    truth = spread.run.truth
    first, second = np.triu_indices(len(truth), 1)
    error = fit.mean[second] - fit.mean[first] - truth[second] + truth[first]
    half = np.hypot(fit.relative[first], fit.relative[second])
    held = np.abs(error) <= half
    own = spread.on[first] == spread.on[second]
    across = ~own & (spread.on[first] >= 0) & (spread.on[second] >= 0)
    absolute = np.hypot(fit.relative, fit.common)
    return (
        float(held[own].mean()),
        float(held[across].mean()),
        float((np.abs(fit.mean - truth) <= absolute).mean()),
        float(np.median(half[across])),
        float(np.median(absolute)),
    )


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=40)
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    print("machine  devices  factor   within  across  absolute  half-width across, absolute")
    with ProcessPoolExecutor(given.jobs) as pool:
        for machine, devices, factor in product(MACHINES, (2, 4), (0.01, 0.03, 0.1)):
            cases = [(seed, devices, factor, machine) for seed in range(given.runs)]
            found = np.array(list(pool.map(one, cases)))
            within, across, absolute = found[:, :3].mean(axis=0)
            wide = np.median(found[:, 3:], axis=0)
            print(
                f"{machine:7}  {devices:7}  {factor:6.0%}  {within:7.1%}  {across:6.1%}"
                f"  {absolute:8.1%}  {wide[0]:10.1%}, {wide[1]:.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
