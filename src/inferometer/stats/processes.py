"""What several processes of one workload say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True, kw_only=True)
class Processes:
    """The typical process, in the unit of the medians.

    Attributes:
        value: geometric mean of the processes' medians.
        low: lower end of its interval; None for one process.
        high: upper end, likewise.
        between: standard deviation of the logarithms of the medians; 0 for one process.
    """

    value: float
    low: float | None
    high: float | None
    between: float


def process_interval(
    medians: Sequence[float], confidence: float = 0.95, within: Sequence[float] | None = None
) -> Processes:
    """Student's t on the logarithms of the medians of fresh processes.

    Processes are the units that are drawn anew (Kalibera and Jones, Rigorous benchmarking in
    reasonable time, ISMM 2013); latencies spread by factors, hence the logarithms.

    Args:
        medians: median of each process, more than 0.
        confidence: nominal coverage.
        within: standard error of the logarithm of each median; the interval is never narrower than
            these alone imply.
    """
    logs = np.log(np.asarray(medians, dtype=float))
    centre, n = float(logs.mean()), logs.size
    if n < 2:  # noqa: PLR2004 - a spread needs two
        return Processes(value=math.exp(centre), low=None, high=None, between=0.0)
    between = float(logs.std(ddof=1))
    half = float(stdtrit(n - 1, 0.5 + confidence / 2)) * between / math.sqrt(n)
    if within is not None:
        alone = math.sqrt(math.fsum(error**2 for error in within)) / n
        half = max(half, float(stdtrit(1e9, 0.5 + confidence / 2)) * alone)
    return Processes(
        value=math.exp(centre),
        low=math.exp(centre - half),
        high=math.exp(centre + half),
        between=between,
    )


def processes_wanted(
    medians: Sequence[float], target: float, confidence: float, at_most: int
) -> int:
    """How many processes in all would bring the interval down to the target.

    Args:
        medians: of the processes so far, at least two.
        target: relative half-width.
        confidence: nominal coverage.
        at_most: the answer is never more, unless so many are there already.
    """
    n = len(medians)
    between = process_interval(medians, confidence).between
    for wanted in range(n, max(at_most, n) + 1):
        t = float(stdtrit(wanted - 1, 0.5 + confidence / 2))
        if math.sinh(t * between / math.sqrt(wanted)) <= target:
            return wanted
    return max(at_most, n)


def relative_gain_per_s(half_width: float, n: int, more: int, cost_s: float) -> float:
    """Expected fall of a relative half-width for each second, when `more` units follow `n`."""
    return half_width * (1 - math.sqrt(n / (n + more))) / cost_s
