"""A metric over many weightings of the same samples, as a bootstrap asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from inferometer.core.dataset import Floats, Kept, Metric


@runtime_checkable
class SumsUp(Protocol):
    """A metric that is a function of sums over samples, each of which has one row.

    All weightings of a bootstrap are one matrix product then.
    """

    def from_sums(self, sums: Floats, total: Floats) -> Floats:
        """The metric of each weighting.

        Args:
            sums: of each column, every row times its weight; shape (…, columns).
            total: of the weights; shape (…).
        """
        ...


@runtime_checkable
class Reweighs(Protocol):
    """A metric that does a part of its work once for all weightings."""

    def reweighing(self, kept: Kept) -> Callable[[Floats], float]:
        """The metric as a function of the weights of samples."""
        ...


def values(metric: Metric, kept: Kept, weights: Floats) -> Floats:
    """A metric over several weightings of samples.

    Args:
        metric: the metric.
        kept: what it kept.
        weights: how often each sample counts, shape (weightings, samples).
    """
    if isinstance(metric, SumsUp):
        return metric.from_sums(weights @ kept.rows, weights.sum(axis=-1))
    if isinstance(metric, Reweighs):
        value = metric.reweighing(kept)
        return np.array([value(row) for row in weights], dtype=np.float64)
    return np.array([metric.value(kept, row) for row in weights], dtype=np.float64)


def value_of_sums(metric: SumsUp, kept: Kept, weights: Floats | None) -> float:
    """A metric that sums up, over one weighting."""
    weights = weights_of(kept, weights)
    return float(metric.from_sums(weights @ kept.rows, weights.sum()))


def weights_of(kept: Kept, weights: Floats | None) -> Floats:
    """One weight for each sample: 1 where none are given."""
    if weights is None:
        return np.ones(len(kept))
    if weights.shape != (len(kept),):
        raise ValueError(f"{len(kept)} samples, but weights of shape {weights.shape}")
    return weights


def ratio(part: Floats, whole: Floats) -> Floats:
    """A ratio, element by element; NaN where the whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    result = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def mean_of_defined(each: Floats) -> Floats:
    """The mean along the last axis of what is defined; NaN where nothing is."""
    is_defined = ~np.isnan(each)
    total = np.where(is_defined, each, 0.0).sum(axis=-1)
    return ratio(total, is_defined.sum(axis=-1).astype(np.float64))
