"""Linear mixed model of log latencies at given variances, by a banded Cholesky factor.

    log latency of a round = workload + process + fast state(t) + slow state(t) + noise

and, where rounds are of several devices, a random effect of each of these (`Observations.device`),
whose states know nothing of each other. Both states are Ornstein-Uhlenbeck processes, whose
precision at the times of the rounds is tridiagonal (Rue and Held, Gaussian Markov Random Fields,
2005, 1.1 and 2.4), so that they are eliminated in time linear in the rounds; processes, devices and
workloads remain as one dense system. The value that is minimised is the negative restricted log
likelihood (Patterson and Thompson, Biometrika 58, 1971), but for a constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cho_solve_banded, cholesky_banded

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

CLOSEST_S = 1e-6
"""Least distance of two rounds; rounds of two workers may begin together."""
LEAST = 1e-4
"""Noise of a round that no clock tells from none."""
RIDGE = 1e-10
"""Relative, so that a factor exists where two columns nearly agree."""


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


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Estimates at given variances.

    Attributes:
        value: negative restricted log likelihood, but for a constant.
        mean: of each workload; shape (m,).
        covariance: of these; shape (m, m).
        processes: predicted effect of each process; shape (k,).
        process_variances: of its prediction; shape (k,).
        state: predicted state of the machine at each round: both parts and the effect of its
            device together; shape (n,).
        residuals: what is left of each round; shape (n,).
    """

    value: float
    mean: Array
    covariance: Array
    processes: Array
    process_variances: Array
    state: Array
    residuals: Array


class _Parts(NamedTuple):
    """What both the value and the estimates are made of."""

    value: float
    solved: Array  # workloads, then processes, then devices where there are several
    factor: tuple[Array, bool]
    by_process: Array  # states that each process's rounds imply, and last those of y


def restricted_likelihood(data: Observations, at: Variances) -> float:
    """Negative restricted log likelihood, but for a constant; infinite where it has no factor."""
    try:
        return _solve(data, at).value
    except np.linalg.LinAlgError:
        return math.inf


def solve(data: Observations, at: Variances) -> Solution:
    """Best linear unbiased estimates and predictions (Henderson's equations) at given variances.

    Raises:
        numpy.linalg.LinAlgError: the variances are so far apart that there is no factor.
    """
    parts = _solve(data, at)
    m, k = data.workloads, len(data.owner)
    mean, processes, devices = np.split(parts.solved, [m, m + k])
    level = mean[data.owner] + processes
    if data.devices > 1:
        level = level + devices[data.device]
    state = parts.by_process[:, -1] - parts.by_process[:, :-1] @ level
    if data.devices > 1:
        state = state + devices[data.device][data.process]
    covariance = cho_solve(parts.factor, np.eye(len(parts.solved)))
    fitted = mean[data.workload] + processes[data.process] + state
    return Solution(
        value=parts.value,
        mean=mean,
        covariance=covariance[:m, :m],
        processes=processes,
        process_variances=np.diag(covariance)[m : m + k].copy(),
        state=state,
        residuals=data.y - fitted,
    )


def _solve(data: Observations, at: Variances) -> _Parts:
    precision = 1 / (max(at.noise, LEAST) ** 2 * data.noise_scale)
    banded, states_log = _state_precision(data.gaps_s, at)
    banded[0, 0::2] += precision
    banded[0, 1::2] += precision
    banded[1, 0::2] += precision
    factor = cholesky_banded(banded, lower=True, check_finite=False)
    by_process, information, of_y, square = _eliminate_states(data, precision, factor)
    system, right = _system(data, at, information, of_y)
    dense = cho_factor(system, lower=True, check_finite=False)
    solved = cho_solve(dense, right)
    value = 0.5 * (
        -float(np.log(precision).sum())
        - states_log
        + 2 * len(data.owner) * math.log(at.between)
        + (2 * data.devices * math.log(at.device) if data.devices > 1 else 0.0)
        + float(np.log(data.between_scale).sum())
        + 2 * float(np.log(factor[0]).sum())
        + 2 * float(np.log(np.diag(dense[0])).sum())
        + square
        - float(right @ solved)
    )
    return _Parts(value=value, solved=solved, factor=dense, by_process=by_process)


