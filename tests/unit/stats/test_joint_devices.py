"""The joint fit of a run on several devices: against dense algebra, and runs whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.stats.joint.fit import joint_fit, observations
from inferometer.stats.joint.observations import Variances
from inferometer.stats.joint.solve import restricted_likelihood, solve
from inferometer.stats.joint.variances import USUAL

from .simulated_run import Machine, simulate, simulate_devices

CALM = Machine(noise=0.02, between=0.01, fast=0.02, walk=0.0, spikes=0.0)


def dense(data, at):
    """The same model with full matrices: restricted likelihood, means, covariance, device and state."""
    m = data.workloads
    of_device = data.device[data.process]
    same_device = of_device[:, None] == of_device[None, :]
    apart = np.abs(data.when[:, None] - data.when[None, :])
    state = at.fast**2 * np.exp(-apart / at.fast_s) + at.slow**2 * np.exp(-apart / at.slow_s)
    state = (state + at.device**2) * same_device
    same = data.process[:, None] == data.process[None, :]
    whole = state + at.noise**2 * np.diag(data.noise_scale)
    whole += at.between**2 * same * data.between_scale[data.process][:, None]
    design = np.eye(m)[data.workload]
    inverse = np.linalg.inv(whole)
    information = design.T @ inverse @ design
    mean = np.linalg.solve(information, design.T @ inverse @ data.y)
    left = data.y - design @ mean
    value = np.linalg.slogdet(whole)[1] + np.linalg.slogdet(information)[1]
    value = 0.5 * (value + left @ inverse @ left)
    return value, mean, np.linalg.inv(information), state @ inverse @ left


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 1000),
    devices=st.integers(2, 3),
    logs=st.lists(st.floats(-1, 1), min_size=7, max_size=7),
    scales=st.floats(0.3, 3),
)
def test_the_banded_solution_is_that_of_full_matrices(seed, devices, logs, scales):
    spread = simulate_devices(seed, devices, workloads=2, replicates=2)
    data = observations(*spread.run.rounds, spread.device)
    data.noise_scale[::3] = scales
    data.between_scale[::2] = scales
    at = Variances(*(np.array([*USUAL[:-1], 0.05]) * np.exp(logs)))
    value, mean, covariance, state = dense(data, at)
    found = solve(data, at)
    assert found.value == pytest.approx(value, abs=1e-3)
    assert found.value == pytest.approx(restricted_likelihood(data, at), abs=1e-6)
    np.testing.assert_allclose(found.mean, mean, atol=1e-5)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(found.state, state, atol=1e-4)


def test_one_device_is_as_it_was():
    run = simulate(3, workloads=5)
    plain, named = joint_fit(*run.rounds), joint_fit(*run.rounds, device=[0] * len(run.when_s))
    assert plain.variances == named.variances
    assert plain.variances.device == 0
    np.testing.assert_array_equal(plain.mean, named.mean)
    np.testing.assert_array_equal(plain.relative, named.relative)
    assert plain.device_half == 0
    assert plain.devices.tolist() == [0]


def test_devices_are_told_from_workloads_by_the_one_that_all_have():
    spread = simulate_devices(1, 3, workloads=4, factor=0.2, machine=CALM)
    fit = joint_fit(*spread.run.rounds, device=spread.device)
    wanted = spread.factors - spread.factors.mean()
    np.testing.assert_allclose(fit.devices, wanted, atol=0.04)
    contrasts = fit.mean - fit.mean[0] - spread.run.truth + spread.run.truth[0]
    assert np.abs(contrasts).max() < 0.06  # unless the devices were known, up to 0.4


def test_contrasts_between_devices_are_known_less_well_than_the_state_suggests():
    """Without a device effect each pair would be as narrow as within a device."""
    for seed in range(3):
        spread = simulate_devices(seed, 2, workloads=6, factor=0.1, machine=CALM)
        fit = joint_fit(*spread.run.rounds, device=spread.device)
        one, other = np.triu_indices(13, 1)
        across = (spread.on[one] != spread.on[other]) & (spread.on[one] >= 0)
        error = fit.mean[other] - fit.mean[one] - spread.run.truth[other] + spread.run.truth[one]
        half = np.hypot(fit.relative[one], fit.relative[other])
        assert (np.abs(error) <= half)[across].mean() > 0.6
        assert fit.device_half > 0.02
        assert fit.common >= fit.device_half


def test_the_absolute_level_is_that_of_a_typical_device():
    halves = {}
    for factor in (0.01, 0.1):
        fits = [
            joint_fit(*one.run.rounds, device=one.device)
            for one in (
                simulate_devices(seed, 4, 3, factor=factor, machine=CALM) for seed in (4, 5)
            )
        ]
        halves[factor] = np.mean([fit.device_half for fit in fits])
    assert 2 * halves[0.01] < halves[0.1] < 1.0
