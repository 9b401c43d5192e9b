"""Which of several points no other one beats, with the probability of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Scale = Literal["positive", "share", "any"]
"""On which an interval is about even: `positive`: the logarithm (costs); `share`: the arcsine of
the root (0 to 1); `any`: as it is."""

DRAWS = 4000
_CELLS = 2**21  # of a block of comparisons: 2 MiB
_COVERED = 0.95


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A metric of the points.

    Attributes:
        name: of the metric.
        higher_is_better: its direction.
        scale: on which its errors are drawn.
    """

    name: str
    higher_is_better: bool
    scale: Scale


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What errors of points and metrics have in common.

    Attributes:
        between_metrics: correlation of the errors of one point, shape (metrics, metrics), such as
            of latency and energy, which were measured in the same rounds.
        between_points: correlation of the errors in one metric, by its name, shape (points,
            points), such as of latencies of one run.
        joint: draws of one metric, by its name, shape (draws, points), such as of accuracies on the
            same samples; they stand as they are.
    """

    between_metrics: ArrayLike | None = None
    between_points: Mapping[str, ArrayLike] = field(default_factory=dict)
    joint: Mapping[str, ArrayLike] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A point that cannot be placed.

    Attributes:
        point: its name.
        metrics: names of those without a value or without an interval.
    """

    point: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Points as they might be, by their estimates and intervals.

    Attributes:
        points: names of those that have all metrics, in their order.
        draws: shape (draws, points, metrics).
        left_out: the others.
    """

    points: tuple[str, ...]
    draws: Floats
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True)
class Front:
    """What draws say of each point and of each pair.

    Attributes:
        on_front: probability that no other point dominates it, shape (points,).
        dominates: probability that the first of a pair is as good in all metrics and better in one,
            shape (points, points).
        better: probability that the first of a pair is better, by metric, equal draws by half,
            shape (metrics, points, points).
    """

    on_front: Floats
    dominates: Floats
    better: Floats

    def alike(self) -> Floats:
        """P-value of the hypothesis that two points are equal in all metrics, for each pair.

        Two-sided, times the number of metrics (Bonferroni). Points that cannot be told apart have
        one above 1 minus the confidence.
        """
        each = 2 * np.minimum(self.better, 1 - self.better)
        return np.asarray(np.minimum(1.0, len(self.better) * each.min(axis=0)), float)


def front(draws: ArrayLike, higher_is_better: Sequence[bool]) -> Front:
    """Probabilities of the Pareto front, as shares of draws.

    Args:
        draws: shape (draws, points, metrics).
        higher_is_better: direction of each metric.

    Raises:
        ValueError: a draw is missing, or there are none.
    """
    signs = np.where(np.asarray(higher_is_better, dtype=bool), 1.0, -1.0)
    # Draws go last, so that comparing two points runs through memory in order.
    values = np.ascontiguousarray((np.asarray(draws, float) * signs).transpose(2, 1, 0))
    metrics, points, n = values.shape
    if not n or not np.isfinite(values).all():
        raise ValueError("each point needs a draw of each metric")
    free = np.zeros(points)
    dominates = np.zeros((points, points))
    better = np.zeros((metrics, points, points))
    rows = max(1, _CELLS // max(points * points, 1))
    for begin in range(0, n, rows):
        block = values[:, :, begin : begin + rows]
        as_good: Bools = np.ones((points, points, block.shape[2]), dtype=bool)
        for at, metric in enumerate(block):
            reaches = metric[:, None] >= metric[None]
            better[at] += np.count_nonzero(reaches, axis=2)
            as_good &= reaches
        beats = as_good & ~as_good.transpose(1, 0, 2)
        dominates += np.count_nonzero(beats, axis=2)
        free += np.count_nonzero(~beats.any(axis=0), axis=1)
    reached = better / n
    return Front(
        on_front=free / n,
        dominates=dominates / n,
        better=(reached + 1 - reached.transpose(0, 2, 1)) / 2,
    )


def draw_points(
    names: Sequence[str],
    axes: Sequence[Axis],
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    shared: Shared | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Drawn:
    """Draws from estimates with 95 % intervals.

    Each side of an interval has its own normal error on the metric's scale, so that about 2.5 % of
    the draws are beyond each end (two-piece normal: Wallis, Statistical Science 29, 2014).

    Args:
        names: of the points.
        axes: the metrics.
        values: estimates, shape (points, metrics); NaN where there is none.
        low: lower ends, likewise; the value itself where it is exact.
        high: upper ends.
        shared: what errors have in common; nothing where it is not given.
        draws: how many; as many as there are of joint ones.
        seed: of the draws.
    """
    shared = shared or Shared()
    ends = np.stack([np.asarray(part, float) for part in (values, low, high)])
    errors = _errors(ends.shape[1:], axes, shared, np.random.default_rng(seed), draws)
    drawn: Floats = np.empty((draws, *ends.shape[1:]))
    for at, axis in enumerate(axes):
        if axis.name in shared.joint:
            drawn[:, :, at] = shared.joint[axis.name]
        else:
            drawn[:, :, at] = _spread(ends[:, :, at], errors[:, :, at], axis.scale)
    known: Bools = np.asarray(np.isfinite(drawn).all(axis=0), bool)
    return Drawn(
        points=tuple(name for name, has in zip(names, known, strict=True) if has.all()),
        draws=drawn[:, np.flatnonzero(known.all(axis=1))],
        left_out=tuple(
            LeftOut(point=name, metrics=_missing(axes, has))
            for name, has in zip(names, known, strict=True)
            if not has.all()
        ),
    )


def _missing(axes: Sequence[Axis], known: Bools) -> tuple[str, ...]:
    return tuple(axis.name for axis, is_known in zip(axes, known, strict=True) if not is_known)


def _errors(
    shape: tuple[int, ...],
    axes: Sequence[Axis],
    shared: Shared,
    rng: np.random.Generator,
    draws: int,
) -> Floats:
    """Standard normal errors, shape (draws, points, metrics), correlated as asked."""
    errors = rng.standard_normal((draws, *shape))
    if shared.between_metrics is not None:
        errors = errors @ _root(shared.between_metrics)
    for at, axis in enumerate(axes):
        if axis.name in shared.between_points:
            errors[:, :, at] = errors[:, :, at] @ _root(shared.between_points[axis.name])
    return errors


def _root(correlation: ArrayLike) -> Floats:
    """Symmetric root of a matrix, which may be singular, as for errors that are all the same."""
    levels, vectors = np.linalg.eigh(np.asarray(correlation, float))
    return np.asarray((vectors * np.sqrt(np.maximum(levels, 0))) @ vectors.T, float)


def _spread(ends: Floats, errors: Floats, scale: Scale) -> Floats:
    """Draws of a metric, shape (draws, points); NaN where value or interval is.

    Args:
        ends: values, lower and upper ends, shape (3, points).
        errors: standard normal, shape (draws, points).
        scale: of the metric.
    """
    if scale == "share":
        angles = np.arcsin(np.sqrt(np.clip(ends, 0, 1)))
        return np.asarray(np.sin(np.clip(_two_piece(angles, errors), 0, np.pi / 2)) ** 2, float)
    plain = _two_piece(ends, errors)
    if scale == "any":
        return plain
    # Below 0 there is no logarithm: such a point is drawn as it is.
    has_logs = ends[1] > 0
    logs = _two_piece(np.log(np.where(has_logs, ends, 1.0)), errors)
    return np.where(has_logs, np.exp(np.where(has_logs, logs, 0.0)), plain)


def _two_piece(ends: Floats, errors: Floats) -> Floats:
    value, low, high = ends
    times = float(ndtri(0.5 + _COVERED / 2))
    sides = np.where(errors < 0, value - low, high - value)
    return np.asarray(value + sides * errors / times, float)
