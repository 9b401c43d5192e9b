"""The median of a series whose neighbours hang together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from inferometer.stats.autocorrelation import autocorrelation_time
from inferometer.stats.intervals import Interval

FEWEST = 10
"""Values; of fewer, blocks of them say nothing."""
MOST_BLOCKS = 20


def median_of_series(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, Interval | None]:
    """The median, and its interval from blocks of consecutive values.

    Student's t on the logarithms of the medians of up to 20 blocks of equal length (batch means;
    Law, Simulation Modeling and Analysis, 5th ed., 2015, section 9.5.3, with medians), whose
    autocorrelation time inflates the standard error and takes degrees of freedom.

    Args:
        values: in the order of time, more than 0; at least one.
        confidence: nominal coverage.

    Returns:
        The median, and None in place of an interval for fewer than ten values.
    """
    series = np.asarray(values, dtype=float)
    median = float(np.median(series))
    if series.size < FEWEST or series.min() <= 0:
        return median, None
    blocks = np.array_split(np.log(series), min(MOST_BLOCKS, series.size // 2))
    logs = np.array([np.median(block) for block in blocks])
    tau = max(autocorrelation_time(logs), 1.0)
    times = float(stdtrit(max(logs.size / tau - 1, 1.0), 0.5 + confidence / 2))
    reach = times * float(logs.std(ddof=1)) * math.sqrt(tau / logs.size)
    return median, Interval(low=median * math.exp(-reach), high=median * math.exp(reach))
