"""How often `stats.history` finds slowdowns of simulated nightly runs, and how often none that is.

    python benchmarks/history.py [--series 200] [--nights 365] [--every 1] [--scenes drawn,still …]

A night gives the logarithm of a workload's latency over that of a control beside it. Machines
differ by 10 to 20 % in all that runs on them (standard deviation 15 %): that is common to workload
and control. What the control does not catch of a machine, and what a night adds of its own, is what
is left of the ratio: see `SCENES`. Every night is looked at as `inferometer history` would, with
the runs until then.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.stats.history.changes import FEWEST, Course, course

Floats = NDArray[np.float64]
WITHIN = 14
"""Nights after a change, by which it is to be found."""
SLOWDOWNS = (0.03, 0.05, 0.10)
GATE = 0.05
NEAR = 7
"""Nights beside the true one that a found change may be dated at."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Nights that are simulated.

    Attributes:
        common: standard deviation of what a machine does to workload and control alike.
        caught: share of it that the control shows.
        machine: standard deviation of what a machine does to the workload alone.
        night: of what a night adds of its own.
        outliers: share of nights that are 10 to 40 % off.
        stays: nights on a machine before another is drawn, on average.
        named: whether it is known on which of the machines a night ran.
        error: standard error that each ratio is said to have; what is said need not be true.
    """

    common: float = 0.15
    caught: float = 1.0
    machine: float = 0.01
    night: float = 0.015
    outliers: float = 0.02
    stays: float = 1.0
    named: bool = False
    error: float = 0.01


SCENES = {
    "still": Scene(common=0.0, machine=0.0, outliers=0.0),
    "drawn": Scene(),
    "partly": Scene(caught=0.95),
    "named": Scene(machine=0.05, named=True),
    "stays": Scene(stays=10.0),
    "months": Scene(stays=60.0),
}
MACHINES = 8


def nights(scene: Scene, count: int, random: np.random.Generator) -> tuple[Floats, list[str]]:
    """Log-ratios to the control, and the machine of each night."""
    common = random.normal(0, scene.common, MACHINES)
    own = random.normal(0, scene.machine, MACHINES)
    moved = random.random(count) < 1 / scene.stays
    drawn = random.integers(MACHINES, size=count)
    machine = drawn[np.maximum.accumulate(np.where(moved, np.arange(count), 0))]
    workload = common[machine] + own[machine] + random.normal(0, scene.night, count)
    control = scene.caught * common[machine]
    off = random.random(count) < scene.outliers
    workload[off] += random.choice([-1, 1, 1], off.sum()) * random.uniform(0.1, 0.34, off.sum())
    names = [f"machine {one}" if scene.named else "" for one in machine]
    return workload - control, names


def looked_at(values: Floats, names: Sequence[str], until: int, error: float) -> Course:
    """What is known after so many nights."""
    return course(values[:until].tolist(), [error] * until, names[:until])


def false_alarm(
    scene: Scene, count: int, every: int, random: np.random.Generator
) -> tuple[bool, bool]:
    """Whether a year without a change has one on any of its nights, and whether a gate fails."""
    values, names = nights(scene, count, random)
    changed = failed = False
    for until in [*range(FEWEST, 60), *range(60, count + 1, every)]:
        known = looked_at(values, names, until, scene.error)
        last = len(known.levels) - 1
        shifts = [known.shift(earlier, last) for earlier in range(last)]
        changed |= bool(shifts)
        failed |= any(one.log_ratio - one.half_width(0.95) > math.log1p(GATE) for one in shifts)
    return changed, failed


def delay(scene: Scene, slower: float, random: np.random.Generator) -> tuple[float, Course | None]:
    """Nights until a slowdown is found, infinite beyond `WITHIN`, and what was known then."""
    begin = int(random.integers(40, 330))
    values, names = nights(scene, begin + WITHIN, random)
    values[begin:] += math.log1p(slower)
    for night in range(1, WITHIN + 1):
        known = looked_at(values, names, begin + night, scene.error)
        for change in known.changes:
            if abs(change.at - begin) <= NEAR and change.shift.log_ratio > 0:
                return night, known
    return math.inf, None


def covered(known: Course, slower: float) -> bool:
    """Whether the interval of the last change holds what was planted."""
    shift = known.changes[-1].shift
    return abs(shift.log_ratio - math.log1p(slower)) <= shift.half_width(0.95)


def main() -> None:
    """Print a row for each scene."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--series", type=int, default=200)
    asked.add_argument("--nights", type=int, default=365)
    asked.add_argument("--every", type=int, default=1, help="looks after the 60th night")
    asked.add_argument("--scenes", default=",".join(SCENES))
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    for name in given.scenes.split(","):
        begin, scene = time.perf_counter(), SCENES[name]
        random = np.random.default_rng(given.seed)
        years = [false_alarm(scene, given.nights, given.every, random) for _ in range(given.series)]
        wrong, failed = (sum(one) / given.series for one in zip(*years, strict=True))
        row = [f"{name:8} false alarms a year {wrong:6.1%}, of --fail-slower 5% {failed:6.1%}"]
        for slower in SLOWDOWNS:
            tries = [delay(scene, slower, random) for _ in range(given.series)]
            found = [(nights, known) for nights, known in tries if known is not None]
            right = sum(covered(known, slower) for _, known in found) / max(len(found), 1)
            middle = np.median([nights for nights, _ in tries])
            row.append(
                f"{slower:.0%}: {len(found) / given.series:6.1%} in {middle:g}, covered {right:.0%}"
            )
        print("; ".join(row), f"({time.perf_counter() - begin:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
