"""Boxes: what is kept of each picture so that COCO's mean average precision can be reweighted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.core.dataset import Floats, Kept
from inferometer.core.nested import parts
from inferometer.metrics.labels import class_numbers
from inferometer.metrics.matching import bits, match
from inferometer.metrics.outputs import Array, require_numbers, unsupported
from inferometer.metrics.precision import Detections
from inferometer.metrics.weighting import weights_of

MOST = 100
"""Detections of one class in one picture that count, those with the highest scores."""
NEEDED = ("boxes", "scores", "labels")
CORNERS = 4


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """The boxes of one picture.

    Attributes:
        corners: left, top, right and bottom of each, shape (boxes, 4).
        classes: of each.
        scores: of each; for true boxes nothing is meant by them.
        is_crowd: of each, whether it holds more than one object: finding it neither counts nor
            harms.
    """

    corners: Floats
    classes: NDArray[np.int64]
    scores: Floats
    is_crowd: NDArray[np.bool_]


class MeanAveragePrecision:
    """COCO's mean average precision at IoU 0.5 to 0.95, all sizes, 100 detections."""

    name = "map"
    higher_is_better = True
    is_share = False
    low: float | None = 0.0
    high: float | None = 1.0

    def __init__(self, classes: int) -> None:
        self._classes = classes

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """A row for each class that is there, and one for each detection.

        Columns: the class; the score, NaN where the row is of truths; the number of truths; at
        which thresholds the detection found one, a bit for each; at which it does not count.
        """
        found = per_picture(outputs, len(labels))
        rows = [
            _rows(self._boxes(one, index, "detection"), self._boxes(truth, index, "label"))
            for index, (one, truth) in enumerate(zip(found, labels, strict=True))
        ]
        lengths = np.array([len(one) for one in rows], dtype=np.int64)
        return Kept(rows=np.concatenate([np.empty((0, 5)), *rows]), lengths=lengths)

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """The mean over classes that have truths, thresholds and recalls."""
        return self.reweighing(kept)(weights_of(kept, weights))

    def reweighing(self, kept: Kept) -> Callable[[Floats], float]:
        """The same, with the detections put in order once."""
        return Detections.of(kept).mean_average_precision

    def _boxes(self, given: object, index: int, what: str) -> Boxes:
        """Boxes of one picture, checked."""
        where = f"{what}s of sample {index} of the batch"
        fields = _fields(given)
        missing = {"boxes", "labels"} - set(fields)
        if missing:
            raise unsupported(f"{where}: no {' and no '.join(sorted(missing))}")
        corners = _array(fields["boxes"], where)
        if corners.size % CORNERS or corners.shape[-1] not in (0, CORNERS):
            raise unsupported(f"{where}: a box has four numbers, not shape {corners.shape}")
        corners = corners.reshape(-1, CORNERS)
        classes = class_numbers(fields["labels"], self._classes, f"class of a {what}").ravel()
        scores = _array(fields.get("scores", np.ones(len(classes))), where).ravel()
        is_crowd = np.asarray(fields.get("iscrowd", np.zeros(len(classes))), dtype=bool).ravel()
        if len({len(one) for one in (corners, classes, scores, is_crowd)}) > 1:
            raise unsupported(
                f"{where}: {len(corners)} boxes, {len(classes)} classes, {len(scores)} scores"
            )
        if (corners[:, 2:] < corners[:, :2]).any():
            raise unsupported(
                f"{where}: a box ends before it begins; write left, top, right, bottom"
            )
        return Boxes(corners=corners, classes=classes, scores=scores, is_crowd=is_crowd)


def per_picture(outputs: object, pictures: int) -> Sequence[object]:
    """The detections of each picture, as torchvision gives them: a list of mappings.

    Raises:
        WorkloadError: (unsupported) there are none, or of another number of pictures.
    """
    found = list(_lists(outputs))
    if len(found) != 1:
        several = "several lists" if found else "none"
        raise unsupported(
            "the metric needs a list with a mapping for each picture, of "
            f"{', '.join(NEEDED)}, as detectors of torchvision give it; the model gave {several}"
        )
    if len(found[0]) != pictures:
        raise unsupported(f"the model gave detections of {len(found[0])} pictures, not {pictures}")
    return found[0]


def _lists(outputs: object) -> list[list[object]]:
    below = [part for _, part in parts(outputs) or ()]
    if below and all(set(NEEDED) <= set(_fields(part)) for part in below):
        return [below]
    return [found for part in below for found in _lists(part)]


def _fields(value: object) -> Mapping[str, object]:
    """The named parts of a mapping or a dataclass."""
    return {path[1:]: part for path, part in parts(value) or () if path.startswith(".")}


def _array(value: object, where: str) -> Array:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise unsupported(f"{where}: boxes and scores must be numbers") from error
    require_numbers(array, where)
    return array


def _rows(found: Boxes, truth: Boxes) -> Floats:
    """What is kept of one picture."""
    classes = np.union1d(found.classes, truth.classes)
    rows = [row for number in classes for row in _rows_of_class(found, truth, number)]
    return np.concatenate([np.empty((0, 5)), *rows])


def _rows_of_class(found: Boxes, truth: Boxes, number: int) -> list[Floats]:
    there = truth.classes == number
    single = truth.corners[there & ~truth.is_crowd]
    own = np.flatnonzero(found.classes == number)
    best = own[np.argsort(-found.scores[own], kind="stable")][:MOST]
    matched, ignored = match(found.corners[best], single, truth.corners[there & truth.is_crowd])
    rows = np.zeros((len(best), 5))
    rows[:, 0], rows[:, 1] = number, found.scores[best]
    rows[:, 3], rows[:, 4] = bits(matched), bits(ignored)
    truths = np.array([[number, np.nan, len(single), 0.0, 0.0]])
    return [truths, rows] if len(single) else [rows]
