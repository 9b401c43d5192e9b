"""Whether several groups of values come from one distribution, by their ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc


def kruskal_wallis(groups: Sequence[Sequence[float]]) -> float:
    """The p of the hypothesis that all groups come from one distribution; 1 where all are equal.

    Kruskal and Wallis, Journal of the American Statistical Association 47, 1952, corrected for ties
    and by the chi-squared approximation. (`scipy.stats` has the same, and takes a second to load.)

    Args:
        groups: two or more, none of them empty.
    """
    values = np.concatenate([np.asarray(group, dtype=float) for group in groups])
    _, places, times = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[places]
    n = values.size
    untied = 1 - float((times**3 - times).sum()) / (n**3 - n)
    if untied == 0:
        return 1.0
    parts = np.split(ranks, np.cumsum([len(group) for group in groups])[:-1])
    between = sum(part.size * (part.mean() - (n + 1) / 2) ** 2 for part in parts)
    return float(chdtrc(len(groups) - 1, 12 * between / (n * (n + 1)) / untied))
