"""Dice and intersection over union, against torchmetrics and a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from inferometer.core.errors import WorkloadError
from inferometer.metrics import metric_for

CLASSES = ("Background", "cell", "wall", "core")
SHAPE = (5, 8, 9)


def judge(name, outputs, labels, classes=CLASSES):
    metric = metric_for("segmentation", name, classes)
    kept = metric.keep(outputs, labels)
    return metric.value(kept), kept


def random_pictures(seed=0, classes=4):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(SHAPE[0], classes, *SHAPE[1:])).astype(np.float32)
    return scores, rng.integers(0, classes, SHAPE)


@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_scikit_learn(seed):
    scores, masks = random_pictures(seed)
    best, true = scores.argmax(1).ravel(), masks.ravel()
    value, _ = judge("iou", {"out": scores, "aux": -scores}, list(masks))
    assert value == pytest.approx(jaccard_score(true, best, average="macro"))
    value, _ = judge("dice", scores, masks)
    assert value == pytest.approx(f1_score(true, best, average="macro", labels=[1, 2, 3]))


def test_values_are_those_of_torchmetrics():
    torch = pytest.importorskip("torch")
    oracle = pytest.importorskip("torchmetrics.segmentation")
    classification = pytest.importorskip("torchmetrics.functional.classification")
    scores, masks = random_pictures(9)
    best, true = torch.tensor(scores.argmax(1)), torch.tensor(masks)
    index = classification.multiclass_jaccard_index(best, true, 4, average="macro")
    assert judge("iou", scores, masks)[0] == pytest.approx(float(index), rel=1e-6)
    score = oracle.DiceScore(
        4,
        include_background=False,
        average="macro",
        input_format="index",
        aggregation_level="global",
    )
    assert judge("dice", scores, masks)[0] == pytest.approx(float(score(best, true)), rel=1e-6)


def test_each_sample_is_counted_as_in_a_plain_loop():
    scores, masks = random_pictures(7)
    _, kept = judge("dice", scores, masks)
    for picture, mask, row in zip(scores, masks, kept.rows, strict=True):
        both, sizes = [0] * 4, [0] * 4
        for y in range(SHAPE[1]):
            for x in range(SHAPE[2]):
                best = max(range(4), key=lambda one: picture[one, y, x])
                sizes[best] += 1
                sizes[mask[y, x]] += 1
                both[best] += best == mask[y, x]
        assert row.tolist() == [*both, *sizes]


def test_background_counts_in_iou_only():
    masks = np.array([[[0, 0, 0, 1]]])
    outputs = np.array([[[0, 0, 1, 1]]])
    assert judge("dice", outputs, masks)[0] == pytest.approx(2 / 3)
    assert judge("dice", outputs, masks, ("sky", "sea", "sand"))[0] == pytest.approx(
        (4 / 5 + 2 / 3) / 2
    )
    assert judge("iou", outputs, masks)[0] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert judge("iou", outputs, masks, ("no", "crack"))[0] == pytest.approx(1 / 2)
    assert judge("dice", outputs, masks, ("no", "crack"))[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize("shape", [(5, 1, 8, 9), (5, 8, 9)])
def test_a_single_score_is_a_logit_or_a_probability(shape):
    scores, masks = random_pictures(3, classes=2)
    logits = (scores[:, 1] - scores[:, 0]).astype(np.float64)
    two, _ = judge("dice", scores, masks, ("no", "yes"))
    for single in (logits, 1 / (1 + np.exp(-logits)), logits > 0):
        assert judge("dice", single.reshape(shape), masks, ("no", "yes"))[0] == two


def test_void_is_not_judged():
    scores, masks = random_pictures(1)
    borders = masks.copy()
    borders[:, :2] = 255
    borders[:, 2:4] = -1
    value, _ = judge("dice", scores, borders)
    assert value == judge("dice", scores[:, :, 4:], masks[:, 4:])[0]


def test_a_class_that_is_not_there_does_not_count_and_one_that_was_predicted_does():
    masks = np.array([[[1, 1, 2]]])
    assert judge("dice", np.array([[[1, 1, 2]]]), masks)[0] == 1.0
    assert judge("dice", np.array([[[1, 1, 3]]]), masks)[0] == pytest.approx(1 / 3)


def test_masks_may_have_an_axis_of_channels():
    scores, masks = random_pictures(2)
    assert judge("iou", scores, masks[:, None])[0] == judge("iou", scores, masks)[0]


@pytest.mark.parametrize(
    ("outputs", "labels", "says"),
    [
        (np.zeros((1, 4, 2, 2)), np.zeros((1, 8, 8)), r"\(1, 4, 2, 2\) for masks of \(8, 8\)"),
        (np.zeros((1, 3, 8, 8)), np.zeros((1, 8, 8)), r"scores of 4 classes, \(1, 4, 8, 8\)"),
        (np.zeros((2, 4, 8, 8)), np.zeros((1, 8, 8)), r"\(1, 4, 8, 8\)"),
        (np.zeros((1, 4, 8, 8)), np.full((1, 8, 8), 4), "a class in a mask is 4"),
        (np.full((1, 8, 8), 7), np.zeros((1, 8, 8)), "predicted class is 7"),
        (np.zeros((1, 1, 8, 8)), np.zeros((1, 8, 8)), "scores of 4 classes"),
        (np.full((1, 4, 8, 8), np.nan), np.zeros((1, 8, 8)), "NaN"),
        (np.zeros((1, 4, 8, 8)), np.zeros((1, 8)), "height by width"),
        (np.zeros((2, 4, 8, 8)), [np.zeros((8, 8)), np.zeros((8, 9))], "differ in shape"),
        (np.zeros((1, 4, 8, 8)), np.full((1, 8, 8), 0.5), "whole number"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(outputs, labels, says):
    with pytest.raises(WorkloadError, match=says):
        judge("dice", outputs, labels)


def test_masks_of_0_and_255_are_not_taken_for_void():
    with pytest.raises(WorkloadError, match="write 1 where the class is"):
        judge("dice", np.zeros((1, 1, 2, 2)), np.array([[[0, 255], [255, 0]]]), ("no", "yes"))
