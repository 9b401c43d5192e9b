"""Names of metrics, and functions of the user's."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.core.dataset import TASKS
from inferometer.core.errors import InputError, WorkloadError
from inferometer.metrics import NAMES, check_metric, metric_for

CLASSES = tuple("abcdefg")
CODE = """
import numpy as np

def off(output, label):
    return abs(output[0] - label)
off.higher_is_better = False

def whole(outputs, labels):
    return np.asarray(outputs["logits"])[:, 0] > labels

def short(outputs, labels):
    return [1.0]

def broken(output, label):
    raise KeyError("mask")

def words(output, label):
    return output["text"] == label

def nothing(output, label):
    return float("nan")
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CODE, encoding="utf-8")
    return path


def test_every_task_has_its_names_and_its_default_is_the_first():
    assert set(NAMES) == set(TASKS)
    for task, names in NAMES.items():
        for name in names:
            check_metric(task, name, CLASSES)
        if names:
            assert metric_for(task, None, CLASSES).name == names[0]


@pytest.mark.parametrize(
    ("task", "name", "says"),
    [
        (
            "classification",
            "top2",
            "no metric is called 'top2'.*did you mean 'top.'.*known for class",
        ),
        ("classification", "accuracy", "no metric is called 'accuracy'.*balanced_accuracy"),
        ("classification", "dice", "dice is for segmentation, and the dataset's task is classif"),
        ("detection", "mAP", "did you mean 'map'"),
        ("other", None, "no metric of their own; say one"),
        ("other", "top1", "top1 is for classification"),
        ("segmentatoin", None, "no task is called.*did you mean 'segmentation'"),
        ("classification", "top5@0.5", "top5 has no threshold; those that have one: top1"),
        ("classification", "top1@high", "expected a number after @, such as top1@0.5"),
        ("classification", "top1@nan", "expected a number"),
        ("classification", "top1@0.5", "a threshold is for two classes; there are 7"),
        ("classification", "", "no metric is called ''"),
        ("other", "mine.py:", "path/to/file.py:FUNCTION"),
        ("other", "mine.txt:function", "path/to/file.py:FUNCTION"),
        ("other", "nowhere.py:function", "nowhere.py"),
    ],
)
def test_a_wrong_name_is_one_sentence_before_anything_runs(task, name, says):
    with pytest.raises(InputError, match=says):
        check_metric(task, name, CLASSES)


def test_top5_of_five_classes_is_no_question():
    with pytest.raises(InputError, match="top5 is always right with 5 classes"):
        check_metric("classification", "top5", CLASSES[:5])


def test_masks_need_names_of_classes():
    with pytest.raises(InputError, match="needs the names"):
        metric_for("segmentation", "dice")


def test_nothing_runs_when_a_name_is_checked(file):
    file.write_text("raise SystemExit('ran')", encoding="utf-8")
    check_metric("other", f"{file}:function")
    with pytest.raises(InputError, match=r"mine.py cannot be run: SystemExit: ran"):
        metric_for("other", f"{file}:function")


def test_a_function_judges_each_sample(file):
    metric = metric_for("other", f"{file}:off")
    assert (metric.name, metric.higher_is_better) == (f"{file}:off", False)
    kept = metric.keep(np.array([[3.0], [5.0]]), [1.0, 5.0])
    assert kept.rows.tolist() == [[2.0], [0.0]]
    assert metric.value(kept) == 1.0
    assert metric.value(kept, np.array([3.0, 1.0])) == 1.5
    assert metric.keep((np.array([3.0, 5.0]), np.zeros((2, 4))), [1, 5]).rows.tolist() == [[2], [0]]


def test_a_function_may_take_a_whole_batch(file):
    metric = metric_for("classification", f"{file}:whole", CLASSES)
    assert metric.higher_is_better
    assert metric.keep({"logits": np.array([[3.0], [0.0]])}, np.array([1, 1])).rows.tolist() == [
        [1],
        [0],
    ]


def test_mappings_of_samples_are_given_one_by_one(file):
    metric = metric_for("transcription", f"{file}:words")
    outputs = [{"text": "a", "box": np.zeros((2, 4))}, {"text": "b", "box": np.zeros((2, 4))}]
    assert metric.keep(outputs, ["a", "c"]).rows.tolist() == [[1], [0]]


@pytest.mark.parametrize(
    ("function", "outputs", "says"),
    [
        ("broken", np.zeros((2, 1)), "mine.py:broken: KeyError: 'mask'"),
        ("short", np.zeros((2, 1)), "mine.py:short gave 1 numbers for 2 samples"),
        ("nothing", np.zeros((2, 1)), "mine.py:nothing gave NaN"),
        ("off", np.zeros((3, 1)), r"output \(3, 1\) cannot be taken apart into 2 samples"),
        ("words", [{"text": "a"}], "1 outputs for 2 samples"),
    ],
)
def test_what_a_function_does_wrong_is_a_failure_that_names_it(file, function, outputs, says):
    metric = metric_for("other", f"{file}:{function}")
    with pytest.raises(WorkloadError, match=says) as caught:
        metric.keep(outputs, [1, 2])
    assert caught.value.kind == "unsupported"


def test_a_function_that_is_not_there_is_named_with_those_that_are(file):
    with pytest.raises(InputError, match="defines no function of; its functions: off, whole"):
        metric_for("other", f"{file}:of")
