"""What watching the device costs: the canary and the counters of each round, as a share of wall.

    python benchmarks/monitoring.py [--rounds N]

A small network is called in rounds, watched as a worker watches them, with two threads and all that
torch has started; the rounds last 0.1 s (`quick`) and 0.25 s (the default). The goal is at most
5 %. Calls so short that the procedure's `max_calls` makes rounds shorter cost more: the last lines
show how long the default procedure makes the rounds of such calls, and the share that follows.
"""

from __future__ import annotations

import argparse
import time
from statistics import mean, median

from inferometer.core.procedure import Procedure
from inferometer.host.signals import Watch
from inferometer.runner.scheduling.task import plan_round

THREADS = 2
GOAL = 0.05
ROUNDS_S = (0.1, 0.25)
CALLS_S = (20e-6, 100e-6, 1e-3, 10e-3)


def costs_s(round_s: float, rounds: int) -> list[tuple[float, float, float]]:
    """Seconds before and after each round, and in it."""
    import torch
    from networks import small_cnn

    torch.set_num_threads(THREADS)
    network, image = small_cnn()
    watch = Watch(threads=THREADS)
    found = []
    with torch.inference_mode():
        for _ in range(rounds):
            begin = time.perf_counter()
            watch.begin()
            ready = time.perf_counter()
            while time.perf_counter() - ready < round_s:
                network(image)
            done = time.perf_counter()
            watch.end()
            found.append((ready - begin, time.perf_counter() - done, done - ready))
    return found


def main() -> None:
    """Print the share for each length of a round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    typical_s = 0.0
    for round_s in ROUNDS_S:
        found = costs_s(round_s, given.rounds)
        watching = [before + after for before, after, _ in found]
        typical_s = median(watching)
        share = sum(watching) / sum(map(sum, found))
        print(
            f"rounds of {round_s:g} s: before {1e3 * median(before for before, _, _ in found):.2f} "
            f"ms, after {1e3 * median(after for _, after, _ in found):.2f} ms (medians of "
            f"{len(found)}; mean of both {1e3 * mean(watching):.2f} ms): {share:.1%} of wall, "
            f"goal {GOAL:.0%}: {'met' if share <= GOAL else 'MISSED'}"
        )
    for call_s in CALLS_S:
        plan = plan_round(call_s, Procedure())
        planned_s = (plan.values + plan.settle) * plan.calls_per_value * call_s
        share = typical_s / (planned_s + typical_s)
        print(
            f"calls of {1e3 * call_s:g} ms, default procedure: rounds of {1e3 * planned_s:.0f} ms, "
            f"watching takes {share:.1%}: {'met' if share <= GOAL else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
