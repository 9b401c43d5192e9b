"""Likeness as people judge it: rank correlation and correlation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from inferometer.core.dataset import Floats, Kept
from inferometer.metrics.labels import numbers
from inferometer.metrics.outputs import Array, arrays, is_float, pick, require_numbers
from inferometer.metrics.weighting import weights_of

PAIR = 2

Scale = Callable[[Floats, Floats], Floats]
"""Values and weights to what is correlated."""


class Correlation:
    """The correlation of what the model says with what people said.

    The model gives a score for each sample, or two embeddings, whose cosine is the score.
    """

    higher_is_better = True
    is_share = False
    low: float | None = -1.0
    high: float | None = 1.0

    def __init__(self, name: str, scale: Scale) -> None:
        self.name = name
        self._scale = scale

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """The model's score and the people's, of each sample."""
        human = numbers(labels, "similarity")
        return Kept.of(np.stack([likeness(outputs, len(labels)), human], axis=1))

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """The correlation; NaN where one of both has no spread."""
        weights = weights_of(kept, weights)
        there = weights > 0
        weights = weights[there]
        first, second = (self._scale(column, weights) for column in kept.rows[there].T)
        return _correlation(first, second, weights)


def as_they_are(values: Floats, weights: Floats) -> Floats:
    """Values themselves, for Pearson's correlation."""
    del weights
    return values


def ranks(values: Floats, weights: Floats) -> Floats:
    """Mean ranks, for Spearman's correlation: those of values that are there several times."""
    _, places = np.unique(values, return_inverse=True)
    sizes = np.bincount(places, weights)
    return np.asarray((np.cumsum(sizes) - sizes / 2)[places])


def likeness(outputs: object, samples: int) -> Floats:
    """The score of each sample, or the cosine of its two embeddings.

    Raises:
        WorkloadError: (unsupported) it gives neither.
    """
    pair = [(path, one) for path, one in arrays(outputs) if _is_embedding(one, samples)]
    if len(pair) == PAIR and pair[0][1].shape == pair[1][1].shape:
        for path, array in pair:
            require_numbers(array, path)
        return _cosine(pair[0][1], pair[1][1])
    score = f"a score for each sample, ({samples},)"
    both = f"two embeddings of each, ({samples}, 2, width), or two arrays ({samples}, width)"
    rows = f"embeddings of both texts, one after the other, ({2 * samples}, width)"
    form, array = pick(
        outputs,
        {
            score: lambda one: is_float(one) and one.shape in ((samples,), (samples, 1)),
            both: lambda one: one.ndim == PAIR + 1 and one.shape[:PAIR] == (samples, PAIR),
            rows: lambda one: _is_embedding(one, PAIR * samples),
        },
    )
    if form == score:
        return array.reshape(samples).astype(np.float64)
    pairs = array.reshape(samples, PAIR, -1)
    return _cosine(pairs[:, 0], pairs[:, 1])


def _is_embedding(array: Array, rows: int) -> bool:
    return is_float(array) and array.ndim == PAIR and len(array) == rows and array.shape[1] > 1


def _cosine(first: Array, second: Array) -> Floats:
    """Of each pair of rows; 0 where one of them is all zeros."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    dot = np.einsum("ij,ij->i", first, second)
    result = np.zeros(len(dot))
    np.divide(dot, lengths, out=result, where=lengths > 0)
    return result


def _correlation(first: Floats, second: Floats, weights: Floats) -> float:
    if not len(weights):
        return float("nan")
    widths = [float(np.ptp(one)) for one in (first, second)]
    if 0 in widths:
        return float("nan")
    centred = [
        (one - np.average(one, weights=weights)) / width
        for one, width in zip((first, second), widths, strict=True)
    ]
    spreads = [float(weights @ one**2) for one in centred]
    product = float(weights @ (centred[0] * centred[1]))
    return float(np.clip(product / np.sqrt(spreads[0] * spreads[1]), -1.0, 1.0))
