"""The right answers as numbers of classes, and what is predicted from a single score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inferometer.metrics.outputs import Array, unsupported

PROBABILITY, LOGIT = 0.5, 0.0
"""Above which a single score says yes."""


def class_numbers(labels: object, classes: int, what: str = "label") -> NDArray[np.int64]:
    """Labels as numbers of classes.

    Args:
        labels: whole numbers, of any shape.
        classes: number of classes; 0 where it is not known.
        what: one of them, for messages.

    Raises:
        WorkloadError: (unsupported) they are no whole numbers, or no classes have those.
    """
    numbers = whole_numbers(labels, what)
    wrong = numbers[(numbers < 0) | ((numbers >= classes) if classes else False)]
    if wrong.size:
        there = f"the dataset has {classes} classes, 0 to {classes - 1}" if classes else "from 0"
        raise unsupported(f"a {what} is {wrong.flat[0]}, which is not a class: {there}")
    return numbers


def whole_numbers(labels: object, what: str) -> NDArray[np.int64]:
    """Labels as whole numbers.

    Raises:
        WorkloadError: (unsupported) they are none.
    """
    try:
        given = np.asarray(labels)
    except ValueError as error:
        raise unsupported(f"the {what}s differ in shape") from error
    is_whole = given.dtype.kind in "biu" or not given.size
    if given.dtype.kind == "f":
        is_whole = bool(np.all(given == np.floor(given)))
    if not is_whole:
        raise unsupported(f"a {what} must be a whole number, the number of a class")
    return given.astype(np.int64)


def numbers(labels: Sequence[object], what: str) -> NDArray[np.float64]:
    """Labels as one number each.

    Raises:
        WorkloadError: (unsupported) they are none, or NaN.
    """
    try:
        given = np.array([float(np.asarray(label).reshape(())) for label in labels], np.float64)
    except (TypeError, ValueError) as error:
        raise unsupported(f"each {what} must be one number") from error
    if np.isnan(given).any():
        raise unsupported(f"a {what} is NaN")
    return given


class Threshold:
    """Above which a single score says yes.

    Where the user did not say it, the scores do: outside of 0 to 1 they are logits, for which it is
    0, else probabilities, for which it is 0.5. That cannot change from one call to the next: scores
    which turn out to be logits after others were taken for probabilities are refused.
    """

    def __init__(self, given: float | None = None) -> None:
        self.given = given
        self.taken = given

    def exceeded(self, scores: Array) -> NDArray[np.bool_]:
        """Whether each score says yes.

        Raises:
            WorkloadError: (unsupported) it cannot be told what earlier scores were.
        """
        if self.given is None and scores.size:
            self._learn(scores)
        return np.asarray(scores > (PROBABILITY if self.taken is None else self.taken))

    def _learn(self, scores: Array) -> None:
        are_logits = bool(scores.min() < 0 or scores.max() > 1)
        if are_logits and self.taken == PROBABILITY:
            raise unsupported(
                f"scores go from {scores.min():.3g} to {scores.max():.3g}, while those of earlier "
                "calls lay within 0 to 1, like probabilities; say the threshold with the name of "
                "the metric: @0 for logits, @0.5 for probabilities"
            )
        if self.taken is None:
            self.taken = LOGIT if are_logits else PROBABILITY
