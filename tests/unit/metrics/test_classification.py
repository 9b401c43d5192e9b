"""Top-k, F1 and balanced accuracy, against scikit-learn, torchmetrics and a plain loop."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, top_k_accuracy_score

from inferometer.core.dataset import Kept
from inferometer.core.errors import WorkloadError
from inferometer.metrics import metric_for

TEN = tuple("abcdefghij")


def judge(name, outputs, labels, classes=TEN):
    metric = metric_for("classification", name, classes)
    kept = metric.keep(outputs, labels)
    return metric.value(kept), kept


def untied(seed, samples=60, classes=10):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, classes)).astype(np.float32), rng.integers(0, classes, samples)


@pytest.mark.parametrize("seed", range(5))
def test_values_are_those_of_scikit_learn(seed):
    scores, labels = untied(seed)
    scores[np.arange(60), labels] += 1.0
    top1, _ = judge("top1", scores, labels)
    assert top1 == pytest.approx(np.mean(scores.argmax(1) == labels))
    top5, _ = judge("top5", scores, labels)
    assert top5 == pytest.approx(top_k_accuracy_score(labels, scores, k=5, labels=range(10)))
    f1, _ = judge("f1", scores, labels)
    assert f1 == pytest.approx(f1_score(labels, scores.argmax(1), average="macro"))
    balanced, _ = judge("balanced_accuracy", scores, labels)
    assert balanced == pytest.approx(balanced_accuracy_score(labels, scores.argmax(1)))


def test_values_are_those_of_torchmetrics():
    torch = pytest.importorskip("torch")
    oracle = pytest.importorskip("torchmetrics.functional.classification")
    scores, labels = untied(7)
    best, given = torch.tensor(scores), torch.tensor(labels)
    for name, value in (
        ("top1", oracle.multiclass_accuracy(best, given, 10, average="micro")),
        ("top5", oracle.multiclass_accuracy(best, given, 10, average="micro", top_k=5)),
        ("f1", oracle.multiclass_f1_score(best, given, 10, average="macro")),
        ("balanced_accuracy", oracle.multiclass_accuracy(best, given, 10, average="macro")),
    ):
        assert judge(name, scores, labels)[0] == pytest.approx(float(value), rel=1e-6)


@settings(deadline=None)
@given(
    scores=st.lists(
        st.lists(st.integers(0, 2).map(float), min_size=7, max_size=7), min_size=1, max_size=9
    ),
    data=st.data(),
)
def test_each_sample_is_right_as_in_a_plain_loop_with_ties_too(scores, data):
    labels = data.draw(st.lists(st.integers(0, 6), min_size=len(scores), max_size=len(scores)))
    for name, k in (("top1", 1), ("top5", 5)):
        _, kept = judge(name, np.array(scores), labels, TEN[:7])
        for row, label, right in zip(scores, labels, kept.rows[:, 0], strict=True):
            order = sorted(
                range(7), key=lambda one, row=row: -row[one]
            )  # stable: lower number first
            assert right == (label in order[:k])


def test_a_class_that_neither_is_there_nor_was_predicted_does_not_count():
    scores = np.eye(4)[[0, 0, 1, 2]]
    f1, _ = judge("f1", scores, [0, 0, 1, 1], TEN[:4])
    assert f1 == pytest.approx((1 + 2 / 3 + 0) / 3)  # the third was predicted, the fourth was not
    balanced, _ = judge("balanced_accuracy", scores, [0, 0, 1, 1], TEN[:4])
    assert balanced == pytest.approx(0.75)


@dataclasses.dataclass
class Output:
    hidden: np.ndarray
    logits: np.ndarray


Pair = namedtuple("Pair", ["features", "classes"])  # noqa: PYI024


@pytest.mark.parametrize(
    "nest",
    [
        lambda scores: (scores,),
        lambda scores: [np.zeros((60, 512)), {"a": scores}],
        lambda scores: {"logits": scores, "aux_logits": scores - 1},
        lambda scores: OrderedDict(last_hidden_state=np.zeros((60, 10, 4)), logits=scores),
        lambda scores: Output(np.zeros((60, 10)), scores),
        lambda scores: Pair(np.zeros((60, 3)), scores),
        lambda scores: scores[:, :, None, None],
        lambda scores: scores.tolist(),
        lambda scores: {"out": scores, "again": {"out2": np.zeros((60, 10))}},
        lambda scores: (scores * 10).astype(np.int8),
    ],
)
def test_the_scores_are_found_wherever_they_are(nest):
    scores = np.round(untied(1)[0] * 10) / 10
    labels = untied(1)[1]
    _, kept = judge("top1", nest(scores), labels)
    assert np.array_equal(kept.rows[:, 0], scores.argmax(1) == labels)


def test_whole_numbers_of_classes_are_predictions():
    value, _ = judge("top1", [3, 1, 2], [3, 1, 1])
    assert value == pytest.approx(2 / 3)
    value, _ = judge("f1", (np.array([3, 1, 2]), np.zeros((3, 4))), [3, 1, 1])
    assert value == pytest.approx((1 + 2 / 3 + 0) / 3)
    with pytest.raises(WorkloadError, match="scores of 10 classes"):
        judge("top5", np.array([3, 1, 2]), [3, 1, 1])


@pytest.mark.parametrize(
    ("outputs", "labels", "says"),
    [
        (np.zeros((2, 1000)), [0, 1], "tells 1000 classes apart, while the dataset has 10"),
        (np.zeros((3, 10)), [0, 1], r"output \(3, 10\); the metric needs scores of 10 classes"),
        (np.zeros((2, 7, 10)), [0, 1], r"\(2, 7, 10\)"),
        (np.zeros((2, 10)), [0, 10], "a label is 10, which is not a class.*10 classes, 0 to 9"),
        (np.zeros((2, 10)), [0, -1], "a label is -1"),
        (np.zeros((2, 10)), [0, 1.5], "whole number"),
        (np.zeros((2, 10)), ["cat", "dog"], "whole number"),
        (np.full((2, 10), np.nan), [0, 1], "20 of 20 values are NaN"),
        ((np.zeros((2, 10)), np.ones((2, 10))), [0, 1], r"output\[0\].*output\[1\].*each be"),
        ({"text": "a"}, [0, 1], "no array of numbers"),
        (None, [0, 1], "no array of numbers"),
        (np.array([3, 10]), [0, 1], "predicted class is 10"),
        ([np.zeros((i + 5, 3)) for i in range(9)], [0, 1], "and 3 more"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(outputs, labels, says):
    with pytest.raises(WorkloadError, match=says) as caught:
        judge("top1", outputs, labels)
    assert caught.value.kind == "unsupported"


def test_an_array_that_is_there_under_two_names_is_one():
    scores, labels = untied(0)
    value, _ = judge("top1", {"a": scores, "b": (scores,)}, labels)
    assert value == np.mean(scores.argmax(1) == labels)


def test_infinite_scores_have_an_order():
    value, _ = judge("top1", np.array([[-np.inf, 0.0], [0.0, np.inf]]), [1, 0], TEN[:2])
    assert value == 0.5


def test_classes_that_the_dataset_does_not_name_are_those_of_the_model():
    scores, labels = untied(2)
    value, _ = judge("top1", scores, labels, ())
    assert value == np.mean(scores.argmax(1) == labels)
    with pytest.raises(WorkloadError, match="a label is 10"):
        judge("top1", scores, [10] * 60, ())


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 1, 1, 1)])
def test_a_single_score_of_two_classes_is_a_logit_or_a_probability(shape):
    labels = [1, 0, 0, 1]
    logits = np.array([2.0, 0.2, -1.0, 0.4])
    for outputs in (logits, 1 / (1 + np.exp(-logits))):
        _, kept = judge("top1", outputs.reshape(shape), labels, ("no", "yes"))
        assert kept.rows[:, 0].tolist() == [1, 0, 1, 1]


def test_a_threshold_can_be_said():
    scores = np.array([0.2, 0.4, 0.6, 0.8])
    metric = metric_for("classification", "f1@0.7", ("no", "yes"))
    assert metric.name == "f1@0.7"
    assert metric.keep(scores, [0, 0, 0, 1]).rows[:, 1].tolist() == [0, 0, 0, 1]
    assert metric.keep(scores + 0.3, [0, 0, 0, 1]).rows[:, 1].tolist() == [0, 0, 1, 1]


def test_scores_that_turn_out_to_be_logits_late_are_refused_rather_than_misread():
    metric = metric_for("classification", "top1", ("no", "yes"))
    metric.keep(np.array([0.2, 0.4]), [0, 1])
    with pytest.raises(WorkloadError, match="@0 for logits"):
        metric.keep(np.array([-0.2, 0.4]), [0, 1])


def test_logits_once_are_logits_ever():
    metric = metric_for("classification", "top1", ("no", "yes"))
    parts = [metric.keep(np.array(one), [1, 1]) for one in ([-3.0, 2.0], [0.1, 0.2])]
    assert Kept.join(parts).rows[:, 0].tolist() == [0, 1, 1, 1]
