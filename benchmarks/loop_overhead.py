"""What the timed loop adds to each call, beside a bare loop over the same no-op.

Both loops run in turn, many times; the figures are medians over the turns. The goals are at most
0.5 µs a call, of which at most 0.1 µs inside the sample. Records take an empty timing pair off
their figures, so that less than that is left in them. Repeat with:
python benchmarks/loop_overhead.py
"""

from __future__ import annotations

import platform
from array import array
from statistics import median
from time import perf_counter_ns

from inferometer.meters.wall_clock import empty_pair_s
from inferometer.runner.workers.loop import timed_values

CALLS = 20_000
TURNS = 101
LIMIT_NS = 500
INSIDE_LIMIT_NS = 100


def no_op() -> None:
    """Do nothing."""


def bare_ns() -> float:
    """Nanoseconds a call of a loop that only calls."""
    start = perf_counter_ns()
    for _ in range(CALLS):
        no_op()
    return (perf_counter_ns() - start) / CALLS


def timed_ns(starts: array[int], ends: array[int]) -> tuple[float, float]:
    """Nanoseconds a call of the timed loop, and the median that it reports for the no-op."""
    start = perf_counter_ns()
    timed_values(no_op, starts, ends)
    whole = (perf_counter_ns() - start) / CALLS
    return whole, median(end - begin for begin, end in zip(starts, ends, strict=True))


def main() -> None:
    """Print the cost of a call beside a bare loop, and inside the sample."""
    starts, ends = array("q", bytes(8 * CALLS)), array("q", bytes(8 * CALLS))
    turns = [(bare_ns(), *timed_ns(starts, ends)) for _ in range(TURNS)]
    bare = median(turn[0] for turn in turns)
    added = sorted(turn[1] - turn[0] for turn in turns)
    inside = median(turn[2] - turn[0] for turn in turns)
    print(f"machine: {platform.machine()}, Python {platform.python_version()}, {TURNS} turns")
    print(f"bare loop: {bare:.0f} ns a call")
    print(
        f"timed loop adds: {median(added):.0f} ns a call "
        f"({added[0]:.0f} to {added[-1]:.0f}), goal {LIMIT_NS}"
    )
    print(f"inside the sample: {inside:.0f} ns more than a bare call, goal {INSIDE_LIMIT_NS}")
    print(f"an empty timing pair, which figures are less: {1e9 * empty_pair_s():.0f} ns")


if __name__ == "__main__":
    main()
