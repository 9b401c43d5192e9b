"""Activity in each frame of a recording: F1 of all frames together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inferometer.core.dataset import Floats, Kept
from inferometer.metrics.labels import Threshold, whole_numbers
from inferometer.metrics.outputs import (
    Array,
    arrays,
    is_float,
    listed,
    pick,
    require_numbers,
    unsupported,
)
from inferometer.metrics.weighting import ratio, value_of_sums

ACTIVE, QUIET = 1, 0


class FrameF1:
    """F1 of the frames in which something is active.

    Frames with a negative label are not judged, such as those that fill up a batch.
    """

    higher_is_better = True
    is_share = False
    low: float | None = 0.0
    high: float | None = 1.0

    def __init__(self, name: str, threshold: float | None = None) -> None:
        self.name = name
        self._threshold = Threshold(threshold)

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """Of each sample the active frames that were found; and those there and predicted."""
        truths = [whole_numbers(label, "frame's label").ravel() for label in labels]
        scores = self._scores(outputs, [len(truth) for truth in truths])
        rows = [self._row(*pair) for pair in zip(scores, truths, strict=True)]
        return Kept.of(np.array(rows, np.float64).reshape(-1, 2))

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """F1; NaN where nothing is active and nothing was predicted."""
        return value_of_sums(self, kept, weights)

    def from_sums(self, sums: Floats, total: Floats) -> Floats:
        """F1 of each weighting."""
        del total
        return ratio(2 * sums[..., 0], sums[..., 1])

    def _row(self, scores: Array, truth: Array) -> tuple[int, int]:
        if (truth > ACTIVE).any():
            raise unsupported(
                f"a frame's label is {truth.max()}; 0 and 1 are known, -1 is not judged"
            )
        predicted = self._threshold.exceeded(scores[truth >= QUIET])
        is_active = truth[truth >= QUIET] == ACTIVE
        return int((predicted & is_active).sum()), int(predicted.sum() + is_active.sum())

    def _scores(self, outputs: object, lengths: list[int]) -> Sequence[Array]:
        """The scores of the frames of each sample."""
        separate = [(path, array.ravel()) for path, array in arrays(outputs)]
        if isinstance(outputs, list) and [len(array) for _, array in separate] == lengths:
            for path, array in separate:
                require_numbers(array, path)
            return [array for _, array in separate]
        if len(set(lengths)) > 1:
            raise unsupported(
                f"recordings of {min(lengths)} to {max(lengths)} frames in one batch need a list "
                f"of arrays, or labels of -1 where a recording is filled up; the model gave "
                f"{listed(arrays(outputs)) or 'no array'}"
            )
        frames = lengths[0] if lengths else 0
        wanted = f"a score for each of {frames} frames, ({len(lengths)}, {frames})"
        size = len(lengths) * frames
        _, array = pick(
            outputs,
            {
                wanted: lambda one: (
                    (is_float(one) or one.dtype == bool)
                    and one.shape[:1] == (len(lengths),)
                    and one.size == size
                    and [axis for axis in one.shape[1:] if axis > 1] == [frames] * (frames > 1)
                )
            },
        )
        return list(array.reshape(len(lengths), frames))
