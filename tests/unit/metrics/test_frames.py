"""F1 of frames, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score

from inferometer.core.errors import WorkloadError
from inferometer.metrics import metric_for


def judge(outputs, labels, name="frame_f1"):
    metric = metric_for("frames", name)
    kept = metric.keep(outputs, labels)
    return metric.value(kept), kept


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "nest", [lambda a: a, lambda a: (a[:, :, None], np.zeros((2, 6, 8))), list]
)
def test_the_value_is_that_of_scikit_learn(seed, nest):
    rng = np.random.default_rng(seed)
    scores, labels = rng.random((6, 20)), rng.integers(0, 2, (6, 20))
    expected = f1_score(labels.ravel(), scores.ravel() > 0.5)
    value, kept = judge(nest(scores), list(labels))
    assert value == pytest.approx(expected)
    for row, one, truth in zip(kept.rows, scores > 0.5, labels, strict=True):
        assert row.tolist() == [(one & (truth == 1)).sum(), one.sum() + truth.sum()]


def test_a_sample_may_be_one_frame_beside_a_state():
    value, kept = judge((np.array([[0.9], [0.2], [0.7]]), np.zeros((2, 3, 128))), [1, 1, 0])
    assert value == pytest.approx(0.5)
    assert kept.rows.tolist() == [[1, 2], [0, 1], [0, 1]]


def test_recordings_of_several_lengths_come_as_a_list_or_filled_up():
    scores = [np.array([0.9, 0.1, 0.8]), np.array([0.7])]
    separate, _ = judge(scores, [[1, 0, 0], [1]])
    filled, _ = judge(np.array([[0.9, 0.1, 0.8], [0.7, 0.9, 0.9]]), [[1, 0, 0], [1, -1, -1]])
    assert separate == filled == pytest.approx(4 / 5)


def test_a_threshold_can_be_said_and_logits_are_seen():
    assert judge(np.array([[0.2, 0.4]]), [[0, 1]], "frame_f1@0.3")[0] == 1.0
    assert judge(np.array([[-2.0, 0.4]]), [[0, 1]])[0] == 1.0


def test_silence_that_is_heard_as_such_has_no_f1():
    assert math.isnan(judge(np.zeros((1, 4)), [[0, 0, 0, 0]])[0])


@pytest.mark.parametrize(
    ("outputs", "labels", "says"),
    [
        (np.zeros((2, 5)), [[0, 1], [1, 0]], r"each of 2 frames, \(2, 2\)"),
        (np.zeros((2, 5)), [[0] * 5, [1] * 3], "3 to 5 frames in one batch"),
        (np.full((1, 2), np.nan), [[0, 1]], "NaN"),
        ([np.array([np.nan]), np.zeros(2)], [[0], [1, 0]], "NaN"),
        (np.zeros((1, 2)), [[0, 2]], "a frame's label is 2"),
        (np.zeros((1, 2)), [[0, 0.4]], "whole number"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(outputs, labels, says):
    with pytest.raises(WorkloadError, match=says):
        judge(outputs, labels)
