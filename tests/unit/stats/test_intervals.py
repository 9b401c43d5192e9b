"""Intervals against SciPy's own t-interval, and by simulation with known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import IIDBootstrap
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle
from scipy.signal import lfilter

from inferometer.stats.intervals import (
    cluster_mean,
    cluster_mean_interval,
    mean_interval,
    quantile_interval,
    rounds_interval,
    supports_quantile,
)


@given(
    means=st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=40),
    calls=st.integers(1, 50),
    confidence=st.sampled_from([0.8, 0.95, 0.99]),
)
def test_with_equal_counts_it_is_the_t_interval_of_the_means(means, calls, confidence):
    interval = cluster_mean_interval([m * calls for m in means], [calls] * len(means), confidence)
    spread = np.std(means, ddof=1) / math.sqrt(len(means))
    half = oracle.t.ppf(0.5 + confidence / 2, len(means) - 1) * spread
    middle = np.mean(means)
    assert interval.low == pytest.approx(middle - half, rel=1e-9, abs=1e-9 * middle)
    assert interval.high == pytest.approx(middle + half, rel=1e-9, abs=1e-9 * middle)


def test_the_mean_is_over_calls_not_over_rounds():
    assert cluster_mean([10.0, 1.0], [9, 1]) == pytest.approx(1.1)


def test_one_round_has_no_interval():
    assert cluster_mean_interval([1.0], [10], 0.95) is None


def test_it_covers_where_rounds_share_a_level_and_an_iid_interval_does_not():
    """Calls of a round resemble each other: a random level for each round, small noise within."""
    random = np.random.default_rng(20261123)
    rounds, calls, trials = 12, 30, 2000
    covered = iid_covered = 0
    for _ in range(trials):
        levels = random.normal(1.0, 0.05, rounds)
        values = levels[:, None] + random.normal(0, 0.01, (rounds, calls))
        interval = cluster_mean_interval(list(values.sum(axis=1)), [calls] * rounds, 0.95)
        covered += interval.low <= 1.0 <= interval.high
        half = 1.96 * values.std(ddof=1) / math.sqrt(values.size)
        iid_covered += abs(values.mean() - 1.0) <= half
    assert 0.93 <= covered / trials <= 0.97
    assert iid_covered / trials < 0.5


@pytest.mark.parametrize(("q", "least"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_the_least_sample_that_bounds_a_quantile(q, least):
    assert supports_quantile(least, q)
    assert not supports_quantile(least - 1, q)
    assert supports_quantile(least, 1 - q)


def test_an_empty_sample_supports_nothing():
    assert not supports_quantile(0, 0.5)


def clusters(rounds, calls, *, between=0.0, within=0.02, seed=0):
    dice = np.random.default_rng(seed)
    levels = dice.lognormal(0, between, rounds)
    return [list(level * dice.lognormal(0, within, calls)) for level in levels]


class TestQuantileInterval:
    def test_independent_calls_have_the_interval_of_order_statistics_at_the_least(self):
        rounds = clusters(20, 20)
        found = quantile_interval(rounds)
        sample = np.sort(np.concatenate(rounds))
        low, high = oracle.binom.ppf([0.025, 0.975], 400, 0.5).astype(int)
        assert found.value == pytest.approx(np.median(sample))
        assert found.high - found.low >= 0.8 * (sample[high] - sample[low])
        assert found.effective <= 400

    def test_it_is_wider_than_the_bootstrap_over_rounds_but_not_twice(self):
        """The bootstrap takes rounds as independent; here the data has to show that they are."""
        ratios = []
        for seed in range(8):
            rounds = np.array(clusters(40, 10, between=0.05, seed=seed))
            low, high = (
                IIDBootstrap(np.arange(40), seed=1)
                .conf_int(lambda at, rounds=rounds: np.median(rounds[at]), 300, "percentile")
                .ravel()
            )
            found = quantile_interval(rounds)
            ratios.append((found.high - found.low) / (high - low))
        assert 1 <= np.mean(ratios) <= 1.7

    def test_rounds_that_differ_count_for_less_than_their_calls(self):
        alike, different = (quantile_interval(clusters(20, 20, between=b)) for b in (0.0, 0.1))
        assert different.effective < alike.effective / 3
        assert different.tau > 3
        assert different.high - different.low > 2 * (alike.high - alike.low)

    @pytest.mark.parametrize("between", [0.0, 0.05])
    def test_it_covers_the_true_median_as_often_as_it_says(self, between):
        every = [quantile_interval(clusters(20, 10, between=between, seed=n)) for n in range(300)]
        given = [found for found in every if found.low is not None]
        assert len(given) >= 0.9 * len(every)
        assert 0.92 <= np.mean([found.low <= 1.0 <= found.high for found in given]) <= 0.995

    def test_one_round_or_few_calls_have_no_interval(self):
        assert quantile_interval([[1.0, 2.0, 3.0]]).low is None
        assert quantile_interval([[1.0], [2.0], [3.0]]).low is None
        assert quantile_interval([[1.0], [], [2.0]]).value == 1.5

    def test_constant_values_have_an_interval_of_no_width(self):
        found = quantile_interval([[1.0] * 5] * 4)
        assert (found.low, found.high, found.tau) == (1.0, 1.0, 1.0)

    @given(st.floats(1e-6, 1e3), st.integers(0, 50), st.sampled_from([0.1, 0.5, 0.9]))
    def test_a_change_of_unit_changes_nothing_else(self, factor, seed, q):
        rounds = clusters(8, 12, between=0.02, seed=seed)
        one = quantile_interval(rounds, q)
        other = quantile_interval([[factor * v for v in part] for part in rounds], q)
        assert other.value == pytest.approx(factor * one.value)
        assert other.effective == pytest.approx(one.effective)
        if one.low is not None:
            assert one.low <= one.value <= one.high
            assert other.high == pytest.approx(factor * one.high)


class TestMeanInterval:
    def test_equal_independent_rounds_have_the_t_interval_of_their_means(self):
        rounds = clusters(5, 10, between=0.05, seed=3)
        means = [np.mean(part) for part in rounds]
        low, high = oracle.t.interval(0.95, 4, np.mean(means), oracle.sem(means))
        found = mean_interval(rounds, 0.95)
        assert found.high - found.low >= (high - low) * (1 - 1e-9)
        assert (found.high + found.low) / 2 == pytest.approx(np.mean(means))

    def test_rounds_that_follow_their_neighbours_widen_it(self):
        walk = np.cumsum(np.random.default_rng(0).normal(0, 0.01, 40)) + 1
        steady = np.random.default_rng(0).permutation(walk)
        after, mixed = (mean_interval([[v] * 3 for v in x], 0.95) for x in (walk, steady))
        assert after.high - after.low > 1.5 * (mixed.high - mixed.low)

    def test_one_round_has_none(self):
        assert mean_interval([[1.0, 2.0]], 0.95) is None


class TestRoundsInterval:
    def test_calls_that_hang_together_have_the_interval_of_their_rounds(self):
        """Thousands of calls in rounds that drift up and down: the calls' shares bound nothing."""
        levels = np.exp(0.2 * np.sin(np.linspace(0, 6, 26)))
        rng = np.random.default_rng(2)
        rounds = [level * rng.lognormal(0, 0.01, 226) for level in levels]
        by_calls = quantile_interval(rounds)
        assert by_calls.low is None
        found = rounds_interval(rounds, by_calls.value)
        assert found.low <= min(map(np.median, rounds)) < 1 < found.high

    @pytest.mark.parametrize("phi", [0.0, 0.8])
    def test_it_covers_the_true_median_at_least_as_often_as_it_says(self, phi):
        rng = np.random.default_rng(1)
        covered = 0
        for _ in range(200):
            noise = lfilter([math.sqrt(1 - phi**2)], [1.0, -phi], rng.standard_normal(126))[100:]
            rounds = np.exp(0.1 * noise[:, None] + rng.normal(0, 0.01, (26, 50)))
            found = rounds_interval(rounds, float(np.median(rounds)))
            covered += found.low <= 1.0 <= found.high
        assert covered / 200 >= 0.93

    def test_few_rounds_and_durations_of_nothing_have_none(self):
        assert rounds_interval([[1.0], [2.0]] * 4, 1.5) is None
        assert rounds_interval([[0.0], [2.0]] * 10, 1.0) is None


