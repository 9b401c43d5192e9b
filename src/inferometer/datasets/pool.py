"""All samples of a source, and those of them that are for one role."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from inferometer.core.dataset import Kind, Role, Sample, Skipped, Task
from inferometer.core.errors import DatasetError
from inferometer.core.shown import shown
from inferometer.datasets.digests import dataset_digest
from inferometer.datasets.roles import Entry, by_role, sampled, shares_of

if TYPE_CHECKING:
    from inferometer.datasets.reference import DatasetReference

Progress = Callable[[int, int], None]
"""Told how many samples have been looked at, and how many there are."""
NAMED = 3
"""Unusable samples that an error names."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """All samples of a source.

    Attributes:
        task: what is asked of a model.
        kind: the form of the inputs.
        classes: names of classes, by number.
        source: where the samples come from, and under which licence.
        entries: the samples, in their order.
        read: gives the input and the label of the sample of a number.
        shares: of roles, where the source puts samples nowhere.
        skipped: what could not be used, and does not make the rest doubtful: files that are no
            pictures.
        unusable: what should have been a sample.
        sizes: for people: of the inputs, such as `8x8 to 512x512`.
    """

    task: Task
    kind: Kind
    classes: tuple[str, ...]
    source: str
    entries: Sequence[Entry]
    read: Callable[[int], tuple[Any, Any]]
    shares: Mapping[Role, float]
    skipped: tuple[Skipped, ...] = ()
    unusable: tuple[Skipped, ...] = ()
    sizes: str = ""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How a source is to be opened.

    Attributes:
        reference: what the user wrote.
        role: what the samples are for.
        limit: samples that are wanted at the most; None is all.
        seed: of what a source draws.
        on_progress: told of each sample that was looked at.
    """

    reference: DatasetReference
    role: Role
    limit: int | None
    seed: int
    on_progress: Progress


@runtime_checkable
class DatasetSource(Protocol):
    """Opens one kind of dataset reference. Its class takes no arguments."""

    def check(self, reference: DatasetReference) -> None:
        """Look at a reference without reading a sample.

        Raises:
            InputError: it is wrong, or what it needs is not installed.
        """
        ...

    def open(self, opening: Opening) -> Pool:
        """Look at all samples.

        Raises:
            InputError: they cannot be used.
        """
        ...


class RoleDataset:
    """The samples of one role; fits `core.dataset.Dataset`."""

    def __init__(self, pool: Pool, opening: Opening) -> None:
        reference = opening.reference
        roles, left_out = roles_of(pool, reference)
        numbers = roles[opening.role]
        require_some(numbers, reference.name, opening.role)
        if opening.limit is not None:
            numbers = sampled(numbers, pool.entries, opening.limit, opening.seed)
        self._pool = pool
        self.entries = [pool.entries[number] for number in numbers]
        self._numbers = numbers
        self.name = reference.name
        self.role: Role = opening.role
        self.task, self.kind, self.classes = pool.task, pool.kind, pool.classes
        self.source, self.sizes = pool.source, pool.sizes
        self.contents = tuple(entry.content for entry in self.entries)
        self.digest = dataset_digest(self.contents, (entry.label for entry in self.entries))
        repeated = tuple(skipped for role, skipped in left_out if role == self.role)
        self.skipped = (*pool.unusable, *pool.skipped, *repeated)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._numbers)

    def __getitem__(self, index: int) -> Sample:
        """A sample; reads it where it is not in memory."""
        entry = self.entries[index]
        content, label = self._pool.read(self._numbers[index])
        return Sample(content, label, entry.unit, entry.name)


def roles_of(
    pool: Pool, reference: DatasetReference
) -> tuple[dict[Role, list[int]], list[tuple[Role, Skipped]]]:
    """Numbers of the samples of each role, and those that are left out as their content is there.

    Raises:
        DatasetError: too few samples can be used, or the shares are wrong.
    """
    require_usable(pool, reference)
    return by_role(pool.entries, shares_of(pool.shares, reference.shares))


def require_usable(pool: Pool, reference: DatasetReference) -> None:
    """Refuse a dataset of which too much is unusable: the rest may be no fair part of it.

    Raises:
        DatasetError: it is so.
    """
    unusable, usable = pool.unusable, len(pool.entries)
    every = usable + len(unusable)
    if not usable or len(unusable) > reference.skip * every:
        named = "; ".join(f"{shown(one.name, 60)}: {one.why}" for one in unusable[:NAMED])
        more = f"; and {len(unusable) - NAMED} more" if len(unusable) > NAMED else ""
        what = f" ({named}{more})" if unusable else ""
        way_out = f"; more than {reference.skip:.0%}: mend them, or write ?skip=…%" * bool(usable)
        raise DatasetError(
            f"{reference.name}: {len(unusable)} of {every} samples cannot be used{what}{way_out}"
            if every
            else f"{reference.name} holds no samples"
        )


def require_some(numbers: Sequence[int], name: str, role: Role) -> None:
    """Refuse a role without samples.

    Raises:
        DatasetError: it is so.
    """
    if not numbers:
        raise DatasetError(
            f"{name} has no samples for {role}; give it a share, as in ?{role}=20%, or more samples"
        )