def _state_precision(gaps_s: Array, at: Variances) -> tuple[Array, float]:
    """Precision of both states, interleaved, in lower banded form, and its log determinant."""
    banded = np.zeros((3, 2 * (len(gaps_s) + 1)))
    total = 0.0
    for first, (deviation, time_s) in enumerate(((at.fast, at.fast_s), (at.slow, at.slow_s))):
        diagonal, beside, determinant = _ornstein_uhlenbeck(gaps_s, deviation, time_s)
        banded[0, first::2] = diagonal
        banded[2, first : 2 * len(gaps_s) : 2] = beside
        total += determinant
    return banded, total


def _ornstein_uhlenbeck(
    gaps_s: Array, deviation: float, time_s: float
) -> tuple[Array, Array, float]:
    """Tridiagonal precision of a stationary process at times with these gaps."""
    kept = np.exp(-gaps_s / time_s)
    new = np.maximum(-np.expm1(-2 * gaps_s / time_s), CLOSEST_S)
    diagonal = np.ones(len(gaps_s) + 1)
    diagonal[:-1] += kept**2 / new
    diagonal[1:] += kept**2 / new
    determinant = -len(diagonal) * 2 * math.log(deviation) - float(np.log(new).sum())
    return diagonal / deviation**2, -kept / new / deviation**2, determinant


def _eliminate_states(
    data: Observations, precision: Array, factor: Array
) -> tuple[Array, Array, Array, float]:
    """States given each process's rounds; what is left of the information on processes."""
    n, k = len(data.y), len(data.owner)
    right = np.zeros((2 * n, k + 1))
    rows = np.arange(n)
    right[2 * rows, data.process] = precision
    right[0::2, k] = precision * data.y
    right[1::2] = right[0::2]
    states = cho_solve_banded((factor, True), right, overwrite_b=True, check_finite=False)
    by_process = states[0::2] + states[1::2]
    weighted = _sum_by(data.process, precision[:, None] * by_process, k)
    own = np.bincount(data.process, precision, k)
    information = np.diag(own) - weighted[:, :-1]
    of_y = np.bincount(data.process, precision * data.y, k) - weighted[:, -1]
    square = float((precision * data.y * (data.y - by_process[:, -1])).sum())
    return by_process, information, of_y, square


def _system(
    data: Observations, at: Variances, information: Array, of_y: Array
) -> tuple[Array, Array]:
    """Equations of workloads, processes and devices, states eliminated."""
    m, k = data.workloads, len(data.owner)
    d = data.devices if data.devices > 1 else 0
    mixed = _sum_by(data.owner, information, m)  # (m, k)
    system = np.empty((m + k + d, m + k + d))
    system[:m, :m] = _sum_by(data.owner, mixed.T, m)
    system[:m, m : m + k] = mixed
    system[m : m + k, :m] = mixed.T
    system[m : m + k, m : m + k] = information
    system[np.arange(m, m + k), np.arange(m, m + k)] += 1 / (at.between**2 * data.between_scale)
    right = [np.bincount(data.owner, of_y, m), of_y]
    if d:
        beside = _sum_by(data.device, system[: m + k, m : m + k].T, d)  # (d, m + k)
        # The variance of the processes is theirs alone.
        beside[:, m:] = _sum_by(data.device, information, d)
        system[m + k :, : m + k] = beside
        system[: m + k, m + k :] = beside.T
        system[m + k :, m + k :] = _sum_by(data.device, beside[:, m:].T, d)
        system[np.arange(m + k, m + k + d), np.arange(m + k, m + k + d)] += 1 / at.device**2
        right.append(np.bincount(data.device, of_y, d))
    diagonal = np.arange(m + k + d)
    system[diagonal, diagonal] *= 1 + RIDGE
    return system, np.concatenate(right)


def _sum_by(groups: Indices, values: Array, count: int) -> Array:
    """Sums of rows by group; every group has a row."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(count))
    sums: Array = np.add.reduceat(values[order], starts, axis=0)
    return sums
