"""A fixed part and a part for each unit: y = a + b·x, with errors in proportion to y."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

_ROUNDING = 1e-9
"""A fixed part of less than this share of the smallest y."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A coefficient with its interval; none where there are too few points."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Affine:
    """A fitted line.

    Attributes:
        fixed: a, never below 0.
        per_unit: b.
        scatter: root mean square of the relative residuals, a degree of freedom taken off for each
            coefficient that was fitted; None where none is left.
        points: how many there were.
    """

    fixed: Part
    per_unit: Part
    scatter: float | None
    points: int

    def at(self, x: float) -> float:
        """The line at x."""
        return self.fixed.value + self.per_unit.value * x


def affine(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> Affine:
    """Fit by least squares on relative residuals: weights 1/y².

    Where the fixed part comes out below 0, or is mere rounding, it is set to 0 and the other one
    fitted alone.

    Args:
        x: at least two different values.
        y: above 0, as long.
        confidence: nominal coverage of Student's intervals.

    Raises:
        ValueError: there are not two different x.
    """
    u, v = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if np.unique(u).size < 2:  # noqa: PLR2004
        raise ValueError("a line needs two different values of x")
    design = np.stack([1 / v, u / v], axis=1)
    fitted = _solve(design, confidence)
    if fitted.fixed.value > _ROUNDING * v.min():
        return fitted
    through_zero, high = _solve(design[:, 1:], confidence), fitted.fixed.high
    return Affine(
        fixed=_zero(high),
        per_unit=_alone(through_zero.per_unit.value) if high is None else through_zero.per_unit,
        scatter=through_zero.scatter,
        points=u.size,
    )


def _solve(design: Floats, confidence: float) -> Affine:
    """Coefficients for a target of ones; a single column is the part for each unit."""
    n, k = design.shape
    ones = np.ones(n)
    values, *_ = np.linalg.lstsq(design, ones, rcond=None)
    freedom = n - k
    errors = np.full(k, math.inf)
    scatter = None
    if freedom > 0:
        scatter = math.sqrt(float(((ones - design @ values) ** 2).sum()) / freedom)
        variances = np.diag(np.linalg.pinv(design.T @ design)) * scatter**2
        errors = np.sqrt(variances) * float(stdtrit(freedom, 0.5 + confidence / 2))
    parts = [_part(float(value), float(half)) for value, half in zip(values, errors, strict=True)]
    fixed, per_unit = (_zero(None), parts[0]) if k == 1 else (parts[0], parts[1])
    return Affine(fixed=fixed, per_unit=per_unit, scatter=scatter, points=n)


def _zero(high: float | None) -> Part:
    """No fixed part, which may be as much as the upper end of a free fit."""
    return _alone(0.0) if high is None else Part(value=0.0, low=0.0, high=max(high, 0.0))


def _alone(value: float) -> Part:
    return Part(value=value, low=None, high=None)


def _part(value: float, half: float) -> Part:
    if math.isinf(half):
        return _alone(value)
    return Part(value=value, low=value - half, high=value + half)


@dataclass(frozen=True, kw_only=True)
class Off:
    """A point that is far off the line through the others.

    Attributes:
        index: position of the point.
        ratio: y over the line there.
    """

    index: int
    ratio: float


def far_off(
    x: Sequence[float], y: Sequence[float], *, factor: float = 1.5, times: float = 5.0
) -> list[Off]:
    """Points far off the line through all others, the farthest first; at most a third of them.

    A point is taken away where it is more than `factor` off, and more than `times` the scatter of
    the others about their own line; of several, the one whose absence leaves the least scatter.

    Args:
        x: at least five values: four are left to tell what the line is.
        y: above 0.
        factor: ratios nearer to one are of no interest.
        times: how many times the scatter of the others, which counts as at least a twentieth.
    """
    left = list(range(len(x)))
    found: list[Off] = []
    while len(left) > _LEAST and len(found) < len(x) // 3:
        seen = [_without(x, y, left, one) for one in left]
        off = [(one, scatter) for one, scatter in seen if _is_far(one, scatter, factor, times)]
        if not off:
            break
        worst, _ = min(off, key=lambda pair: pair[1])
        found.append(worst)
        left.remove(worst.index)
    return found


_LEAST = 4
_FLOOR = 0.05


def _without(
    x: Sequence[float], y: Sequence[float], left: Sequence[int], one: int
) -> tuple[Off, float]:
    """How far a point is off the line through the others, and their scatter.

    A line that falls below 0 there is none: nothing is said of the point.
    """
    rest = [index for index in left if index != one]
    line = affine([x[index] for index in rest], [y[index] for index in rest])
    expected = line.at(x[one])
    ratio = y[one] / expected if expected > 0 else 1.0
    return Off(index=one, ratio=ratio), line.scatter or 0.0


def _is_far(one: Off, scatter: float, factor: float, times: float) -> bool:
    return abs(math.log(one.ratio)) > max(math.log(factor), times * max(scatter, _FLOOR))
