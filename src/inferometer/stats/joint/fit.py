"""Fit of all rounds of a run together: what each workload takes, and how well that is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit
from threadpoolctl import threadpool_limits

from inferometer.stats.joint import LARGEST
from inferometer.stats.joint.alone import Alone, moved_alone
from inferometer.stats.joint.observations import Array, Observations, Variances
from inferometer.stats.joint.robust import downweight
from inferometer.stats.joint.solve import covariance_of_means, solve
from inferometer.stats.joint.variances import device_posterior, doubt, find_variances

ROBUST_PASSES = 2
FURTHER_EVALUATIONS = 90
"""Of the likelihood in each further pass, which starts where the last one ended."""
FEWEST_ROUNDS = 4
UNLIKE = 3.0
"""Degrees of freedom that the others lend; of less, their processes tell little of one's own."""
ONE_PROCESS = math.log(1.5)
"""Then allowed for the only process of a workload: fresh ones of one network were seen 1.7 times
as slow as others, in a run in which those of most agreed to half a percent."""
STATES_AT_LEAST = 3.0
"""Independent spells that a run is taken to have seen, at least."""
QUIET_SHARE = 0.10
QUIET_ROUNDS = 6
QUIET_APART_S = 5.0
"""Between the first and the last of them: one lucky moment is no spell."""


@dataclass(frozen=True, kw_only=True)
class JointFit:
    """What the rounds of a run say together. Logarithms of seconds, in the order of workloads.

    Attributes:
        mean: logarithm of each workload's latency over the run's own time; shape (m,).
        relative: half-width of each, such that two workloads differ by their difference give or
            take the root of the sum of the squares of both (quasi-variances); shape (m,).
        freedom: degrees of freedom of these; shape (m,).
        common: half-width of what is common to all of them.
        variances: standard deviations and correlation times.
        when: times of the rounds, seconds; shape (n,).
        state: state of the machine at each, 0 on average over the time of a device; shape (n,).
        devices: logarithm of each device's latency over that of all of them; shape (d,).
        device_half: half-width of what a device of that class may take, as a part of `common`.
        quiet: state in the run's quiet spells, and the half-width of that; None without any.
        alone: workloads that moved when the others did not.
    """

    mean: Array
    relative: Array
    freedom: Array
    common: float
    variances: Variances
    when: Array
    state: Array
    devices: Array
    device_half: float
    quiet: tuple[float, float] | None
    alone: list[Alone]


def joint_fit(
    workload: Sequence[int],
    process: Sequence[int],
    when_s: Sequence[float],
    latency_s: Sequence[float],
    confidence: float = 0.95,
    *,
    device: Sequence[int] | None = None,
) -> JointFit | None:
    """Fit all rounds of a run; None where they are too few, of one workload alone, or too many.

    Also None where they leave nothing to fit. Rounds of several devices are of a class: a device
    is a random effect, `mean` is that of a typical one, and `common` holds what they differ by.

    Args:
        workload: of each round, from 0 to m - 1, each at least once.
        process: number of the process that made it; those of two workloads are never the same.
        when_s: middle of the round, seconds.
        latency_s: median of its calls, more than 0.
        confidence: nominal coverage of the intervals.
        device: of each round, from 0 to d - 1, each at least once; None where there is one.
    """
    # So small factors gain nothing by threads, which wait for each other where others compute.
    with threadpool_limits(1, "blas"):
        try:
            return _fit(observations(workload, process, when_s, latency_s, device), confidence)
        except np.linalg.LinAlgError:  # rounds that agree to the last digit, as clocks never do
            return None


