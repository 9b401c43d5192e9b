"""Labelled samples, what a metric keeps of them, and the protocols of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

Role = Literal["training", "calibration", "validation", "test"]
"""What samples are for; no content is in two of them."""
ROLES: tuple[Role, ...] = get_args(Role)
Task = Literal[
    "classification", "segmentation", "detection", "transcription", "frames", "similarity", "other"
]
TASKS: tuple[Task, ...] = get_args(Task)
Kind = Literal["image", "array", "text"]
"""`image`: height by width by 3 of uint8, which is preprocessed for the model; `array`: in the form
that the model takes (one array, or a mapping of names to arrays); `text`: a string, or several."""

MOST_SKIPPED = 1000
"""Samples that could not be used are named up to here."""

Floats = NDArray[np.float64]


class Sample(NamedTuple):
    """One labelled sample.

    Attributes:
        input: what the model is asked (see `Kind`).
        label: the right answer: a class number; a mask of class numbers; boxes and classes; a text;
            a number for each frame; a number.
        unit: what it belongs to: the document, speaker or picture that is drawn as a whole when
            the uncertainty of a metric is found. Itself, where it stands alone.
        name: for messages: its file, or its number.
    """

    input: Any
    label: Any
    unit: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A sample that could not be used.

    Attributes:
        name: its file, or its number.
        why: in a few words.
    """

    name: str
    why: str


class Dataset(Protocol):
    """Labelled samples of one role, in a fixed order.

    Attributes:
        name: as exported, such as `digits` or `folder:cats`.
        role: what its samples are for.
        task: what is asked of a model.
        kind: the form of its inputs.
        classes: names of classes, by number; empty where labels are no classes.
        digest: of its contents, labels and order; the same for the same samples.
        contents: digests of the inputs, 32 hexadecimal digits, in the order of the samples.
        skipped: samples that could not be used.
        source: where the samples come from, and under which licence, for people.
    """

    name: str
    role: Role
    task: Task
    kind: Kind
    classes: tuple[str, ...]
    digest: str
    contents: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    source: str

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """A sample; reads it where it is not in memory."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a metric keeps of samples: rows of numbers, some for each sample.

    Attributes:
        rows: numbers, one row after the other, shape (rows, columns).
        lengths: rows of each sample; most metrics have one.
    """

    rows: Floats
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.lengths)

    @classmethod
    def of(cls, rows: Floats) -> Kept:
        """One row for each sample."""
        return cls(rows=rows, lengths=np.ones(len(rows), dtype=np.int64))

    def first(self, count: int) -> Kept:
        """The first of the samples."""
        lengths = self.lengths[:count]
        return Kept(rows=self.rows[: int(lengths.sum())], lengths=lengths)

    @classmethod
    def join(cls, parts: Sequence[Kept]) -> Kept:
        """Samples of several, in their order."""
        return cls(
            rows=np.concatenate([part.rows for part in parts]),
            lengths=np.concatenate([part.lengths for part in parts]),
        )


class Metric(Protocol):
    """A measure of accuracy.

    Attributes:
        name: as exported, such as `top1`.
        higher_is_better: the direction.
        is_share: whether its value is the share of samples that are right, each 0 or 1 in the only
            column: Wilson's interval and McNemar's test fit.
        low: least value that it can have; None has no bound.
        high: greatest value that it can have.
    """

    name: str
    higher_is_better: bool
    is_share: bool
    low: float | None
    high: float | None

    def keep(self, outputs: Any, labels: Sequence[Any]) -> Kept:  # noqa: ANN401 - as models give it
        """What is kept of the samples of one call.

        Args:
            outputs: what the model gave, tensors as NumPy arrays, however nested; samples along the
                first axis.
            labels: the right answers.

        Raises:
            WorkloadError: (unsupported) outputs and labels do not fit each other; says how.
        """
        ...

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """The metric over all samples, each counted as often as its weight says.

        NaN where it is not defined, as without any sample.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One pass of a workload over a dataset.

    Attributes:
        workload: key of the workload.
        dataset: its name.
        task: what is asked of a model.
        classes: names of the classes; empty where there are none.
        digest: of the dataset.
        metric: name of the metric.
        higher_is_better: its direction.
        samples: how many the dataset has; those that were judged are the first of them.
        kept: what it kept.
        units: for each sample, the number of the unit that it belongs to.
        contents: digests of the samples, in their order.
        real_s: seconds of the calls with the data, in their order.
        synthetic_s: seconds of calls with synthetic inputs, each made just beside the same one.
        stages: seconds a sample of the other stages of the way, by name (`load`, `preprocess`,
            `postprocess`).
        skipped: samples that could not be used.
    """

    workload: str
    dataset: str
    task: Task
    classes: tuple[str, ...]
    digest: str
    metric: str
    higher_is_better: bool
    samples: int
    kept: Kept
    units: NDArray[np.int64]
    contents: tuple[str, ...]
    real_s: tuple[float, ...] = ()
    synthetic_s: tuple[float, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
