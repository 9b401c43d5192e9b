"""How many rounds a process is worth: variances that workloads share, against what things cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WITHIN, BETWEEN = 0.115, 0.075
"""Deviations of logarithms expected before any are seen, between rounds and between processes."""
PRIOR = 10
"""Degrees of freedom that this expectation is worth."""
LEAST_BETWEEN = 0.01
"""Processes are never taken to differ by less: else one process would get all the time."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Standard deviations of the logarithms of latencies, pooled over workloads.

    Attributes:
        within: between rounds of a process.
        between: between processes of a workload.
    """

    within: float = WITHIN
    between: float = BETWEEN


def spread_of(workloads: Sequence[Sequence[Sequence[float]]]) -> Spread:
    """Variances pooled over workloads, moderated by what is expected of any device.

    Args:
        workloads: of each workload, of each of its processes, the logarithms of round medians.
    """
    squares, freedom = PRIOR * WITHIN**2, float(PRIOR)
    between, between_freedom = PRIOR * BETWEEN**2, float(PRIOR)
    for processes in workloads:
        for rounds in processes:
            squares += float(np.var(rounds)) * len(rounds)
            freedom += len(rounds) - 1
    within = squares / freedom
    for processes in workloads:
        if len(processes) > 1:
            means = [float(np.mean(rounds)) for rounds in processes]
            noise = within * float(np.mean([1 / len(rounds) for rounds in processes]))
            count = len(means) - 1
            between += count * (float(np.var(means, ddof=1)) - noise)
            between_freedom += count
    found = math.sqrt(max(between / between_freedom, LEAST_BETWEEN**2))
    return Spread(within=math.sqrt(within), between=found)


def best_rounds(spread: Spread, *, process_s: float, round_s: float) -> int:
    """Rounds of a process that give the narrowest interval for the time spent.

    Kalibera and Jones, Rigorous benchmarking in reasonable time, ISMM 2013, section 7: the root of
    the ratio of the costs times that of the variances.

    Args:
        spread: variances.
        process_s: seconds of a process before its first round: start, load, warm-up.
        round_s: seconds of a round.
    """
    ratio = max(process_s, 0.0) / max(round_s, 1e-9)
    return max(math.ceil(math.sqrt(ratio) * spread.within / spread.between), 1)
