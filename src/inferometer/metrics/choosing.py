"""Metrics by task and name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from inferometer.core.dataset import Metric, Task
from inferometer.core.errors import InputError
from inferometer.core.references import did_you_mean, quoted
from inferometer.core.shown import shown
from inferometer.metrics.classification import Figure, PerClass, TopK, f1, recall
from inferometer.metrics.custom import Mean, check_function, function_of
from inferometer.metrics.detection import MeanAveragePrecision
from inferometer.metrics.frames import FrameF1
from inferometer.metrics.segmentation import Measure, Overlap, dice, first_class, iou
from inferometer.metrics.similarity import Correlation, as_they_are, ranks
from inferometer.metrics.transcription import (
    Decode,
    ErrorRate,
    characters,
    decoder_of,
    words,
)

NAMES: dict[Task, tuple[str, ...]] = {
    "classification": ("top1", "top5", "f1", "balanced_accuracy"),
    "segmentation": ("dice", "iou"),
    "detection": ("map",),
    "transcription": ("wer", "cer"),
    "frames": ("frame_f1",),
    "similarity": ("spearman", "pearson"),
    "other": (),
}
"""Metrics of each task, its default first."""

WITH_THRESHOLD = ("top1", "f1", "balanced_accuracy", "dice", "iou", "frame_f1")
"""Metrics that a threshold may follow, as in `dice@0.3`: of models with a single score."""
BINARY = 2
TOP = 5


def check_metric(task: Task, name: str | None, classes: Sequence[str] = ()) -> None:
    """Look at a metric's name; nothing is run, and no package imported.

    Args:
        task: of the dataset.
        name: as in `metric_for`.
        classes: of the dataset.

    Raises:
        InputError: there is no such metric for the task.
    """
    if task not in NAMES:
        raise InputError(
            f"no task is called {shown(repr(task))}{did_you_mean(task.casefold(), get_args(Task))}"
        )
    if name is not None and ":" in name:
        check_function(name)
        return
    plain, threshold = _parsed(_default(task) if name is None else name)
    _check_known(task, plain)
    if threshold is not None and plain not in WITH_THRESHOLD:
        raise InputError(
            f"the metric {plain} has no threshold; those that have one: {', '.join(WITH_THRESHOLD)}"
        )
    if threshold is not None and plain != "frame_f1" and len(classes) > BINARY:
        raise InputError(f"{shown(name)}: a threshold is for two classes; there are {len(classes)}")
    if plain == "top5" and 0 < len(classes) <= TOP:
        raise InputError(f"top5 is always right with {len(classes)} classes; take top1")
    if task == "segmentation" and not classes:
        raise InputError(f"the metric {plain} needs the names of the dataset's classes")


def metric_for(
    task: Task,
    name: str | None = None,
    classes: Sequence[str] = (),
    *,
    decode: Decode | str | None = None,
) -> Metric:
    """The metric of a dataset.

    Args:
        task: of the dataset.
        name: of the metric, which a threshold may follow (`dice@0.3`), or `file.py:function`; None
            takes the task's default.
        classes: of the dataset, by number.
        decode: for transcription, from what a model gives for a batch to its texts; or where such a
            function is, as `file.py:function`.

    Raises:
        InputError: there is no such metric for the task, or the file has no such function.
        MissingExtraError: a package that it needs is not installed.
    """
    check_metric(task, name, classes)
    if name is not None and ":" in name:
        return Mean(name, function_of(name))
    name = _default(task) if name is None else name
    plain, threshold = _parsed(name)
    if isinstance(decode, str):
        decode = function_of(decode)
    asked = _Asked(name=name, classes=tuple(classes), threshold=threshold, decode=decode)
    return _MAKERS[plain](asked)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a metric is made from."""

    name: str
    classes: tuple[str, ...]
    threshold: float | None
    decode: Decode | None

    def top(self, k: int) -> Metric:
        return TopK(self.name, k, len(self.classes), self.threshold)

    def per_class(self, figure: Figure) -> Metric:
        return PerClass(self.name, figure, len(self.classes), self.threshold)

    def overlap(self, measure: Measure, first: int) -> Metric:
        several = len(self.classes)
        return Overlap(self.name, measure, classes=several, first=first, threshold=self.threshold)

    def error_rate(self, pieces: Callable[[str], Sequence[str]]) -> Metric:
        return ErrorRate(self.name, pieces, self.decode or decoder_of(self.classes))


_MAKERS: dict[str, Callable[[_Asked], Metric]] = {
    "top1": lambda asked: asked.top(1),
    "top5": lambda asked: asked.top(TOP),
    "f1": lambda asked: asked.per_class(f1),
    "balanced_accuracy": lambda asked: asked.per_class(recall),
    "dice": lambda asked: asked.overlap(dice, first_class(asked.classes)),
    "iou": lambda asked: asked.overlap(iou, int(len(asked.classes) == BINARY)),
    "map": lambda asked: MeanAveragePrecision(len(asked.classes)),
    "wer": lambda asked: asked.error_rate(words),
    "cer": lambda asked: asked.error_rate(characters),
    "frame_f1": lambda asked: FrameF1(asked.name, asked.threshold),
    "spearman": lambda asked: Correlation(asked.name, ranks),
    "pearson": lambda asked: Correlation(asked.name, as_they_are),
}


def _default(task: Task) -> str:
    if not NAMES[task]:
        raise InputError(
            f"datasets of the task {task} have no metric of their own; say one, as in "
            "metric=path/to/file.py:FUNCTION"
        )
    return NAMES[task][0]


def _check_known(task: Task, name: str) -> None:
    known = NAMES[task]
    if name in known:
        return
    others = [other for other, names in NAMES.items() if name in names]
    if others:
        problem = f"the metric {name} is for {others[0]}, and the dataset's task is {task}"
    else:
        problem = f"no metric is called {quoted(name)}{did_you_mean(name.casefold(), known)}"
    there = ", ".join((*known, "path/to/file.py:FUNCTION"))
    raise InputError(f"{problem}; known for {task}: {there}")


def _parsed(name: str) -> tuple[str, float | None]:
    """A name, and the threshold after `@`."""
    plain, at, number = name.partition("@")
    if not at:
        return plain, None
    try:
        threshold = float(number)
    except ValueError:
        threshold = math.nan
    if not math.isfinite(threshold):
        raise InputError(f"{shown(name)}: expected a number after @, such as {shown(plain)}@0.5")
    return plain, threshold
