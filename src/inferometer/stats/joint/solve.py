"""Linear mixed model of log latencies at given variances, by a banded Cholesky factor.

    log latency of a round = workload + process + fast state(t) + slow state(t) + noise

and, where rounds are of several devices, a random effect of each of these (`Observations.device`),
whose states know nothing of each other. The states are eliminated first (`states`); processes,
devices and workloads remain as one dense system. The value that is minimised is the negative
restricted log likelihood (Patterson and Thompson, Biometrika 58, 1971), but for a constant.

Where its effect is not asked for, a process with one round needs no place in that system: the
effect is noise of the round. Of a long run that is thinned to stretches of it, most are such.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dtrtri

from inferometer.stats.joint.observations import Array, Layout, Observations, Variances
from inferometer.stats.joint.states import implied_state, shared_by_groups, state_factor

LEAST = 1e-4
"""Noise of a round that no clock tells from none."""
RIDGE = 1e-10
"""Relative, so that a factor exists where two columns nearly agree."""


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
    solved: Array  # processes, then devices where there are several, then workloads
    dense: Array  # lower factor of the system; above its diagonal there is anything
    states: Array  # banded factor of the states
    precision: Array  # of each round


def restricted_likelihood(data: Observations, at: Variances) -> float:
    """Negative restricted log likelihood, but for a constant; infinite where it has no factor."""
    try:
        return _solve(data, at, data.reduced).value
    except np.linalg.LinAlgError:
        return math.inf


def covariance_of_means(data: Observations, at: Variances) -> Array:
    """Covariance of the workloads' means at given variances; shape (m, m).

    Raises:
        numpy.linalg.LinAlgError: the variances are so far apart that there is no factor.
    """
    return _last(_solve(data, at, data.reduced).dense, data.workloads)


def solve(data: Observations, at: Variances) -> Solution:
    """Best linear unbiased estimates and predictions (Henderson's equations) at given variances.

    Raises:
        numpy.linalg.LinAlgError: the variances are so far apart that there is no factor.
    """
    parts = _solve(data, at, data.whole)
    m, k = data.workloads, len(data.owner)
    processes, devices, mean = np.split(parts.solved, [k, len(parts.solved) - m])
    level = (mean[data.owner] + processes)[data.process]
    of_device = devices[data.device][data.process] if data.devices > 1 else 0.0
    left = data.y - level - of_device
    state = implied_state(parts.states, parts.precision * left) + of_device
    inverse, _ = dtrtri(parts.dense, lower=1)
    return Solution(
        value=parts.value,
        mean=mean,
        covariance=_last(parts.dense, m),
        processes=processes,
        process_variances=(np.tril(inverse)[:, :k] ** 2).sum(axis=0),
        state=state,
        residuals=data.y - level - state,
    )


def _solve(data: Observations, at: Variances, layout: Layout) -> _Parts:
    between = at.between**2 * data.between_scale
    noise = np.maximum(at.noise**2 * data.noise_scale, LEAST**2)
    precision = 1 / (noise + np.where(layout.single, between[data.process], 0.0))
    states, states_log = state_factor(data.gaps_s, precision, at)
    priors = [1 / between[layout.kept]]
    if data.devices > 1:
        priors.append(np.full(data.devices, 1 / at.device**2))
    prior = np.concatenate(priors)
    left = precision * (data.y - implied_state(states, precision * data.y))
    system, right = _system(layout, precision, states, left, prior)
    dense, _ = cho_factor(system.T, lower=True, overwrite_a=True, check_finite=False)
    solved = cho_solve((dense, True), right, check_finite=False)
    value = 0.5 * (
        -float(np.log(precision).sum())
        - states_log
        - float(np.log(prior).sum())
        + 2 * float(np.log(states[0]).sum())
        + 2 * float(np.log(np.diag(dense)).sum())
        + float(data.y @ left)
        - float(right @ solved)
    )
    return _Parts(value, solved, dense, states, precision)


def _system(
    layout: Layout, precision: Array, states: Array, left: Array, prior: Array
) -> tuple[Array, Array]:
    """Equations of processes, devices and workloads, states eliminated.

    Args:
        layout: the unknowns.
        precision: of each round.
        states: banded factor of the states, given the rounds.
        left: precision of each round times what the states leave of its logarithm.
        prior: precision of processes and devices.
    """
    sums, group = layout.sums, layout.group
    count = sums.shape[0]
    information = -shared_by_groups(states, precision, group, count)
    information[np.diag_indices(count)] += np.bincount(group, precision, count)
    half = np.ascontiguousarray((sums.T @ information).T)
    system: Array = np.ascontiguousarray(sums.T @ half)
    diagonal = np.arange(len(system))
    system[diagonal[: len(prior)], diagonal[: len(prior)]] += prior
    system[diagonal, diagonal] *= 1 + RIDGE
    return system, sums.T @ np.bincount(group, left, count)


def _last(factor: Array, count: int) -> Array:
    """Inverse of a matrix for the last of its rows, by its lower factor."""
    corner = factor[-count:, -count:]
    return np.asarray(cho_solve((corner, True), np.eye(count), check_finite=False), dtype=float)
