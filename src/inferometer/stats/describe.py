"""Plain descriptions of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inferometer.stats.intervals import supports_quantile


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a sample looks like, in the unit of its values.

    Attributes:
        mean: arithmetic mean.
        std: standard deviation with n - 1; None for one value.
        median: middle value.
        minimum: smallest value.
        maximum: largest value.
        quantiles: by probability; None where n is too small to bound it from both sides.
    """

    mean: float
    std: float | None
    median: float
    minimum: float
    maximum: float
    quantiles: dict[float, float | None]


def describe(values: Sequence[float], probabilities: Sequence[float] = ()) -> Description:
    """Describe a sample of at least one value. Quantiles by linear interpolation (type 7)."""
    sample = np.asarray(values, dtype=float)
    return Description(
        mean=float(sample.mean()),
        std=float(sample.std(ddof=1)) if sample.size > 1 else None,
        median=float(np.median(sample)),
        minimum=float(sample.min()),
        maximum=float(sample.max()),
        quantiles={
            q: float(np.quantile(sample, q)) if supports_quantile(sample.size, q) else None
            for q in probabilities
        },
    )