def _fit(data: Observations, confidence: float) -> JointFit | None:
    m = data.workloads
    if m < 2 or len(data.y) < max(FEWEST_ROUNDS, m + 1) or m + len(data.owner) > LARGEST:  # noqa: PLR2004
        return None
    at = find_variances(data)
    solution = solve(data, at)
    for _ in range(ROBUST_PASSES):
        data = downweight(data, solution, at)
        at = find_variances(data, start=at, evaluations=FURTHER_EVALUATIONS)
        solution = solve(data, at)
    alone = moved_alone(data, solution, at)
    of_device = data.device[data.process]
    levels = np.array([_over_time(data.when[mine], solution.state[mine]) for mine in _each(data)])
    state = solution.state - levels[of_device]
    relative, freedom = _relative(data, at, alone, confidence)
    between = _device_half(data, at, confidence)
    return JointFit(
        mean=solution.mean + levels.mean(),
        relative=relative,
        freedom=freedom,
        common=math.hypot(_common(data, at, state, confidence), between),
        variances=at,
        when=data.when,
        state=state,
        devices=levels - levels.mean(),
        device_half=between,
        quiet=quiet_spells(data.when, state, at, confidence),
        alone=alone,
    )


def observations(
    workload: Sequence[int],
    process: Sequence[int],
    when_s: Sequence[float],
    latency_s: Sequence[float],
    device: Sequence[int] | None = None,
) -> Observations:
    """Rounds in the order of time, a device after the other."""
    of_device = np.zeros(len(when_s), dtype=np.int64) if device is None else np.asarray(device)
    order = np.lexsort([np.asarray(when_s, dtype=float), of_device])
    mine = np.asarray(workload, dtype=np.int64)[order]
    names = [mine, np.asarray(process, dtype=np.int64)[order], of_device[order]]
    known, number = np.unique(np.column_stack(names), axis=0, return_inverse=True)
    return Observations(
        workload=mine,
        process=number.ravel(),
        owner=known[:, 0],
        device=known[:, 2],
        when=np.asarray(when_s, dtype=float)[order],
        y=np.log(np.asarray(latency_s, dtype=float)[order]),
        noise_scale=np.ones(len(order)),
        between_scale=np.ones(len(known)),
        between_freedom=np.full(mine.max() + 1, np.inf),
    )


def quasi_variances(covariance: Array) -> Array:
    """Variances whose sums in pairs come nearest to those of the differences.

    Least squares over all pairs, in closed form (Firth and de Menezes, Biometrika 91, 2004, who
    weigh the pairs otherwise). For two workloads each has half of the variance of the difference.

    Args:
        covariance: of the estimates; shape (m, m), m at least 2.
    """
    own = np.diag(covariance)
    apart = own[:, None] + own[None, :] - 2 * covariance
    m = len(own)
    if m == 2:  # noqa: PLR2004
        return np.full(2, apart[0, 1] / 2)
    rows = apart.sum(axis=1)
    total = rows.sum() / (2 * (m - 1))
    smallest = apart[apart > 0].min(initial=np.inf) / 100
    found: Array = np.maximum((rows - total) / (m - 2), smallest if np.isfinite(smallest) else 0.0)
    return found


def _relative(
    data: Observations, at: Variances, alone: Sequence[Alone], confidence: float
) -> tuple[Array, Array]:
    """Half-widths, the doubt about the variances included, and their degrees of freedom.

    Over that doubt the variance of a difference is taken for an inverse gamma with the mean and
    the variance that it has over the sigma points, so that the difference follows Student's t.
    """
    found = np.array([_compared(data, covariance_of_means(data, one)) for one in doubt(data, at)])
    mean, variance = found.mean(axis=0), found.var(axis=0)
    freedom = 4 + 2 * mean**2 / np.maximum(variance, 1e-12 * mean**2)
    scale = np.sqrt(mean * (freedom - 2) / freedom)
    half: Array = stdtrit(freedom, 0.5 + confidence / 2) * scale
    # Never less than what the processes of the workload alone leave open.
    processes = np.bincount(data.owner)
    error = at.between * np.sqrt(np.bincount(data.owner, data.between_scale)) / processes
    least: Array = stdtrit(data.between_freedom, 0.5 + confidence / 2) * error
    least[(processes == 1) & (data.between_freedom < UNLIKE)] += ONE_PROCESS
    freedom = np.where(least > half, data.between_freedom, freedom)
    half = np.maximum(half, least)
    for one in alone:
        own = float(stdtrit(one.freedom, 0.5 + confidence / 2)) * math.sqrt(one.variance)
        if own > half[one.workload]:
            half[one.workload], freedom[one.workload] = own, one.freedom
    return half, freedom