ROUNDS = st.lists(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=12), min_size=2, max_size=30)


@given(rounds=ROUNDS, q=st.sampled_from([0.1, 0.5, 0.9]))
def test_the_quantile_is_numpys_and_lies_inside_its_interval(rounds, q):
    found = quantile_interval(rounds, q)
    joined = [value for part in rounds for value in part]
    assert found.value == pytest.approx(np.quantile(joined, q))
    assert (found.low is None) == (found.high is None)
    if found.low is not None:
        assert found.low <= found.value <= found.high
    assert 0 < found.effective <= len(joined) * (1 + 1e-9)
    assert found.tau == pytest.approx(len(joined) / found.effective)


@given(rounds=ROUNDS)
def test_more_confidence_is_never_narrower(rounds):
    narrow, wide = quantile_interval(rounds, 0.5, 0.8), quantile_interval(rounds, 0.5, 0.95)
    if wide.low is not None:
        assert wide.low <= narrow.low
        assert narrow.high <= wide.high


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_it_covers_the_median_of_independent_and_of_correlated_values(phi):
    rng = np.random.default_rng(11)
    covered = iid = 0
    trials, n = 300, 4000
    for _ in range(trials):
        noise = lfilter([math.sqrt(1 - phi**2)], [1.0, -phi], rng.standard_normal(n + 100))[100:]
        values = np.exp(0.1 * noise)
        found = quantile_interval(values.reshape(-1, 20))
        covered += found.low <= 1.0 <= found.high
        low, high = (oracle.binom.ppf(tail, n, 0.5) / n for tail in (0.025, 0.975))
        iid += np.quantile(values, low) <= 1.0 <= np.quantile(values, high)
    assert 0.92 <= covered / trials <= 0.985
    if phi:
        assert iid / trials < 0.6  # the same values taken as independent


