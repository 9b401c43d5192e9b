"""A study cut into blocks, for equal devices to take from a queue.

Every block has one workload in common, so that devices can be told from workloads. It costs the
time of one workload a block, and a block that ends last leaves the other devices idle. So there is
one block for each device, and again as many of half their length, and so on (as in guided
self-scheduling: Polychronopoulos and Kuck, IEEE Transactions on Computers 36, 1987), as long as the
common workload costs no more than a twentieth of the work.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inferometer.core.workload import Variant, Workload

COMMON_SHARE = 0.05
"""Of all work, for measuring the common workload again."""
MOST_ROUNDS = 4
"""Of the queue: the last blocks are an eighth of the first ones."""
USUAL_SIZE = 224
"""Taken for the size of a model that has but one."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A study in blocks.

    Attributes:
        common: the workload that is in every block; None where there is one block.
        blocks: workloads in the study's order, the longest blocks first.
    """

    common: Workload | None
    blocks: tuple[tuple[Workload, ...], ...]


def cut(
    workloads: Sequence[Workload], devices: int, *, missing: Collection[Workload] | None = None
) -> Cut:
    """A study in blocks of about equal length.

    Args:
        workloads: of the study, each once, at least one.
        devices: that take from the queue.
        missing: those of them that are left to measure, at least one, where others were before.
    """
    left = [one for one in workloads if missing is None or one in missing]
    shares = shares_wanted(len(left), devices)
    if len(shares) == 1 and missing is None:
        return Cut(common=None, blocks=(tuple(workloads),))
    common = common_of(workloads)
    rest = [one for one in left if one != common] or [common]
    place = {one: number for number, one in enumerate(workloads)}
    blocks = (sorted({common, *mine}, key=place.__getitem__) for mine in _shared_out(rest, shares))
    return Cut(common=common, blocks=tuple(map(tuple, blocks)))


def common_of(workloads: Sequence[Workload]) -> Workload:
    """The workload of a study that every block has, where there are several."""
    return min(workloads, key=_weight)


def shares_wanted(workloads: int, devices: int) -> list[float]:
    """How long each block is to be beside the first, which come first in the queue."""
    if devices == 1:
        return [1.0]
    rounds = min(max(int(COMMON_SHARE * workloads / devices), 1), MOST_ROUNDS)
    shares = [0.5**one for one in range(rounds) for _ in range(devices)]
    return shares[: max(workloads - 1, 1)]


def _shared_out(workloads: Sequence[Workload], shares: Sequence[float]) -> list[list[Workload]]:
    """Workloads in bins of about these lengths, those of a variant together as they can be.

    The longest piece goes first, into the bin that it fills least (Graham, SIAM Journal on Applied
    Mathematics 17, 1969, for equal ones).
    """
    bins: list[list[Workload]] = [[] for _ in shares]
    filled = [0.0] * len(shares)
    most = _total(workloads) * min(shares) / math.fsum(shares) / 2
    pieces = [piece for mine in _by_variant(workloads) for piece in _pieces(mine, most)]
    for piece in sorted(pieces, key=_total, reverse=True):
        total = _total(piece)
        fullness = [(done + total) / share for done, share in zip(filled, shares, strict=True)]
        chosen = fullness.index(min(fullness))
        bins[chosen].extend(piece)
        filled[chosen] += total
    return [mine for mine in bins if mine]


def _by_variant(workloads: Sequence[Workload]) -> list[list[Workload]]:
    found: dict[Variant, list[Workload]] = defaultdict(list)
    for one in workloads:
        found[one.variant].append(one)
    return list(found.values())


def _pieces(workloads: Sequence[Workload], most: float) -> list[list[Workload]]:
    """Workloads of a variant, which is loaded once for each piece, none much longer than that."""
    pieces = max(math.ceil(_total(workloads) / most), 1)
    return [mine for start in range(pieces) if (mine := list(workloads[start::pieces]))]


def _total(workloads: Sequence[Workload]) -> float:
    return math.fsum(map(_weight, workloads))


def _weight(workload: Workload) -> float:
    """How long a workload is taken to last, beside others.

    Much of it is the same for all (rounds of a least length, loading); the rest grows with what a
    call computes. How long a model takes is not known before it was measured.
    """
    samples = workload.batch_size * ((workload.input_size or USUAL_SIZE) / USUAL_SIZE) ** 2
    return 8 + samples
