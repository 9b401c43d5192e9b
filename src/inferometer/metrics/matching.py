"""Which detections of a picture find a true box, as COCO's evaluation has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.core.dataset import Floats

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Intersection over union from which on a box is found."""
_POWERS = 1 << np.arange(len(THRESHOLDS))

Flags = NDArray[np.bool_]


def match(found: Floats, truths: Floats, crowds: Floats) -> tuple[Flags, Flags]:
    """Whether each detection finds a truth, and whether it is not to be counted.

    In the order of their scores, each takes the truth that it overlaps most of those that are left;
    what takes none and lies in a crowd does not count.

    Args:
        found: corners of detections of one class, that with the highest score first.
        truths: corners of true boxes of that class.
        crowds: corners of boxes that hold several objects of it.

    Returns:
        Two of shape (detections, thresholds).
    """
    matched = np.zeros((len(found), len(THRESHOLDS)), dtype=bool)
    if len(truths):
        is_left = np.ones((len(THRESHOLDS), len(truths)), dtype=bool)
        for index, row in enumerate(overlap(found, truths)):
            fits = np.where(is_left & (row >= THRESHOLDS[:, None]), row, -1.0)
            last = len(truths) - 1 - fits[:, ::-1].argmax(axis=1)  # of equals COCO takes the last
            matched[index] = fits.max(axis=1) >= 0
            is_left[matched[index], last[matched[index]]] = False
    in_crowd = overlap(found, crowds, crowded=True).max(axis=1, initial=0.0)
    return matched, ~matched & (in_crowd[:, None] >= THRESHOLDS)


def overlap(found: Floats, truths: Floats, *, crowded: bool = False) -> Floats:
    """Intersection over union of each detection with each truth; of a crowd, over the detection."""
    begin = np.maximum(found[:, None, :2], truths[None, :, :2])
    end = np.minimum(found[:, None, 2:], truths[None, :, 2:])
    both = np.clip(end - begin, 0.0, None).prod(axis=-1)
    whole = np.broadcast_to(_areas(found)[:, None], both.shape)
    if not crowded:
        whole = whole + _areas(truths)[None, :] - both
    result = np.zeros(both.shape)
    np.divide(both, whole, out=result, where=whole > 0)
    return result


def bits(flags: Flags) -> Floats:
    """Flags of all thresholds as one number, a bit for each."""
    return np.asarray(flags @ _POWERS, dtype=np.float64)


def flags(numbers: Floats) -> Flags:
    """The flags of such numbers, shape (numbers, thresholds)."""
    return (numbers.astype(np.int64)[:, None] & _POWERS) > 0


def _areas(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
