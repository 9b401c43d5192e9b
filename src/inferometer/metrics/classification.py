"""Classes of whole samples: top-k accuracy, macro F1, balanced accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inferometer.core.dataset import Floats, Kept
from inferometer.metrics.labels import Threshold, class_numbers
from inferometer.metrics.outputs import Array, is_float, pick
from inferometer.metrics.weighting import mean_of_defined, ratio, value_of_sums, weights_of

BINARY = 2

Figure = Callable[[Floats, Floats, Floats], Floats]
"""Of each class, from the samples of it that were found, all of it, and all taken for it."""


class TopK:
    """The share of samples whose class is among the k with the highest scores.

    Of classes with equal scores, the one with the lower number comes first.
    """

    higher_is_better = True
    is_share = True
    low: float | None = 0.0
    high: float | None = 1.0

    def __init__(self, name: str, k: int, classes: int, threshold: float | None = None) -> None:
        self.name = name
        self._k = k
        self._scores = ClassScores(classes, threshold, needs_order=k > 1)

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """1 for each sample whose class is among the k, else 0."""
        scores, truths = self._scores.of(outputs, labels)
        own = np.take_along_axis(scores, truths[:, None], axis=1)
        comes_first = np.arange(scores.shape[1]) < truths[:, None]
        before = (scores > own) | ((scores == own) & comes_first)
        return Kept.of((before.sum(axis=1) < self._k).astype(np.float64)[:, None])

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """The share of ones."""
        return value_of_sums(self, kept, weights)

    def from_sums(self, sums: Floats, total: Floats) -> Floats:
        """The share of each weighting."""
        return ratio(sums[..., 0], total)


class PerClass:
    """The mean over classes of a figure of each; those for which it is not defined do not count."""

    higher_is_better = True
    is_share = False
    low: float | None = 0.0
    high: float | None = 1.0

    def __init__(
        self,
        name: str,
        figure: Figure,
        classes: int,
        threshold: float | None = None,
    ) -> None:
        self.name = name
        self._figure = figure
        self._scores = ClassScores(classes, threshold)

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """The class of each sample, and the one that it was taken for."""
        scores, truths = self._scores.of(outputs, labels)
        return Kept.of(np.stack([truths, scores.argmax(axis=1)], axis=1).astype(np.float64))

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """The mean over classes."""
        weights = weights_of(kept, weights)
        truths, taken = kept.rows.astype(np.int64).T.reshape(2, -1)
        several = int(kept.rows.max(initial=0)) + 1
        found, there, predicted = (
            np.bincount(numbers, weight, several).astype(np.float64)
            for numbers, weight in (
                (truths, weights * (truths == taken)),
                (truths, weights),
                (taken, weights),
            )
        )
        return float(mean_of_defined(self._figure(found, there, predicted)))


def f1(found: Floats, there: Floats, predicted: Floats) -> Floats:
    """F1 of each class; none of a class that neither is there nor was predicted."""
    return ratio(2 * found, there + predicted)


def recall(found: Floats, there: Floats, predicted: Floats) -> Floats:
    """Recall of each class; none of a class that is not there."""
    del predicted
    return ratio(found, there)


class ClassScores:
    """Reads a score of each class from what a model gives for a batch."""

    def __init__(
        self, classes: int, threshold: float | None = None, *, needs_order: bool = False
    ) -> None:
        self._classes = classes
        self._threshold = Threshold(threshold)
        self._needs_order = needs_order

    def of(self, outputs: object, labels: Sequence[object]) -> tuple[Array, NDArray[np.int64]]:
        """Scores, shape (samples, classes), and the right classes.

        Raises:
            WorkloadError: (unsupported) they do not fit each other.
        """
        truths = class_numbers(labels, self._classes).reshape(len(labels))
        forms = self._forms(len(labels))
        form, array = pick(outputs, forms, partial(self._other_head, samples=len(labels)))
        scores = self._as_scores(array, list(forms).index(form))
        class_numbers(truths, scores.shape[1])
        return scores, truths

    def _forms(self, samples: int) -> dict[str, Callable[[Array], bool]]:
        classes = self._classes
        several = f"scores of {classes or 'all'} classes, ({samples}, {classes or 'classes'})"
        forms = {several: lambda array: self._is_per_class(array, samples)}
        if classes in (0, BINARY):
            forms[f"a score of class 1, ({samples}, 1)"] = lambda array: (
                is_float(array) and _without_ones(array) == (samples,)
            )
        if not self._needs_order:
            forms[f"whole numbers of classes, ({samples},)"] = lambda array: (
                array.dtype.kind in "iu" and _without_ones(array) == (samples,)
            )
        return forms

    def _is_per_class(self, array: Array, samples: int) -> bool:
        shape = _without_ones(array, least=2)
        if len(shape) != BINARY or shape[0] != samples:
            return False
        return shape[1] == self._classes if self._classes else shape[1] > 1

    def _as_scores(self, array: Array, form: int) -> Array:
        if form == 0:
            return array.reshape(array.shape[:2])
        flat = array.reshape(len(array))
        if is_float(array):
            flat = self._threshold.exceeded(flat).astype(np.int64)
        classes = self._classes or max(BINARY, int(flat.max(initial=0)) + 1)
        numbers = class_numbers(flat, classes, "predicted class")
        return np.asarray(numbers[:, None] == np.arange(classes), np.float64)

    def _other_head(self, found: Sequence[tuple[str, Array]], samples: int) -> str:
        """The commonest misfit: a head for other classes."""
        shapes = [_without_ones(array, least=2) for _, array in found if is_float(array)]
        heads = [shape[1] for shape in shapes if len(shape) == BINARY and shape[0] == samples]
        if not self._classes or len(heads) != 1:
            return ""
        return (
            f"the model tells {heads[0]} classes apart, while the dataset has {self._classes}; "
            "judge a model that was trained on the classes of the dataset"
        )


def _without_ones(array: Array, least: int = 1) -> tuple[int, ...]:
    """A shape without axes of length 1 at its end."""
    shape = array.shape
    while len(shape) > least and shape[-1] == 1:
        shape = shape[:-1]
    return shape
