"""Labelled data, and what a model says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.core.dataset import Skipped, Task
from inferometer.core.workload import Shape


@dataclass(frozen=True, kw_only=True)
class LookAtData:
    """Look at labelled data without any model; answered by `DataOpened`.

    Attributes:
        reference: as the user gave it.
        metric: what the user asked for; None is the usual one of the task.
        seed: of what is left to chance.
    """

    reference: str
    metric: str | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class OpenData:
    """Open labelled data for the loaded model; answered by `DataOpened`.

    Attributes:
        reference: as the user gave it.
        metric: what the user asked for; None is the usual one of the task.
        shape: batch and input size at which the model judges it.
        seed: of what is left to chance.
    """

    reference: str
    metric: str | None
    shape: Shape
    seed: int


@dataclass(frozen=True, kw_only=True)
class DataOpened:
    """The data is there.

    Attributes:
        name: of the data, as exported.
        task: what is asked of a model.
        classes: names of the classes; empty where there are none.
        digest: of contents, labels and order.
        metric: name of the metric.
        higher_is_better: its direction.
        samples: how many are judged.
        skipped: those that could not be used.
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    digest: str
    metric: str
    higher_is_better: bool
    samples: int
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Go on with the data that is open; answered by `Evaluated`.

    Attributes:
        first: number of the first sample.
        seconds: no further batch begins after so long.
    """

    first: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What some samples gave, in their order.

    Attributes:
        rows: what the metric kept.
        columns: numbers in each of them.
        lengths: rows of each sample.
        units: what each sample belongs to.
        contents: digest of each sample.
        real_s: seconds of the calls with whole batches of the data.
        synthetic_s: seconds of calls with made-up inputs, each just beside the same one of those.
        stages: seconds for these samples of what is around the calls, by name.
    """

    rows: tuple[tuple[float, ...], ...]
    columns: int
    lengths: tuple[int, ...]
    units: tuple[str, ...]
    contents: tuple[str, ...]
    real_s: tuple[float, ...]
    synthetic_s: tuple[float, ...]
    stages: Mapping[str, float]
