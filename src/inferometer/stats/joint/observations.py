"""Rounds of a run as numbers, what they are made of, and which of that is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

CLOSEST_S = 1e-6
"""Least distance of two rounds; rounds of two workers may begin together."""


class Variances(NamedTuple):
    """Standard deviations of the logarithms, and correlation times.

    Attributes:
        noise: of a round.
        between: of a process.
        fast: of the state that lasts about a second.
        fast_s: its correlation time, seconds.
        slow: of the state that lasts minutes.
        slow_s: its correlation time, seconds.
        device: of a device; 0 where all rounds are of one.
    """

    noise: float
    between: float
    fast: float
    fast_s: float
    slow: float
    slow_s: float
    device: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Rounds in the order of time, a device after the other; n of them, of k processes.

    Attributes:
        workload: of each round, 0 to m - 1; shape (n,).
        process: of each round, 0 to k - 1; shape (n,).
        owner: workload of each process; shape (k,).
        device: of each process, 0 to d - 1; shape (k,).
        when: middle of each round, seconds, increasing within a device; shape (n,).
        y: logarithm of the latency; shape (n,).
        noise_scale: factor of the noise's variance; shape (n,).
        between_scale: factor of the processes' variance; shape (k,).
        between_freedom: degrees of freedom of that factor; shape (m,).
    """

    workload: Indices
    process: Indices
    owner: Indices
    device: Indices
    when: Array
    y: Array
    noise_scale: Array
    between_scale: Array
    between_freedom: Array

    @property
    def workloads(self) -> int:
        """Number of workloads."""
        return int(self.owner.max()) + 1

    @property
    def devices(self) -> int:
        """Number of devices."""
        return int(self.device.max()) + 1

    @property
    def gaps_s(self) -> Array:
        """Times between successive rounds; endless between those of two devices."""
        gaps = np.maximum(np.diff(self.when), CLOSEST_S)
        gaps[np.diff(self.device[self.process]) != 0] = np.inf
        return gaps

    @cached_property
    def whole(self) -> Layout:
        """Unknowns with every process among them."""
        return _layout(self, np.arange(len(self.owner)))

    @cached_property
    def reduced(self) -> Layout:
        """Unknowns without processes of a single round."""
        return _layout(self, np.flatnonzero(np.bincount(self.process) > 1))


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The unknowns of the dense system: processes, then devices if there are several, workloads.

    Attributes:
        kept: processes among them; shape (r,).
        single: rounds whose process is not; shape (n,).
        group: of each round, its process or what else has the same unknowns; shape (n,).
        sums: the unknowns of each group; shape (groups, r + d + m).
    """

    kept: Indices
    single: NDArray[np.bool_]
    group: Indices
    sums: csr_array


def _layout(data: Observations, kept: Indices) -> Layout:
    """The unknowns with these processes among them.

    Rounds of other processes are one group for each workload and device.
    """
    place = np.full(len(data.owner), -1)
    place[kept] = np.arange(len(kept))
    others = np.flatnonzero(place < 0)
    names = np.column_stack([data.owner[others], data.device[others]])
    known, number = np.unique(names, axis=0, return_inverse=True)
    place[others] = len(kept) + number.ravel()
    owner = np.concatenate([data.owner[kept], known[:, 0]])
    device = np.concatenate([data.device[kept], known[:, 1]])
    d = data.devices if data.devices > 1 else 0
    columns = [np.arange(len(kept)), *([len(kept) + device] if d else []), len(kept) + d + owner]
    rows = [np.arange(len(part)) for part in columns]
    total = (len(owner), len(kept) + d + data.workloads)
    where = (np.concatenate(rows), np.concatenate(columns))
    return Layout(
        kept=kept,
        single=place[data.process] >= len(kept),
        group=place[data.process],
        sums=csr_array((np.ones(len(where[0])), where), shape=total),
    )
