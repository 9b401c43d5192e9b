"""Classes of pixels: Dice and intersection over union, of all pixels together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inferometer.core.dataset import Floats, Kept
from inferometer.metrics.labels import Threshold, class_numbers, whole_numbers
from inferometer.metrics.outputs import Array, is_float, listed, pick, unsupported
from inferometer.metrics.weighting import mean_of_defined, ratio, value_of_sums

VOID = 255
"""In a mask: not judged, as borders between objects are; like all that is negative."""
BINARY = 2
BACKGROUND = ("background", "__background__", "_background_", "bg")
"""Names of class 0, in any case, where it is what is left of a picture."""

Measure = Callable[[Floats, Floats], Floats]
"""Of each class, from the pixels that are in both, and the sum of those true and predicted."""


class Overlap:
    """The mean over classes of how much predicted and true pixels overlap.

    Pixels of all samples count together, so that large objects weigh more than small ones. A class
    that neither is there nor was predicted does not count.
    """

    higher_is_better = True
    is_share = False
    low: float | None = 0.0
    high: float | None = 1.0

    def __init__(
        self,
        name: str,
        measure: Measure,
        *,
        classes: int,
        first: int,
        threshold: float | None = None,
    ) -> None:
        self.name = name
        self._measure = measure
        self._classes = classes
        self._first = first
        self._threshold = Threshold(threshold)

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """For each class the pixels that were found; then those predicted and true, in one sum."""
        masks = self._masks(labels)
        predicted = self._predicted(outputs, masks)
        rows = [self._row(*pair) for pair in zip(predicted, masks, strict=True)]
        return Kept.of(np.array(rows, np.float64).reshape(len(rows), -1))

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """The mean over classes."""
        return value_of_sums(self, kept, weights)

    def from_sums(self, sums: Floats, total: Floats) -> Floats:
        """The mean over classes of each weighting."""
        del total
        both, either = np.split(sums, 2, axis=-1)
        return mean_of_defined(self._measure(both, either)[..., self._first :])

    def _row(self, predicted: Array, mask: NDArray[np.int64]) -> Floats:
        is_judged = mask >= 0
        there, taken = mask[is_judged], predicted[is_judged]
        both = np.bincount(there[there == taken], minlength=self._classes)
        sizes = [np.bincount(part, minlength=self._classes) for part in (there, taken)]
        return np.concatenate([both, sizes[0] + sizes[1]])

    def _masks(self, labels: Sequence[object]) -> NDArray[np.int64]:
        """Masks of all samples, with -1 where nothing is judged."""
        masks = whole_numbers(list(labels), "mask")
        if masks.ndim == 4 and masks.shape[1] == 1:  # noqa: PLR2004 - with an axis of channels
            masks = masks[:, 0]
        if masks.ndim != 3 and len(labels):  # noqa: PLR2004
            raise unsupported(f"a mask must be height by width, not {masks.shape[1:]}")
        is_void = masks < 0
        if self._classes == BINARY and (masks == VOID).any():
            raise unsupported(
                f"a mask holds {VOID}, but there are two classes: write 1 where the class is, and "
                "-1 where nothing is to be judged"
            )
        if self._classes <= VOID:
            is_void |= masks == VOID
        judged = np.where(is_void, 0, masks)
        class_numbers(judged, self._classes, "class in a mask")
        return np.where(is_void, -1, judged)

    def _predicted(self, outputs: object, masks: NDArray[np.int64]) -> Array:
        forms = self._forms(masks.shape)
        form, array = pick(outputs, forms, partial(self._other_size, shape=masks.shape))
        if list(forms).index(form) == 0:
            return np.asarray(array.argmax(axis=1))
        array = array.reshape(masks.shape)
        if is_float(array):
            return self._threshold.exceeded(array).astype(np.int64)
        return class_numbers(array, self._classes, "predicted class")

    def _forms(self, shape: tuple[int, ...]) -> dict[str, Callable[[Array], bool]]:
        wanted = (shape[0], self._classes, *shape[1:])
        single = (shape, (shape[0], 1, *shape[1:]))
        forms: dict[str, Callable[[Array], bool]] = {
            f"scores of {self._classes} classes, {wanted}": lambda array: array.shape == wanted
        }
        if self._classes == BINARY:
            forms[f"a score of class 1, {single[1]}"] = lambda array: (
                is_float(array) and array.shape in single
            )
        forms[f"whole numbers of classes, {shape}"] = lambda array: (
            not is_float(array) and array.shape in single
        )
        return forms

    def _other_size(self, found: Sequence[tuple[str, Array]], shape: tuple[int, ...]) -> str:
        """The commonest misfit: scores of a smaller map than the picture."""
        maps = [one for one in found if one[1].ndim == len(shape) + 1]
        heads = [one for one in maps if one[1].shape[:2] == (shape[0], self._classes)]
        if not heads:
            return ""
        return (
            f"the model gave {listed(heads)} for masks of {shape[1:]}; let it bring its scores to "
            "the size of its input"
        )


def dice(both: Floats, sizes: Floats) -> Floats:
    """Sørensen's and Dice's coefficient; F1 of the pixels of a class."""
    return ratio(2 * both, sizes)


def iou(both: Floats, sizes: Floats) -> Floats:
    """Jaccard's index: the intersection over the union."""
    return ratio(both, sizes - both)


def first_class(classes: Sequence[str]) -> int:
    """The first class that counts where the background does not: of two classes the second."""
    is_background = classes[0].casefold() in BACKGROUND
    return int(len(classes) > 1 and (is_background or len(classes) == BINARY))