def spells(rng, rounds, calls, *, dwell):
    """Calls at two levels, 1 and 1.15, a third of them slow, for geometric numbers of calls."""
    n = rounds * calls
    lengths = rng.geometric(1 / np.array([2 * dwell * 2 / 3, 2 * dwell / 3]), size=(n, 2)).ravel()
    slow = np.repeat(np.arange(lengths.size) % 2, lengths)
    start = rng.integers(20 * dwell)
    values = (1 + 0.15 * slow[start : start + n]) * rng.lognormal(0, 0.02, n)
    return values.reshape(rounds, calls)


def test_it_covers_the_median_where_few_slow_spells_were_seen():
    """The plain interval takes its error at the median, which few slow spells make too certain."""
    rng = np.random.default_rng(5)
    truth = np.median((1 + 0.15 * (rng.random(10**6) < 1 / 3)) * rng.lognormal(0, 0.02, 10**6))
    covered = plain = 0
    trials = 300
    for _ in range(trials):
        rounds = spells(rng, 150, 20, dwell=100)
        found = quantile_interval(rounds)
        covered += found.low is None or found.low <= truth <= found.high
        half = 1.98 * 0.5 / math.sqrt(found.effective)
        low, high = np.quantile(rounds, [max(0.5 - half, 0), min(0.5 + half, 1)])
        plain += low <= truth <= high
    assert plain / trials < covered / trials
    assert covered / trials >= 0.93
