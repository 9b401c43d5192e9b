"""Rounds of a run whose truth is known: workloads, processes, a machine that moves, spikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Machine:
    """How much everything moves: standard deviations of logarithms.

    Attributes:
        noise: of a round.
        between: of a process.
        fast: of an autoregressive state, whose correlation time is `fast_s`.
        walk: of a random walk from the beginning of the run to its end.
        step: the machine is slower by this from the middle on.
        spikes: share of rounds that are slower by a fifth to double.
        uneven: how much workloads differ in `between`: standard deviation of its logarithm.
    """

    noise: float = 0.05
    between: float = 0.04
    fast: float = 0.1
    fast_s: float = 1.0
    walk: float = 0.1
    step: float = 0.0
    spikes: float = 0.03
    uneven: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Rounds, and the truth behind them.

    Attributes:
        truth: logarithm of each workload's latency.
    """

    workload: np.ndarray
    process: np.ndarray
    when_s: np.ndarray
    latency_s: np.ndarray
    truth: np.ndarray

    @property
    def rounds(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What a joint fit takes."""
        return self.workload, self.process, self.when_s, self.latency_s


def simulate(
    seed: int,
    workloads: int = 10,
    replicates: int = 3,
    rounds: int = 6,
    *,
    machine: Machine = Machine(),
    alone: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Simulated:
    """A run that takes turns: each replicate loads, then goes so many times over all workloads.

    Args:
        seed: of the generator.
        workloads: number of them.
        replicates: fresh processes of each.
        rounds: of each workload in a replicate.
        machine: how much it moves.
        alone: what is added to a round of a workload at a share of the run's time.
    """
    rng = np.random.default_rng(seed)
    truth = rng.uniform(np.log(0.005), np.log(0.5), workloads)
    unlike = np.random.default_rng([seed, 1]).normal(0, machine.uneven, workloads)
    between = machine.between * np.exp(unlike)
    turns, now = [], 0.0
    for replicate in range(replicates):
        now += 0.6 * workloads
        effects = rng.normal(0, between, workloads)
        for _ in range(rounds):
            for one in rng.permutation(workloads):
                turns.append((one, replicate, now + 0.2, effects[one]))
                now += 0.4 * rng.uniform(0.8, 1.3)
    workload, process = (np.array([turn[at] for turn in turns], dtype=int) for at in (0, 1))
    when, effect = (np.array([turn[at] for turn in turns]) for at in (2, 3))
    n, share = len(turns), (when - when[0]) / (when[-1] - when[0])
    state = _autoregressive(rng, when, machine.fast, machine.fast_s)
    state += machine.walk * np.cumsum(rng.normal(0, 1, n) * np.sqrt(np.gradient(share)))
    state += machine.step * (share > 0.5)
    spikes = (rng.random(n) < machine.spikes) * rng.uniform(0.2, 1.0, n)
    y = truth[workload] + effect + state + rng.normal(0, machine.noise, n) + spikes
    if alone is not None:
        y = y + alone(workload, share)
    return Simulated(
        workload=workload, process=process, when_s=when, latency_s=np.exp(y), truth=truth
    )


def _autoregressive(rng, when, deviation, time_s):
    state = np.empty(len(when))
    state[0] = rng.normal(0, deviation)
    for at, gap in enumerate(np.diff(when), start=1):
        kept = np.exp(-gap / time_s)
        state[at] = kept * state[at - 1] + deviation * np.sqrt(1 - kept**2) * rng.normal()
    return state


def covered(fit, truth: np.ndarray) -> float:
    """Share of all pairs of workloads whose interval holds the true ratio."""
    one, other = np.triu_indices(len(truth), 1)
    error = fit.mean[other] - fit.mean[one] - (truth[other] - truth[one])
    return float((np.abs(error) <= np.hypot(fit.relative[one], fit.relative[other])).mean())


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A run that is spread over equal devices, workload 0 on each of them.

    Attributes:
        run: its rounds; processes of two devices have different numbers.
        device: of each round.
        on: device of each workload; of workload 0, which all have, -1.
        factors: logarithm of each device's latency over that of a typical one of its class.
    """

    run: Simulated
    device: np.ndarray
    on: np.ndarray
    factors: np.ndarray


def simulate_devices(
    seed: int,
    devices: int,
    workloads: int = 8,
    replicates: int = 3,
    *,
    factor: float = 0.03,
    machine: Machine = Machine(),
) -> Spread:
    """Each device goes over its part of the workloads, and workload 0, as `simulate` does.

    Args:
        seed: of the generator.
        devices: number of them.
        workloads: of each, beside workload 0.
        replicates: fresh processes of each.
        factor: standard deviation of the logarithms by which devices differ.
        machine: how much each of them moves.
    """
    rng = np.random.default_rng([seed, 2])
    truth = rng.uniform(np.log(0.005), np.log(0.5), 1 + devices * workloads)
    factors = rng.normal(0, factor, devices)
    parts, numbers = [], []
    for one in range(devices):
        run = simulate(1000 * seed + one, 1 + workloads, replicates, machine=machine)
        names = np.array([0, *(1 + one * workloads + np.arange(workloads))])
        shift = truth[names] - run.truth + factors[one]
        parts.append(
            (
                names[run.workload],
                run.process + replicates * one,
                run.when_s,
                run.latency_s * np.exp(shift[run.workload]),
            )
        )
        numbers.append(np.full(len(run.when_s), one))
    workload, process, when, latency = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Spread(
        run=Simulated(
            workload=workload, process=process, when_s=when, latency_s=latency, truth=truth
        ),
        device=np.concatenate(numbers),
        on=np.array([-1, *np.repeat(np.arange(devices), workloads)]),
        factors=factors,
    )
