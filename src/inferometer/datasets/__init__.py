"""Labelled samples: from a reference to a dataset of one role, and to inputs of a model.

Importing this package imports no runtime, and nothing that decodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferometer.core.dataset import Role
    from inferometer.datasets.listing import KnownDataset
    from inferometer.datasets.opened import OpenedData
    from inferometer.datasets.pool import Opening, Pool, Progress, RoleDataset

from inferometer.datasets.apart import assert_apart, overlap
from inferometer.datasets.preprocess import batched, prepare, prepare_label
from inferometer.datasets.reference import DatasetReference, parse

__all__ = [
    "DatasetReference",
    "assert_apart",
    "batched",
    "check_reference",
    "known",
    "open_data",
    "open_dataset",
    "open_roles",
    "overlap",
    "parse",
    "prepare",
    "prepare_label",
]


def check_reference(reference: str) -> DatasetReference:
    """Look at a reference as far as that is possible without reading a sample.

    Args:
        reference: `digits`, `./FOLDER`, `x.npz`, `x.csv`, `torchvision:NAME`, `hf:NAME`,
            `path/to/file.py:function`, with options after `?`.

    Returns:
        The reference, read.

    Raises:
        DatasetError: its syntax, its name, its source, an option or a file is wrong.
        MissingExtraError: a package that it needs is not installed.
    """
    from inferometer.datasets.labels import named_classes
    from inferometer.datasets.registry import source
    from inferometer.datasets.roles import USER_SHARES, shares_of

    parsed = parse(reference)
    shares_of(USER_SHARES, parsed.shares)
    named_classes(parsed.classes)
    source(parsed.source).check(parsed)
    return parsed


def open_data(
    reference: str,
    role: Role = "test",
    *,
    limit: int | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> OpenedData:
    """The samples of a role, with what the reference says of the metric and of preprocessing.

    Looks at all samples of the reference, of which it remembers those that are files.

    Args:
        reference: as for `check_reference`.
        role: what they are for.
        limit: how many at the most, of all classes alike; None takes `?limit=`, or all.
        seed: another one takes others where there is a limit.
        on_progress: told how many samples have been looked at, and how many there are.

    Raises:
        DatasetError: the reference, samples or labels are wrong.
        MissingExtraError: a package that it needs is not installed.
    """
    from inferometer.datasets.opened import OpenedData
    from inferometer.datasets.pool import RoleDataset

    pool, opening = _looked_at(reference, role, limit, seed, on_progress)
    return OpenedData(dataset=RoleDataset(pool, opening), reference=opening.reference)


def open_dataset(
    reference: str,
    role: Role = "test",
    *,
    limit: int | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> RoleDataset:
    """The samples of a role, in a fixed order; arguments and errors are those of `open_data`."""
    opened = open_data(reference, role, limit=limit, seed=seed, on_progress=on_progress)
    return opened.dataset


def open_roles(reference: str, *, on_progress: Progress | None = None) -> dict[Role, RoleDataset]:
    """The samples of each role that has some, looked at once; errors are those of `open_data`."""
    from dataclasses import replace

    from inferometer.core.dataset import ROLES
    from inferometer.datasets.pool import RoleDataset, roles_of

    pool, opening = _looked_at(reference, "test", None, 0, on_progress)
    roles, _ = roles_of(pool, opening.reference)
    return {role: RoleDataset(pool, replace(opening, role=role)) for role in ROLES if roles[role]}


def known() -> list[KnownDataset]:
    """Datasets that a package ships, and ways to name others, with what each needs."""
    from inferometer.datasets.listing import known as every

    return every()


def _looked_at(
    reference: str, role: Role, limit: int | None, seed: int, on_progress: Progress | None
) -> tuple[Pool, Opening]:
    from inferometer.datasets.pool import Opening
    from inferometer.datasets.registry import source

    parsed = check_reference(reference)
    opening = Opening(
        reference=parsed,
        role=role,
        limit=parsed.limit if limit is None else limit,
        seed=seed,
        on_progress=on_progress or _untold,
    )
    return source(parsed.source).open(opening), opening


def _untold(done: int, total: int) -> None:
    del done, total
