"""COCO's mean average precision, against faster-coco-eval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from faster_coco_eval import COCO, COCOeval_faster
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.core.errors import WorkloadError
from inferometer.metrics import metric_for
from inferometer.metrics.detection import MeanAveragePrecision
from inferometer.metrics.matching import overlap

CLASSES = ("cat", "dog", "cow")


def coco(outputs, labels):
    """The value of COCO's evaluation; NaN for its -1."""
    truths = [
        _annotation(picture, truth, index) | {"iscrowd": int(crowd)}
        for picture, truth in enumerate(labels)
        for index, crowd in enumerate(truth.get("iscrowd", [0] * len(truth["labels"])))
    ]
    found = [
        _annotation(picture, one, index) | {"score": float(one["scores"][index])}
        for picture, one in enumerate(outputs)
        for index in range(len(one["labels"]))
    ]
    for number, one in enumerate(truths, start=1):
        one["id"] = number
    data = {
        "images": [{"id": i + 1, "height": 999, "width": 999} for i in range(len(labels))],
        "categories": [{"id": i + 1, "name": str(i)} for i in range(len(CLASSES))],
        "annotations": truths,
    }
    if not found or not truths:
        return 0.0 if any(not one["iscrowd"] for one in truths) else math.nan
    there = COCO(data)
    judged = COCOeval_faster(there, there.loadRes(found), "bbox", print_function=lambda *_: None)
    judged.run()
    value = float(judged.stats[0])
    return math.nan if value == -1 else value


def _annotation(picture, given, index):
    left, top, right, bottom = (float(one) for one in given["boxes"][index])
    size = [right - left, bottom - top]
    return {
        "image_id": picture + 1,
        "category_id": int(given["labels"][index]) + 1,
        "bbox": [left, top, *size],
        "area": size[0] * size[1],
    }


def pictures(seed, number=8, *, ties=False, crowds=False, most=7):
    """Truths, and detections near them, among them doubles and false ones."""
    rng = np.random.default_rng(seed)
    outputs, labels = [], []
    for _ in range(number):
        several = int(rng.integers(0, most))
        corner = rng.integers(0, 60, (several, 2))
        boxes = np.concatenate([corner, corner + rng.integers(8, 60, (several, 2))], 1).astype(
            float
        )
        truth = {"boxes": boxes, "labels": rng.integers(0, 3, several)}
        if crowds:
            truth["iscrowd"] = rng.random(several) < 0.3
        own = np.repeat(np.arange(several), rng.integers(0, 3, several))
        near = boxes[own] + rng.integers(-5, 5, (len(own), 4)) * (rng.random((len(own), 1)) < 0.8)
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        flipped = np.where(
            rng.random(len(own)) < 0.2, rng.integers(0, 3, len(own)), truth["labels"][own]
        )
        scores = rng.integers(1, 6, len(own)) / 5 if ties else rng.random(len(own))
        outputs.append({"boxes": near, "labels": flipped, "scores": scores})
        labels.append(truth)
    return outputs, labels


def value(outputs, labels, weights=None):
    metric = MeanAveragePrecision(len(CLASSES))
    return metric.value(metric.keep(outputs, labels), weights)


@settings(deadline=None, max_examples=120)
@given(seed=st.integers(0, 2**31), ties=st.booleans(), crowds=st.booleans())
def test_the_value_is_that_of_cocos_evaluation(seed, ties, crowds):
    outputs, labels = pictures(seed, ties=ties, crowds=crowds)
    assert value(outputs, labels) == pytest.approx(coco(outputs, labels), abs=1e-12, nan_ok=True)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), counts=st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_the_value_of_weighted_pictures_is_that_of_cocos_evaluation_of_repeated_ones(seed, counts):
    outputs, labels = pictures(seed, ties=True, crowds=True)
    repeated = np.repeat(np.arange(8), counts)
    expected = coco([outputs[i] for i in repeated], [labels[i] for i in repeated])
    weighted = value(outputs, labels, np.array(counts, float))
    assert weighted == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_only_a_hundred_detections_of_a_class_in_a_picture_count():
    outputs, labels = pictures(4, number=3, most=150)
    outputs = [
        {key: np.concatenate([part] * 4) for key, part in one.items()} for one in outputs
    ]  # more than 100 of each class
    assert max(np.bincount(one["labels"]).max() for one in outputs) > 100
    assert value(outputs, labels) == pytest.approx(coco(outputs, labels), abs=1e-12)


def test_pictures_without_boxes_and_classes_without_truths():
    nothing = {"boxes": np.empty((0, 4)), "labels": np.empty(0, int), "scores": np.empty(0)}
    box = {"boxes": np.array([[0.0, 0, 9, 9]]), "labels": np.array([1]), "scores": np.array([0.5])}
    other = box | {"labels": np.array([2])}
    assert math.isnan(value([nothing], [nothing]))
    assert math.isnan(value([box], [nothing]))
    assert value([nothing], [box]) == 0.0
    assert value([box, nothing], [box, nothing]) == pytest.approx(1.0)
    assert value([other, box], [nothing, box]) == pytest.approx(1.0)  # nobody knows of the class
    assert value([box, box], [nothing, box]) == pytest.approx(0.5)


def test_an_empty_box_overlaps_nothing():
    point = np.array([[3.0, 3, 3, 3]])
    assert overlap(point, point).tolist() == [[0.0]]


@pytest.mark.parametrize("nest", [lambda found: ({}, found), lambda found: {"detections": found}])
def test_the_list_is_found_wherever_it_is(nest):
    outputs, labels = pictures(0)
    assert value(nest(outputs), labels) == value(outputs, labels)


def with_(**changes):
    one = {"boxes": np.array([[0.0, 0, 9, 9]]), "labels": np.array([1]), "scores": np.array([0.5])}
    return {key: part for key, part in (one | changes).items() if part is not None}


@pytest.mark.parametrize(
    ("outputs", "labels", "says"),
    [
        ([with_(), with_()], [with_()], "detections of 2 pictures, not 1"),
        (np.zeros((1, 4)), [with_()], "a list with a mapping for each picture"),
        (
            {"logits": np.zeros((1, 9, 3)), "pred_boxes": np.zeros((1, 9, 4))},
            [with_()],
            "gave none",
        ),
        ([[with_()], [with_()]], [with_()], "several lists"),
        (
            [with_(labels=np.array([90]))],
            [with_()],
            "class of a detection is 90.*3 classes, 0 to 2",
        ),
        ([with_()], [with_(labels=np.array([3]))], "class of a label is 3"),
        ([with_(scores=np.array([np.nan]))], [with_()], "NaN"),
        ([with_(scores=np.array([0.5, 0.1]))], [with_()], "1 boxes, 1 classes, 2 scores"),
        ([with_(boxes=np.array([[9.0, 9, 3, 3]]))], [with_()], "left, top, right, bottom"),
        ([with_()], [with_(boxes=None)], "labels of sample 0 of the batch: no boxes"),
        ([with_()], [np.zeros((1, 5))], "no boxes and no labels"),
        ([with_(boxes=np.zeros((1, 5)))], [with_()], "four numbers"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(outputs, labels, says):
    with pytest.raises(WorkloadError, match=says):
        value(outputs, labels)


def test_it_is_the_default_of_detection():
    assert isinstance(metric_for("detection", None, CLASSES), MeanAveragePrecision)
