"""A dataset with what its reference says of the metric and of preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.core.dataset import Sample
from inferometer.core.preprocessing import Preprocessing
from inferometer.core.workload import Shape
from inferometer.datasets.pool import RoleDataset
from inferometer.datasets.preprocess import batched, prepare, prepare_label
from inferometer.datasets.reference import DatasetReference


@dataclass(frozen=True, kw_only=True)
class OpenedData:
    """A dataset as a reference names it.

    Attributes:
        dataset: its samples.
        reference: what the user wrote.
    """

    dataset: RoleDataset
    reference: DatasetReference

    @property
    def metric(self) -> str | None:
        """The metric that the user named (`?metric=`); None is that of the task."""
        return self.reference.metric

    def preparation(self, own: Preprocessing | None, shape: Shape) -> Preparation:
        """From samples to what a model takes.

        Args:
            own: what the model's source says of preprocessing; None is the default.
            shape: of the calls.
        """
        how = self.reference.preprocessing(own)
        return Preparation(dataset=self.dataset, how=how, input_size=shape.input_size)


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """From samples to what a model takes.

    Attributes:
        dataset: whose samples.
        how: what pictures go through.
        input_size: height and width; None takes those of `how`, or of the picture.
    """

    dataset: RoleDataset
    how: Preprocessing
    input_size: int | None

    def __call__(self, inputs: Sequence[Any]) -> Any:  # noqa: ANN401 - as models take it
        """A batch: an array, a mapping of arrays by name, or texts in a list.

        Raises:
            WorkloadError: (unsupported) the sizes of pictures differ.
        """
        kind = self.dataset.kind
        return batched([prepare(one, kind, self.how, self.input_size) for one in inputs])

    def labels(self, samples: Sequence[Sample]) -> list[Any]:
        """Labels that fit the prepared pictures: masks and boxes are moved as these are."""
        dataset = self.dataset
        if dataset.kind != "image":
            return [sample.label for sample in samples]
        return [
            prepare_label(one.label, dataset.task, one.input, self.how, self.input_size)
            for one in samples
        ]