def _compared(data: Observations, covariance: Array) -> Array:
    """Quasi-variances, by which workloads of two devices are never known better than they are.

    Those of one device share its error, which is no part of their difference: one number for each
    workload cannot say both, and says the wider one.
    """
    found = quasi_variances(covariance)
    if data.devices == 1:
        return found
    m, own = data.workloads, np.diag(covariance)
    on = np.zeros((m, data.devices), dtype=bool)
    on[data.owner, data.device] = True
    apart = on.astype(float) @ on.T == 0
    lacking = own[:, None] + own[None, :] - 2 * covariance - found[:, None] - found[None, :]
    lack = np.where(apart, lacking, 0.0).sum(axis=1) / np.maximum(apart.sum(axis=1), 1)
    wider: Array = found + np.maximum(lack, 0.0) / 2
    return wider


def _device_half(data: Observations, at: Variances, confidence: float) -> float:
    """Half-width of the mean over so many devices, as an estimate of that of their class.

    What the devices differ by is hardly known where they are few: the distribution is a mixture of
    normal ones over what it may be.
    """
    if data.devices == 1:
        return 0.0
    deviations, weights = device_posterior(data, at)
    errors = deviations / math.sqrt(data.devices)

    def missed(half: float) -> float:
        return float(weights @ (2 * ndtr(-half / errors))) - (1 - confidence)

    return float(brentq(missed, 0.0, 10 * errors.max()))


def _each(data: Observations) -> list[NDArray[np.bool_]]:
    """Rounds of each device."""
    of_device = data.device[data.process]
    return [of_device == one for one in range(data.devices)]


def _common(data: Observations, at: Variances, state: Array, confidence: float) -> float:
    """Half-width of the mean state of so long a run, the machine moving on as it did in it."""
    variances, spells = [], []
    for mine in _each(data):
        when = data.when[mine]
        span = float(when[-1] - when[0])
        seen = float(np.var(state[mine]))
        slow = min(at.slow**2, max(seen, at.fast**2))  # no run knows what it has not seen
        parts = [(at.fast**2, at.fast_s), (slow, at.slow_s)]
        variance = math.fsum(square * _share(time_s, span) for square, time_s in parts)
        variances.append(variance)
        spells.append(math.fsum(square for square, _ in parts) / variance)
    variance = math.fsum(variances) / data.devices**2
    freedom = max(math.fsum(spells), STATES_AT_LEAST) - 1
    return float(stdtrit(freedom, 0.5 + confidence / 2)) * math.sqrt(variance)


def _share(time_s: float, span_s: float) -> float:
    """Variance of the mean of an Ornstein-Uhlenbeck process over its own, by its time and span."""
    times = time_s / span_s if span_s > 0 else math.inf
    if times > 1e3:  # noqa: PLR2004 - it does not move at all
        return 1.0
    return 2 * times * (1 - times * -math.expm1(-1 / times))


def _over_time(when: Array, values: Array) -> float:
    """Mean over time, not over rounds, which are more where calls are short."""
    if when[-1] <= when[0]:
        return float(values.mean())
    gaps = np.diff(when)
    return float((gaps * (values[1:] + values[:-1])).sum() / 2 / gaps.sum())


def quiet_spells(
    when: Array, state: Array, at: Variances, confidence: float
) -> tuple[float, float] | None:
    """State in the quietest tenth of the rounds, and its half-width; None where they are too few.

    The half-width is that of the mean of so many rounds whose state is known to a round's noise.
    """
    count = int(len(state) * QUIET_SHARE)
    if count < QUIET_ROUNDS:
        return None
    quietest = np.argsort(state)[:count]
    if np.ptp(when[quietest]) < QUIET_APART_S:
        return None
    level = float(np.median(state[quietest]))
    error = math.sqrt((at.noise**2 + float(np.var(state[quietest]))) / count)
    return level, float(stdtrit(count - 1, 0.5 + confidence / 2)) * error
