"""Noise that is not the same for all: rounds far off, and workloads noisier than others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import digamma, polygamma

from inferometer.stats.joint.observations import Array, Indices, Observations, Variances
from inferometer.stats.joint.solve import Solution

TAILS = 4.0
"""Degrees of freedom of the noise: a round that somebody disturbed has few equals, not none."""
WITHIN = 4.0
"""Squared deviations that are nothing unusual."""
SCALES = (1e-4, 1e4)
"""Of the variance of a workload's processes, over that of all."""
FEWEST_LENT = 1.0
"""Degrees of freedom that the others lend to a workload's processes, where they are all unlike."""
LEAST_OWN = 0.1
"""Of the variance of means of processes: noise is not all of it."""
FEWEST_PRIOR, MOST_PRIOR = 2.0, 100.0
"""Degrees of freedom that the other workloads lend to one: never none, never all."""


def downweight(data: Observations, solution: Solution, at: Variances) -> Observations:
    """Observations whose noise is as large as each round and each workload showed it.

    A round far off gets the variance that a t distribution implies (Lange, Little and Taylor,
    Journal of the American Statistical Association 84, 1989), a workload its own variance, pulled
    towards that of the others (Smyth, Statistical Applications in Genetics 3, 2004), and so its
    processes: of some models fresh processes agree to half a percent, and of others, beside them,
    to a factor of two.
    """
    square = (solution.residuals / at.noise) ** 2
    of_workload = _moderated(square / _tail(square / data.noise_scale), data.workload)
    own = of_workload[data.workload]
    between, freedom = _process_variances(data, solution, at)
    return replace(
        data,
        noise_scale=own * _tail(square / own),
        between_scale=np.clip(between / at.between**2, *SCALES)[data.owner],
        between_freedom=freedom,
    )


def _process_variances(
    data: Observations, solution: Solution, at: Variances
) -> tuple[Array, Array]:
    """Variance of each workload's processes, pulled towards that of all, and its freedom.

    Means of processes, less the state, differ by more than the noise of their rounds leaves: what
    is left is theirs. A workload with a single process has what the others show, with as many
    degrees of freedom as they lend.
    """
    m, processes = data.workloads, np.bincount(data.owner)
    weight = 1 / (at.noise**2 * data.noise_scale)
    total = np.bincount(data.process, weight)
    own = data.y - solution.mean[data.workload] - solution.state
    mean = np.bincount(data.process, weight * own) / total
    centred = mean - (np.bincount(data.owner, mean) / processes)[data.owner]
    noise = np.bincount(data.owner, 1 / total) / processes
    several = processes > 1
    if several.sum() < 3:  # noqa: PLR2004 - a spread of variances needs some
        return np.full(m, at.between**2), np.full(m, np.inf)
    freedom = np.maximum(processes - 1, 0).astype(float)
    seen = np.bincount(data.owner, centred**2) / np.maximum(freedom, 1)
    prior, typical = prior_of_variances(
        np.maximum(seen[several], 0.01 * noise[several]), freedom[several], FEWEST_LENT
    )
    pulled = (prior * typical + freedom * seen) / (prior + freedom)
    return np.maximum(pulled - noise, LEAST_OWN * pulled), prior + freedom


def process_spread(data: Observations, solution: Solution) -> Array:
    """Mean square of the effects of each workload's processes, as far as they are known."""
    square = solution.processes**2 + solution.process_variances
    spread: Array = np.bincount(data.owner, square) / np.bincount(data.owner)
    return spread


def _tail(square: Array) -> Array:
    """Factor of the variance of what lies so many (squared) deviations off.

    As a t distribution has it, but 1 within two deviations: noise that is normal stays as it is.
    """
    return np.maximum((TAILS + square) / (TAILS + WITHIN), 1.0)


def _moderated(square: Array, workload: Indices) -> Array:
    """Mean square of each workload, pulled towards that of all of them; shape (m,)."""
    count = np.bincount(workload).astype(float)
    mean = np.bincount(workload, square) / count
    if len(mean) < 3:  # noqa: PLR2004 - a spread of variances needs some
        return np.full(len(mean), float(np.mean(mean)))
    prior, typical = prior_of_variances(np.maximum(mean, 1e-6), np.maximum(count - 1, 1))
    pulled: Array = (prior * typical + (count - 1) * mean) / (prior + count - 1)
    return pulled


def prior_of_variances(
    variances: Array, freedom: Array, fewest: float = FEWEST_PRIOR
) -> tuple[float, float]:
    """Degrees of freedom, at least so many, and value of the prior that so many variances show.

    Moments of their logarithms, as in Smyth (2004), section 6.2.
    """
    logs = np.log(variances) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(np.var(logs, ddof=1) - np.mean(polygamma(1, freedom / 2)))
    prior = MOST_PRIOR if excess <= 0 else 2 * _inverse_trigamma(excess)
    prior = min(max(prior, fewest), MOST_PRIOR)
    typical = np.exp(np.mean(logs) + digamma(prior / 2) - np.log(prior / 2))
    return prior, float(typical)


def _inverse_trigamma(value: float) -> float:
    """Newton's method on the reciprocal, as Smyth's appendix has it."""
    y = 0.5 + 1 / value
    for _ in range(20):
        trigamma = float(polygamma(1, y))
        y += trigamma * (1 - trigamma / value) / float(polygamma(2, y))
    return y
