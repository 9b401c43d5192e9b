"""Values far from their neighbours: labelled, never dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def outliers(
    values_s: Sequence[float], *, window: int = 101, fences: float = 3.0
) -> NDArray[np.bool_]:
    """Whether each value lies beyond Tukey's fences within a window centred on it.

    The fences are `fences` interquartile ranges outside the quartiles (Tukey, Exploratory Data
    Analysis, 1977: 3 is "far out"). The window follows drifts and changes of level; it is mirrored
    at the ends, and is the whole series where that is shorter.

    Args:
        values_s: in time order.
        window: values in it; an even number counts as the next odd one.
        fences: interquartile ranges from the quartiles to the fences.

    Returns:
        One label per value.
    """
    values = np.asarray(values_s, dtype=float)
    if values.size <= window:
        low, high = _quartiles(np.sort(values)) if values.size else (0.0, 0.0)
    else:
        padded = np.pad(values, window // 2, mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * (window // 2) + 1)
        low, high = np.quantile(windows, (0.25, 0.75), axis=1)
    reach = fences * (high - low)
    labels: NDArray[np.bool_] = (values < low - reach) | (values > high + reach)
    return labels


def _quartiles(ordered: NDArray[np.float64]) -> tuple[float, float]:
    """Lower and upper quartile of a few numbers, as NumPy has them, which needs longer for it."""
    found = []
    for share in (0.25, 0.75):
        whole, part = divmod(share * (len(ordered) - 1), 1)
        below, above = ordered[int(whole)], ordered[min(int(whole) + 1, len(ordered) - 1)]
        found.append(float(below + (above - below) * part))
    return found[0], found[1]
