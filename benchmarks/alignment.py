"""How well `--offset auto` finds the clock of a power log: simulated logs of known offset.

    python benchmarks/alignment.py [SEEDS]

For each rate and kind of meter: logs of an energy measurement with random pauses, work that differs
between windows, noise of 1 or 10 % of the step, a clock that drifts by up to 100 ppm and is up to
30 s off. It prints the table of docs/method/energy-arithmetic.md.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np

from inferometer.stats.alignment import align
from inferometer.stats.alignment_course import Floats

Intervals = list[tuple[float, float]]

RATES_HZ = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
METERS = {"moment": 0.0, "average": 1.0, "average of three": 3.0}
"""Over how many periods each averages."""
START_S = 1_764_500_000.0
REST_S, WORK_S, MARGIN_S = 22.4, 17.4, 70.0


def measurement(rng: np.random.Generator, windows: int) -> tuple[Intervals, Intervals]:
    """Idling, warm-up, windows of work with pauses, idling."""
    at = START_S + REST_S
    idles, loads = [(START_S, at)], [(at, at + 12.4)]
    at += 12.4
    for _ in range(windows):
        at += rng.uniform(0, 1)
        loads.append((at, at + WORK_S))
        at += WORK_S
    return loads, [*idles, *((a[1], b[0]) for a, b in pairwise(loads)), (at, at + REST_S)]


def log_of(
    rng: np.random.Generator, loads: Intervals, idles: Intervals, period_s: float, average: float
) -> tuple[Floats, Floats]:
    """What a meter writes, by our clock."""
    times = np.arange(
        idles[0][0] - MARGIN_S + rng.uniform(0, period_s), idles[-1][1] + MARGIN_S, period_s
    )
    watts = np.full(times.size, 3.0)
    for start_s, end_s in loads:
        step_w = 6 * (1 + rng.normal(0, 0.02))
        if average:
            span_s = average * period_s
            reach = np.clip(times, start_s, end_s) - np.clip(times - span_s, start_s, end_s)
            watts += step_w * reach / span_s
        else:
            watts += step_w * ((times >= start_s) & (times < end_s))
    return times, np.round(watts + rng.normal(0, rng.choice([0.06, 0.6]), times.size), 2)


def trial(seed: int, rate_hz: float, average: float) -> tuple[float, float] | None:
    """Error and standard uncertainty in periods; None where it was refused."""
    rng = np.random.default_rng(seed)
    loads, idles = measurement(rng, 5 + 5 * (seed % 2))
    times, watts = log_of(rng, loads, idles, 1 / rate_hz, average)
    offset_s, drift = rng.uniform(-30, 30), rng.uniform(-1e-4, 1e-4)
    middle_s = (loads[0][0] + loads[-1][1]) / 2
    found = align(times - offset_s - drift * (times - middle_s), watts, loads, idles)
    if found is None:
        return None
    return (found.offset_s - offset_s) * rate_hz, found.uncertainty_s * rate_hz


def main() -> None:
    """Print the table."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print("| meter | rate | found | median error, periods | bias | 95 % of errors | held |")
    print("|---|---|---|---|---|---|---|")
    for name, average in METERS.items():
        for rate_hz in RATES_HZ:
            found = [one for seed in range(seeds) if (one := trial(seed, rate_hz, average))]
            errors, spreads = np.array(found).T
            apart = np.abs(errors)
            print(
                f"| {name} | {rate_hz:g} Hz | {len(found)} of {seeds} | {np.median(apart):.3f} | "
                f"{np.mean(errors):+.3f} | {np.quantile(apart, 0.95):.2f} | "
                f"{np.mean(apart <= 2 * spreads):.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
