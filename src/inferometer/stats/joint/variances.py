"""Variances of the joint fit: restricted maximum likelihood with weak priors, and their doubt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from inferometer.stats.joint.solve import (
    Array,
    Observations,
    Variances,
    restricted_likelihood,
)

USUAL = Variances(noise=0.05, between=0.03, fast=0.1, fast_s=1.5, slow=0.1, slow_s=100.0)
"""What the labs on shared machines had; docs/method/joint-fit.md."""
SPREAD = np.array([2.0, 1.0, 1.5, 1.2, 1.5, 1.5])
"""Standard deviations of the logarithms around the usual ones: a factor of three to seven."""
ENOUGH = 1200
"""Rounds that tell the variances; more of them only take time."""
PIECES = 8
"""Stretches of time that stand for a longer run."""
STEP = 0.25
"""Of the logarithms, for second differences: about a tenth of what is known of them."""


def find_variances(
    data: Observations, *, start: Variances = USUAL, evaluations: int = 240
) -> Variances:
    """Most likely variances, by the simplex method of Nelder and Mead (1965)."""
    some = thinned(data)
    found = minimize(
        lambda at: _loss(some, at),
        np.log(start),
        method="Nelder-Mead",
        options={"maxfev": evaluations, "xatol": 0.03, "fatol": 0.03},
    )
    return Variances(*np.exp(found.x))


def doubt(data: Observations, at: Variances) -> list[Variances]:
    """Variances that stand for what the data leave open: the sigma points of their posterior.

    The posterior of the logarithms is taken for normal, with the curvature at its peak (Laplace);
    2 p points on its axes, p being 6, have its mean and covariance (Julier and Uhlmann, 1997).
    """
    some = thinned(data)
    values, axes = np.linalg.eigh(_curvature(some, np.log(at)))
    least = 1 / SPREAD.max() ** 2  # what the priors alone know
    scaled = axes * np.sqrt(len(SPREAD) / np.maximum(values, least))
    return [
        Variances(*np.exp(np.log(at) + sign * scaled[:, axis]))
        for axis in range(len(SPREAD))
        for sign in (-1, 1)
    ]


def thinned(data: Observations) -> Observations:
    """As many rounds as tell the variances: stretches of time without holes, over the whole run."""
    n = len(data.y)
    if n <= ENOUGH:
        return data
    length = ENOUGH // PIECES
    starts = np.linspace(0, n - length, PIECES).astype(int)
    keep = np.unique((starts[:, None] + np.arange(length)).ravel())
    processes, process = np.unique(data.process[keep], return_inverse=True)
    workloads, owner = np.unique(data.owner[processes], return_inverse=True)
    renamed = np.searchsorted(workloads, data.workload[keep])
    return replace(
        data,
        workload=renamed,
        process=process,
        owner=owner,
        when=data.when[keep],
        y=data.y[keep],
        noise_scale=data.noise_scale[keep],
        between_scale=data.between_scale[processes],
        between_freedom=data.between_freedom[workloads],
    )


def _loss(data: Observations, logs: Array) -> float:
    away = (logs - np.log(USUAL)) / SPREAD
    if np.abs(away).max() > 5:  # noqa: PLR2004 - further than anything plausible
        return np.inf
    return restricted_likelihood(data, Variances(*np.exp(logs))) + 0.5 * float(away @ away)


def _curvature(data: Observations, at: Array) -> Array:
    """Second differences of the loss."""
    with np.errstate(invalid="ignore"):
        return _second_differences(data, at)


def _second_differences(data: Observations, at: Array) -> Array:
    p = len(at)
    steps = STEP * np.eye(p)
    here = _loss(data, at)
    ahead = np.array([_loss(data, at + step) for step in steps])
    behind = np.array([_loss(data, at - step) for step in steps])
    found = np.diag((ahead - 2 * here + behind) / STEP**2)
    for i in range(p):
        for j in range(i):
            both = _loss(data, at + steps[i] + steps[j])
            found[i, j] = found[j, i] = (both - ahead[i] - ahead[j] + here) / STEP**2
    if not np.isfinite(found).all():  # beside what has a likelihood; the priors still know
        return np.diag(1 / SPREAD**2)
    return found
