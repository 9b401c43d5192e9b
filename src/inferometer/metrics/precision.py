"""Mean average precision of weighted pictures, as COCO's evaluation accumulates it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.core.dataset import Floats, Kept
from inferometer.metrics.matching import THRESHOLDS, Flags, flags
from inferometer.metrics.weighting import mean_of_defined

RECALLS = np.linspace(0.0, 1.0, 101)
"""At which precision is read off."""
SLACK = 1e-9
"""By which sums of fractional weights may miss a recall that they reach."""
CLASS, SCORE, TRUTHS, MATCHED, IGNORED = range(5)
"""Columns of what is kept."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ClassDetections:
    """What there is of one class.

    Attributes:
        truth_pictures: pictures with true boxes.
        truths: number of these in each.
        pictures: of the detections, in the order of their scores; of equals, of the pictures.
        ties: of each detection, the number of those that share score and picture with it.
        matched: shape (thresholds, detections).
        counts: whether it is right or wrong, of the same shape.
    """

    truth_pictures: Numbers
    truths: Floats
    pictures: Numbers
    ties: Numbers
    matched: Flags
    counts: Flags

    @classmethod
    def of(cls, rows: Floats, pictures: Numbers) -> ClassDetections:
        """Those of rows of one class."""
        is_truth = np.isnan(rows[:, SCORE])
        there = np.flatnonzero(~is_truth)
        order = there[np.argsort(-rows[there, SCORE], kind="stable")]
        scores, own = rows[order, SCORE], pictures[order]
        begins = (np.diff(scores, prepend=np.nan) != 0) | (np.diff(own, prepend=-1) != 0)
        return cls(
            truth_pictures=pictures[is_truth],
            truths=rows[is_truth, TRUTHS],
            pictures=own,
            ties=np.cumsum(begins),
            matched=flags(rows[order, MATCHED]).T.copy(),
            counts=~flags(rows[order, IGNORED]).T,
        )

    def precision(self, weights: Floats) -> Floats:
        """Average precision at each threshold; NaN without truths.

        Args:
            weights: of pictures.
        """
        total = float(weights[self.truth_pictures] @ self.truths)
        if total <= 0:
            return np.full(len(THRESHOLDS), np.nan)
        rows, each = self._repeated(weights)
        is_whole = bool((each == 1).all())
        right = np.cumsum(self.matched[:, rows] * each, axis=1)
        judged = np.cumsum(self.counts[:, rows] * each, axis=1)
        precise = right / (judged + np.spacing(1))
        best = np.maximum.accumulate(precise[:, ::-1], axis=1)[:, ::-1]
        recall = right / total + (0.0 if is_whole else SLACK)
        reached = np.searchsorted(RECALLS, recall, side="right")
        new = np.diff(reached, axis=1, prepend=0)
        return np.asarray((new * best).sum(axis=1) / len(RECALLS))

    def _repeated(self, weights: Floats) -> tuple[Numbers, Floats]:
        """Detections, each as often as its picture counts, and the weight of each.

        Detections of one picture with equal scores stay together in each copy, as they would if the
        picture were there several times. Weights that are no whole numbers are taken as they are.
        """
        own = weights[self.pictures]
        if not np.array_equal(own, np.floor(own)):
            rows = np.flatnonzero(own > 0)
            return rows, own[rows]
        times = own.astype(np.int64)
        rows = np.repeat(np.arange(len(times)), times)
        if len(self.ties) and self.ties[-1] < len(self.ties):
            first = np.repeat(np.cumsum(times) - times, times)
            rows = rows[np.lexsort((np.arange(len(rows)) - first, self.ties[rows]))]
        return rows, np.ones(len(rows))


@dataclass(frozen=True, kw_only=True)
class Detections:
    """What was kept of all pictures, by class."""

    classes: tuple[ClassDetections, ...]

    @classmethod
    def of(cls, kept: Kept) -> Detections:
        """In the order in which precision is accumulated."""
        pictures = np.repeat(np.arange(len(kept)), kept.lengths)
        numbers = kept.rows[:, CLASS]
        parts = [numbers == number for number in np.unique(numbers)]
        return cls(classes=tuple(ClassDetections.of(kept.rows[p], pictures[p]) for p in parts))

    def mean_average_precision(self, weights: Floats) -> float:
        """The mean over classes that have truths, thresholds and recalls."""
        each = [one.precision(weights) for one in self.classes]
        return float(mean_of_defined(np.concatenate([np.empty(0), *each])))
