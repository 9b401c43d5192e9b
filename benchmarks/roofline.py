"""How well the roofline probe repeats itself, and how long it takes.

    python benchmarks/roofline.py [TIMES] [PRECISIONS] [THREADS]

Each probe runs in a process of its own, as before a run; precisions and threads alternate. The
goal is a half range within 5 % of the median on a quiet machine. The load average is shown, since
other programs are what spreads the figures.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from statistics import median

from inferometer.core import units
from inferometer.core.roofline import Roofline
from inferometer.host.cpus import physical_cores
from inferometer.runner.phases.roofline import probe_roofline

UNITS = {"arithmetic": "FLOP/s", "memory": "B/s", "caches": "B/s"}
GOAL = 0.05


def rates(roofline: Roofline) -> dict[str, float]:
    found = {"arithmetic": roofline.flops.best, "memory": roofline.memory.best}
    if roofline.cache is not None:
        found["caches"] = roofline.cache.best
    return {**found, "operator": roofline.dispatch_s}


def shown(name: str, value: float) -> str:
    return units.quantity(value, UNITS[name]) if name in UNITS else units.seconds(value)


def main(times: int, precisions: list[str], threads: list[int]) -> None:
    values: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    took, loads = [], [os.getloadavg()[0]]
    for _ in range(times):
        for precision in precisions:
            for count in threads:
                begin = time.perf_counter()
                roofline = probe_roofline("torch", precision, device="cpu", threads=count)
                took.append(time.perf_counter() - begin)
                for name, value in rates(roofline).items():
                    values[precision, count, name].append(value)
        loads.append(os.getloadavg()[0])
    print(f"{'precision':<10}{'threads':>7}  {'what':<11}{'median':>14}{'least':>14}{'most':>14}")
    for (precision, count, name), found in values.items():
        middle, least, most = median(found), min(found), max(found)
        spread = (most - least) / 2 / middle
        row = "".join(f"{shown(name, value):>14}" for value in (middle, least, most))
        verdict = "" if spread <= GOAL else "  missed"
        print(f"{precision:<10}{count:>7}  {name:<11}{row}  ± {units.percent(spread)}{verdict}")
    print(f"a probe took {units.seconds(median(took))} (at most {units.seconds(max(took))})")
    print(f"load average of a minute: {min(loads):.1f} to {max(loads):.1f}")


if __name__ == "__main__":
    given = dict(enumerate(sys.argv[1:]))
    main(
        int(given.get(0, "8")),
        given.get(1, "fp32,bf16").split(","),
        [int(n) for n in given.get(2, f"1,{physical_cores()}").split(",")],
    )
