"""Variances of the joint fit: restricted maximum likelihood with weak priors, and their doubt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from inferometer.stats.joint.observations import Array, Observations, Variances
from inferometer.stats.joint.solve import restricted_likelihood

USUAL = Variances(noise=0.05, between=0.03, fast=0.1, fast_s=1.5, slow=0.1, slow_s=100.0)
"""What the labs on shared machines had; docs/method/joint-fit.md."""
DEVICE = 0.05
"""What devices of one class usually differ by."""
SPREAD = np.array([2.0, 1.0, 1.5, 1.2, 1.5, 1.5, 1.5])
"""Standard deviations of the logarithms around the usual ones, that of devices last: a factor of
three to seven."""
ENOUGH = 1200
"""Rounds that tell the variances; more of them only take time."""
PIECES = 8
"""Stretches of time that stand for a longer run."""
DEVICE_STEPS = 25
STEP = 0.25
"""Of the logarithms, for second differences: about a tenth of what is known of them."""


def find_variances(
    data: Observations, *, start: Variances = USUAL, evaluations: int = 240
) -> Variances:
    """Most likely variances, by the simplex method of Nelder and Mead (1965)."""
    some = thinned(data)
    if data.devices > 1 and not start.device:
        start = start._replace(device=DEVICE)
    found = minimize(
        lambda at: _loss(some, at),
        _logs(start),
        method="Nelder-Mead",
        options={"maxfev": evaluations, "xatol": 0.03, "fatol": 0.03},
    )
    return Variances(*np.exp(found.x))


def doubt(data: Observations, at: Variances) -> list[Variances]:
    """Variances that stand for what the data leave open: the sigma points of their posterior.

    The posterior of the logarithms is taken for normal, with the curvature at its peak (Laplace);
    2 p points on its axes, p being 6 or 7, have its mean and covariance (Julier and Uhlmann, 1997).
    """
    some, logs = thinned(data), _logs(at)
    values, axes = np.linalg.eigh(_curvature(some, logs))
    least = 1 / SPREAD.max() ** 2  # what the priors alone know
    scaled = axes * np.sqrt(len(logs) / np.maximum(values, least))
    return [
        Variances(*np.exp(logs + sign * scaled[:, axis]))
        for axis in range(len(logs))
        for sign in (-1, 1)
    ]


def device_posterior(data: Observations, at: Variances) -> tuple[Array, Array]:
    """What devices may differ by, and how likely each of these is, the other variances given.

    With two or four devices it is known to a factor of several, and no normal distribution.
    """
    some = thinned(data)
    logs = np.log(DEVICE) + SPREAD[-1] * np.linspace(-3, 3, DEVICE_STEPS)
    losses = np.array([_loss(some, np.append(np.log(at[:-1]), one)) for one in logs])
    weights = np.exp(losses.min() - losses)
    return np.exp(logs), weights / weights.sum()


def _logs(at: Variances) -> Array:
    """Logarithms of the variances that there are."""
    return np.log(at if at.device else at[:-1])


def thinned(data: Observations) -> Observations:
    """As many rounds as tell the variances: stretches of time without holes, over the whole run."""
    n = len(data.y)
    if n <= ENOUGH:
        return data
    pieces = max(PIECES, 2 * data.devices if data.devices > 1 else 0)
    length = ENOUGH // pieces
    starts = np.linspace(0, n - length, pieces).astype(int)
    keep = np.unique((starts[:, None] + np.arange(length)).ravel())
    processes, process = np.unique(data.process[keep], return_inverse=True)
    workloads, owner = np.unique(data.owner[processes], return_inverse=True)
    renamed = np.searchsorted(workloads, data.workload[keep])
    return replace(
        data,
        workload=renamed,
        process=process,
        owner=owner,
        device=np.unique(data.device[processes], return_inverse=True)[1],
        when=data.when[keep],
        y=data.y[keep],
        noise_scale=data.noise_scale[keep],
        between_scale=data.between_scale[processes],
        between_freedom=data.between_freedom[workloads],
    )


def _loss(data: Observations, logs: Array) -> float:
    away = (logs - np.log([*USUAL[:-1], DEVICE])[: len(logs)]) / SPREAD[: len(logs)]
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
        return np.diag(1 / SPREAD[:p] ** 2)
    return found
