"""How far a tensor is from another, over several calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Gap:
    """The distance between what was expected and what was found.

    Attributes:
        calls: that were counted in.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._apart = self._whole = 0.0
        self._is_broken = self._is_share = False

    def add(self, expected: Array, found: Array) -> None:
        """Count another call in."""
        self.calls += 1
        if expected.shape != found.shape:
            self._is_broken = True
            return
        self._is_share = all(one.dtype.kind in "biu" for one in (expected, found))
        if self._is_share:
            self._apart += float((expected != found).sum())
            self._whole += expected.size
            return
        ours, theirs = (np.asarray(one, np.float64).ravel() for one in (expected, found))
        alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        apart = np.where(alike, 0.0, ours - theirs)
        self._is_broken |= not np.isfinite(apart).all()
        whole = np.where(np.isfinite(ours), ours, 0.0)
        self._apart += float(apart @ apart)
        self._whole += float(whole @ whole)

    @property
    def error(self) -> float:
        """Relative: of norms, or the share that differs; infinite where both do not compare."""
        if not self._is_broken and not self._apart:
            return 0.0
        if self._is_broken or not self._whole:
            return math.inf
        ratio = self._apart / self._whole
        return ratio if self._is_share else math.sqrt(ratio)
