"""Contents that stand in several datasets, whatever way they came in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from inferometer.core.dataset import Dataset
from inferometer.core.errors import DatasetError
from inferometer.core.shown import shown


def overlap(one: Dataset, other: Dataset) -> list[str]:
    """Digests of the contents that both have, in the order of the first."""
    theirs = set(other.contents)
    return [content for content in one.contents if content in theirs]


def assert_apart(*datasets: Dataset) -> None:
    """Check that no content is in two roles.

    Args:
        datasets: from any references; those of one role may have contents in common.

    Raises:
        DatasetError: a content is in datasets of two roles; says which.
    """
    for one, other in combinations(datasets, 2):
        common = overlap(one, other) if one.role != other.role else []
        if common:
            many = f"{len(common):,} samples are" if len(common) > 1 else "a sample is"
            raise DatasetError(
                f"{many} in {_told(one)} and in {_told(other)}, such as {_name(one, common)} of "
                f"the first; what is judged must have been used for nothing else"
            )


def _told(dataset: Dataset) -> str:
    return f"{dataset.name} ({dataset.role})"


def _name(dataset: Dataset, common: Sequence[str]) -> str:
    return shown(dataset[dataset.contents.index(common[0])].name)
