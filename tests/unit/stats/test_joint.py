"""Joint fit against dense algebra, statsmodels, and simulated runs whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.mixed_linear_model import MixedLM
from threadpoolctl import threadpool_limits

from inferometer.stats.joint.fit import joint_fit, observations, quasi_variances
from inferometer.stats.joint.observations import Variances
from inferometer.stats.joint.robust import prior_of_variances
from inferometer.stats.joint.solve import covariance_of_means, restricted_likelihood, solve
from inferometer.stats.joint.states import (
    BLOCK,
    implied_state,
    shared_by_groups,
    state_factor,
)
from inferometer.stats.joint.variances import ENOUGH, USUAL, find_variances, thinned

from .simulated_run import Machine, covered, simulate

STILL = Machine(between=0.1, fast=1e-4, walk=0.0, spikes=0.0)


def dense(data, at):
    """The same model with full matrices: restricted likelihood, means, covariance, state."""
    m = data.workloads
    apart = np.abs(data.when[:, None] - data.when[None, :])
    state = at.fast**2 * np.exp(-apart / at.fast_s) + at.slow**2 * np.exp(-apart / at.slow_s)
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


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    logs=st.lists(st.floats(-1, 1), min_size=6, max_size=6),
    scales=st.floats(0.3, 3),
)
def test_the_banded_solution_is_that_of_full_matrices(seed, logs, scales):
    data = observations(*simulate(seed, workloads=4, replicates=2, rounds=4).rounds)
    data.noise_scale[::3] = scales
    data.between_scale[::2] = scales
    at = Variances(*(np.array(USUAL[:-1]) * np.exp(logs)))
    value, mean, covariance, state = dense(data, at)
    found = solve(data, at)
    assert found.value == pytest.approx(value, abs=1e-3)
    assert found.value == pytest.approx(restricted_likelihood(data, at), abs=1e-6)
    np.testing.assert_allclose(found.mean, mean, atol=1e-5)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(found.state, state, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    logs=st.lists(st.floats(-1, 1), min_size=6, max_size=6),
    kept=st.integers(12, 30),
)
def test_processes_of_one_round_are_noise_where_nobody_asks_for_them(seed, logs, kept):
    run = simulate(seed, workloads=4, replicates=4, rounds=3)
    some = np.sort(np.random.default_rng(seed).permutation(len(run.when_s))[:kept])
    workload = np.unique(run.workload[some], return_inverse=True)[1]
    rounds = (part[some] for part in (run.process, run.when_s, run.latency_s))
    data = observations(workload, *rounds)
    data.between_scale[::2] = 2.0
    at = Variances(*(np.array(USUAL[:-1]) * np.exp(logs)))
    assert data.reduced.single.any()
    assert not data.whole.single.any()
    value, _, covariance, _ = dense(data, at)
    assert restricted_likelihood(data, at) == pytest.approx(value, abs=1e-3)
    assert restricted_likelihood(data, at) == pytest.approx(solve(data, at).value, abs=1e-5)
    np.testing.assert_allclose(covariance_of_means(data, at), covariance, rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(covariance_of_means(data, at), solve(data, at).covariance, rtol=1e-7)


def test_predictions_of_processes_are_as_uncertain_as_full_matrices_say():
    data = observations(*simulate(3, workloads=4, replicates=3, rounds=3).rounds)
    at = USUAL._replace(device=0.0)
    unknown = np.hstack([np.eye(12)[data.process], np.eye(4)[data.workload]])
    apart = np.abs(data.when[:, None] - data.when[None, :])
    state = at.fast**2 * np.exp(-apart / at.fast_s) + at.slow**2 * np.exp(-apart / at.slow_s)
    inverse = np.linalg.inv(state + at.noise**2 * np.eye(len(data.y)))
    system = unknown.T @ inverse @ unknown + np.diag([1 / at.between**2] * 12 + [0.0] * 4)
    wanted = np.diag(np.linalg.inv(system))[:12]
    np.testing.assert_allclose(solve(data, at).process_variances, wanted, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), rounds=st.integers(2, 3 * BLOCK + 1), count=st.integers(1, 5))
def test_what_rounds_share_is_summed_by_groups_as_full_matrices_sum_it(seed, rounds, count):
    rng = np.random.default_rng(seed)
    gaps, weights = rng.lognormal(0, 2, rounds - 1), rng.lognormal(5, 1, rounds)
    group = rng.integers(0, count, rounds)
    factor, _ = state_factor(gaps, weights, USUAL)
    when = np.concatenate([[0.0], np.cumsum(gaps)])
    apart = np.abs(when[:, None] - when[None, :])
    state = USUAL.fast**2 * np.exp(-apart / USUAL.fast_s)
    state += USUAL.slow**2 * np.exp(-apart / USUAL.slow_s)
    known = np.linalg.inv(np.linalg.inv(state) + np.diag(weights))
    sums = np.eye(count)[group] * weights[:, None]
    found = shared_by_groups(factor, weights, group, count)
    np.testing.assert_allclose(found, sums.T @ known @ sums, rtol=1e-4)
    y = rng.normal(size=rounds)
    np.testing.assert_allclose(implied_state(factor, weights * y), known @ (weights * y), atol=1e-4)


def test_without_a_state_it_is_the_mixed_model_of_statsmodels():
    data = observations(*simulate(3, workloads=6, replicates=8, rounds=10, machine=STILL).rounds)
    theirs = MixedLM(data.y, np.eye(6)[data.workload], groups=data.process).fit(reml=True)
    noise, between = np.sqrt(theirs.scale), np.sqrt(float(theirs.cov_re[0, 0]))
    still = USUAL._replace(fast=1e-5, slow=1e-5)

    def value(noise, between):
        return restricted_likelihood(data, still._replace(noise=noise, between=between))

    least = value(noise, between)
    for factor in (0.97, 1.03):  # theirs are the most likely ones here too
        assert value(noise * factor, between) > least
        assert value(noise, between * factor) > least
    ours = solve(data, still._replace(noise=noise, between=between))
    np.testing.assert_allclose(ours.mean, theirs.fe_params, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse_fe, rtol=1e-3)


def test_variances_are_found():
    machine = Machine(noise=0.03, between=0.06, fast=0.12, fast_s=2.0, walk=0.0, spikes=0.0)
    run = simulate(1, workloads=20, replicates=6, rounds=6, machine=machine)
    with threadpool_limits(1, "blas"):
        found = find_variances(observations(*run.rounds))
    for name, truth in (("noise", 0.03), ("between", 0.06), ("fast", 0.12), ("fast_s", 2.0)):
        assert getattr(found, name) == pytest.approx(truth, rel=0.35), name


def test_a_long_run_is_thinned_to_stretches_of_it():
    data = observations(*simulate(1, workloads=20, replicates=8, rounds=20).rounds)
    some = thinned(data)
    assert len(data.y) > ENOUGH >= len(some.y)
    assert some.process.max() + 1 == len(some.owner)
    assert some.when[0] == data.when[0]
    assert some.when[-1] == data.when[-1]
    names = {(some.owner[p], w) for p, w in zip(some.process, some.workload, strict=True)}
    assert all(owner == workload for owner, workload in names)


@given(
    own=st.lists(st.floats(0.1, 1), min_size=2, max_size=12),
    common=st.floats(0, 5),
)
def test_quasi_variances_are_exact_where_estimates_share_one_part(own, common):
    covariance = np.diag(own) + common
    found = quasi_variances(covariance)
    sums = found[:, None] + found[None, :]
    wanted = np.add.outer(own, own)
    off = ~np.eye(len(own), dtype=bool)
    np.testing.assert_allclose(sums[off], wanted[off], rtol=1e-6)


def test_the_prior_of_variances_is_found_again():
    rng = np.random.default_rng(1)
    truth = 6 * 0.04 / rng.chisquare(6, 4000)
    seen = truth * rng.chisquare(5, 4000) / 5
    freedom, typical = prior_of_variances(seen, np.full(4000, 5.0))
    assert freedom == pytest.approx(6, rel=0.15)
    assert typical == pytest.approx(0.04, rel=0.05)


@pytest.mark.parametrize("replicates", [2, 4])
def test_relative_intervals_hold_the_true_ratios(replicates):
    """Roughly: benchmarks/joint_coverage.py measures it. Half or double widths would show."""
    runs = [simulate(seed, workloads=8, replicates=replicates) for seed in range(8)]
    fits = [joint_fit(*run.rounds) for run in runs]
    shares = [covered(fit, run.truth) for fit, run in zip(fits, runs, strict=True)]
    assert np.mean(shares) > 0.88
    halved = [np.mean(fit.relative) for fit in fits]
    errors = [np.std(fit.mean - run.truth) for fit, run in zip(fits, runs, strict=True)]
    assert 1.5 < np.mean(halved) / np.mean(errors) < 3.5  # about two standard errors


def test_a_machine_that_slows_down_widens_the_common_part_and_moves_no_ratio():
    calm, busy = (
        joint_fit(*simulate(5, machine=Machine(step=step, walk=0.0)).rounds) for step in (0, 0.5)
    )
    assert busy.common > 1.5 * calm.common
    assert np.ptp(busy.mean - calm.mean) < 0.5 * busy.relative.max()
    assert np.median(busy.relative) < 1.3 * np.median(calm.relative)
    late = busy.when > np.median(busy.when)
    step = np.median(busy.state[late]) - np.median(busy.state[~late])
    assert step == pytest.approx(0.5, abs=0.15)


def slowed(workload, share):
    return 0.35 * ((workload == 1) & (share > 0.5))


def test_a_workload_that_moves_alone_is_named_and_covered():
    run = simulate(4, workloads=20, replicates=6, alone=slowed)
    fit = joint_fit(*run.rounds)
    assert [one.workload for one in fit.alone] == [1]
    (found,) = fit.alone
    # The slow half, or the other one, which is faster by as much.
    assert abs(np.log(found.factor)) == pytest.approx(0.35, abs=0.15)
    ends = (found.begin_s, found.end_s)
    middle = (run.when_s[0] + run.when_s[-1]) / 2
    assert min(abs(end - middle) for end in ends) < 0.15 * (run.when_s[-1] - run.when_s[0])
    others = np.arange(20) != 1
    error = fit.mean[others] - fit.mean[1] - run.truth[others] + run.truth[1]
    assert (np.abs(error) <= np.hypot(fit.relative[others], fit.relative[1])).all()
    assert fit.relative[1] > 2 * np.median(fit.relative)


def test_one_disturbed_round_moves_little():
    run = simulate(2, workloads=6, machine=Machine(spikes=0.0))
    plain = joint_fit(*run.rounds)
    struck = run.latency_s.copy()
    struck[np.flatnonzero(run.workload == 3)[4]] *= 20
    moved = joint_fit(run.workload, run.process, run.when_s, struck).mean - plain.mean
    assert np.ptp(moved) < 0.05  # a twentieth of log(20) would be 0.17 of its 18 rounds


def test_quiet_spells_are_where_the_machine_is_fast():
    fit = joint_fit(*simulate(6, machine=Machine(step=0.6, walk=0.0, fast=0.02)).rounds)
    level, half = fit.quiet
    assert level == pytest.approx(-0.3, abs=0.1)
    assert 0 < half < 0.1


def test_the_order_of_the_rounds_does_not_matter():
    run = simulate(7, workloads=4)
    mixed = np.random.default_rng(0).permutation(len(run.when_s))
    one, other = joint_fit(*run.rounds), joint_fit(*(part[mixed] for part in run.rounds))
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-9)
    np.testing.assert_allclose(one.relative, other.relative, atol=1e-9)


HARDLY_NOISY = [
    (1, [8.03, 8.43, 9.03, 10.03], [20097, 20007, 20021, 19944]),
    (2, [8.26, 8.86, 9.46, 9.66], [40119, 39867, 40144, 40020]),
    (0, [7.83, 8.63, 9.23, 9.83], [20024, 19927, 20068, 19939]),
    (2, [10.86, 11.66, 12.06, 12.86], [40063, 40070, 40102, 40027]),
    (0, [11.23, 11.43, 12.23, 13.03], [19920, 19958, 19976, 20074]),
    (1, [11.03, 11.83, 12.43, 12.63], [19975, 20100, 19943, 19961]),
    (1, [14.03, 14.83, 15.23, 15.83], [20011, 19966, 19989, 20061]),
    (0, [14.23, 14.43, 15.03, 16.03], [20062, 20076, 19921, 19964]),
    (2, [13.86, 14.66, 15.46, 15.66], [39856, 40041, 40091, 40160]),
]
"""Workload, times in s and latencies in µs of processes whose rounds differ by a sine wave alone."""


def test_rounds_with_hardly_any_noise_have_a_fit():
    """As of a device that is simulated: no round is known better than a clock tells it."""
    rounds = [
        (workload, number, at, us * 1e-6)
        for number, (workload, times, values) in enumerate(HARDLY_NOISY)
        for at, us in zip(times, values, strict=True)
    ]
    found = joint_fit(*zip(*rounds, strict=True))
    assert (found.relative < 0.02).all()
    assert found.mean[2] - found.mean[0] == pytest.approx(np.log(2), abs=0.01)


def test_what_is_too_little_or_too_much_has_no_fit():
    run = simulate(1, workloads=2, replicates=1, rounds=1)
    assert joint_fit(*run.rounds) is None
    alone = simulate(1, workloads=1)
    assert joint_fit(*alone.rounds) is None


CALM = Machine(noise=0.02, between=0.004, fast=0.02, walk=0.02, spikes=0.0)


def unlike(seed, replicates=3):
    """A run of twelve workloads: processes of the first two take one of two levels, 1.7 apart."""
    run = simulate(seed, workloads=12, replicates=replicates, machine=CALM)
    rng = np.random.default_rng(seed)
    levels = rng.permutation([0.0, 0.53] * replicates)[: 2 * replicates].reshape(2, replicates)
    levels[:, 0] = 0.0, 0.53  # each has both
    levels[:, -1] = 0.53, 0.0
    shift = np.where(run.workload < 2, levels[np.minimum(run.workload, 1), run.process], 0.0)
    return replace(run, latency_s=run.latency_s * np.exp(shift))


@pytest.mark.parametrize("seed", range(4))
def test_processes_that_differ_are_those_of_their_workload_alone(seed):
    run = unlike(seed)
    fit = joint_fit(*run.rounds)
    assert np.median(fit.relative[2:]) < 0.06
    assert fit.relative[:2].min() > 0.2
    others = np.arange(2, 12)
    one, other = others[np.triu_indices(10, 1)[0]], others[np.triu_indices(10, 1)[1]]
    error = fit.mean[other] - fit.mean[one] - (run.truth[other] - run.truth[one])
    assert (np.abs(error) <= np.hypot(fit.relative[one], fit.relative[other])).mean() > 0.85


def test_what_unlike_processes_tell_of_a_workload_that_has_one():
    """In a run in which fresh processes may differ 1.7 times, one process is one level."""
    for run, low, high in ((unlike(1), 0.22, 1.0), (simulate(1, 12, 3, machine=CALM), 0.0, 0.1)):
        keep = (run.workload != 5) | (run.process == 0)
        fit = joint_fit(*(part[keep] for part in run.rounds))
        assert low < fit.relative[5] < high
