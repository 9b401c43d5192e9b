"""Workloads that moved when the others did not: a throttled core, a model that drifts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from inferometer.stats.joint.observations import Array, Indices, Observations, Variances
from inferometer.stats.joint.robust import process_spread
from inferometer.stats.joint.solve import LEAST, Solution

CHANCE = 0.01
"""That any workload of a run is named although none moved."""
BOUNDARIES = 40
"""Places at which a stretch may begin or end; more of them only take time."""
LEAST_STRETCH, LEAST_SHARE = 4, 0.15
"""Rounds, and share of them; less are spikes, which the tails of the noise stand for."""
LEAST_SHIFT = 0.10
"""Less moves no conclusion, and the wider noise of a workload stands for it."""
LEAST_NOISE = 0.8
"""Of the noise that all share: a workload may be quieter, and few rounds may look so by chance."""
COMMON_FREEDOM = 20.0
"""Rounds that the noise of all workloads counts for beside those of one."""
CLIPPED = 2.0
"""Deviations of the noise from its neighbours at which a single round is cut off."""
TAIL_FREEDOM = 30.0
"""Of the deviations, whose noise and spread are themselves estimated."""
OWN_FREEDOM = 2.0
"""Degrees of freedom that the other workloads lend to the spread of one that moved."""


@dataclass(frozen=True, kw_only=True)
class Alone:
    """A workload that moved when the others did not.

    Attributes:
        workload: its index.
        factor: latency of the stretch over that of the rest.
        begin_s: when the stretch begins, in the time of the rounds.
        end_s: when it ends.
        variance: of the mean of its logarithms, by its own rounds alone.
        freedom: degrees of freedom of that.
    """

    workload: int
    factor: float
    begin_s: float
    end_s: float
    variance: float
    freedom: float


def moved_alone(data: Observations, solution: Solution, at: Variances) -> list[Alone]:
    """Workloads of which some stretch of time differs by more than chance explains."""
    own = data.y - solution.mean[data.workload] - solution.state
    count, spread = data.workloads, process_spread(data, solution)
    # What the other workloads' processes differ by: its own may be what is looked for.
    between = np.sqrt([np.delete(spread, workload).mean() for workload in range(count)])
    found = (
        _Series(data, own, at, workload, float(between[workload])).largest_shift(count)
        for workload in range(count)
    )
    return [one for one in found if one is not None]


class _Series:
    """Rounds of one workload in the order of time, less what is common to all."""

    def __init__(
        self, data: Observations, own: Array, at: Variances, workload: int, between: float
    ) -> None:
        mine = data.workload == workload
        self.workload = workload
        self.process = data.process[mine]
        self.when = data.when[mine]
        flicker, count = _flicker(own[mine], self.process)
        # The typical factor of the noise is that of rounds without a spike.
        usual = max(at.noise, LEAST) ** 2 * float(np.median(data.noise_scale))
        square = (COMMON_FREEDOM * usual + count * flicker**2) / (COMMON_FREEDOM + count)
        self.noise = math.sqrt(max(square, LEAST_NOISE**2 * usual))
        self.values = _without_spikes(own[mine], CLIPPED * self.noise)
        self.between = between
        self.weights = self._precision()

    def largest_shift(self, workloads: int) -> Alone | None:
        """The stretch that differs the most; None where chance may have made it."""
        ones = self.weights.sum(axis=1)
        level = float(ones @ self.values) / float(ones.sum())
        pulled = _summed(self.weights @ (self.values - level))
        shared, inside = _summed(ones), _summed(_summed(self.weights).T)
        first, last = self._stretches()
        information = inside[last, last] - 2 * inside[first, last] + inside[first, first]
        information -= (shared[last] - shared[first]) ** 2 / ones.sum()
        known = np.maximum(information, 0.0)
        sizes = (pulled[last] - pulled[first]) / np.where(known > 0, known, np.inf)
        deviations = np.abs(sizes) * np.sqrt(known)
        if not deviations.any():
            return None
        at = int(np.argmax(deviations))
        best, shift = float(deviations[at]), float(sizes[at])
        # Stretches overlap: there are about as many independent ones as there are rounds.
        tried = len(self.values) * workloads
        if 2 * float(stdtr(TAIL_FREEDOM, -best)) * tried > CHANCE or abs(shift) < LEAST_SHIFT:
            return None
        return self._alone(shift, int(first[at]), int(last[at]))

    def _alone(self, shift: float, first: int, last: int) -> Alone:
        share = (last - first) / len(self.values)
        processes = np.unique(self.process)
        means = np.array([self.values[self.process == one].mean() for one in processes])
        k = len(processes)
        expected = self.between**2 + self.noise**2 * k / len(self.values)
        spread = float(np.var(means, ddof=1)) if k > 1 else 0.0
        return Alone(
            workload=self.workload,
            factor=math.exp(shift),
            begin_s=float(self.when[first]),
            end_s=float(self.when[last - 1]),
            # The mean with and without the stretch are as far apart as its share of the shift.
            variance=max(spread, expected) / k + (min(share, 1 - share) * shift) ** 2 / 2,
            freedom=k - 1 + OWN_FREEDOM,
        )

    def _precision(self) -> Array:
        """Inverse of the covariance: noise of a round, and a common part within a process."""
        same = self.process[:, None] == self.process[None, :]
        count = same.sum(axis=1)
        pull = self.between**2 / (self.noise**2 + count * self.between**2)
        precision: Array = (np.eye(len(count)) - pull[:, None] * same) / self.noise**2
        return precision

    def _stretches(self) -> tuple[Indices, Indices]:
        """Begins and ends of stretches of at least so many rounds, and as many outside."""
        n = len(self.values)
        least = max(LEAST_STRETCH, math.ceil(LEAST_SHARE * n))
        ends = np.unique(np.linspace(0, n, min(n, BOUNDARIES) + 1).astype(np.int64))
        first, last = np.repeat(ends, len(ends)), np.tile(ends, len(ends))
        fit = (last - first >= least) & (n - (last - first) >= least)
        return first[fit], last[fit]


def _summed(values: Array) -> Array:
    """Sums of the first so many rows, none at first."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


def _flicker(values: Array, process: Array) -> tuple[float, int]:
    """Noise from the differences of successive rounds, and their number; a shift makes two."""
    together = process[1:] == process[:-1]
    differences = np.abs(np.diff(values))[together]
    if not len(differences):
        return 0.0, 0
    return float(np.median(differences)) / 0.6745 / math.sqrt(2), len(differences)


def _without_spikes(values: Array, limit: float) -> Array:
    """Values no further from the median of their five neighbours than a limit."""
    padded = np.pad(values, 2, mode="edge")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return np.asarray(np.clip(values, around - limit, around + limit), dtype=float)
