"""Joint fit against dense algebra, statsmodels, and simulated runs whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.mixed_linear_model import MixedLM

from inferometer.stats.joint.fit import joint_fit, observations, quasi_variances
from inferometer.stats.joint.robust import prior_of_variances
from inferometer.stats.joint.solve import Variances, restricted_likelihood, solve
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
    assert found.value == restricted_likelihood(data, at)
    np.testing.assert_allclose(found.mean, mean, atol=1e-5)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(found.state, state, atol=1e-4)


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
