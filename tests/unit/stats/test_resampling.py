"""The bootstrap against SciPy's, closed forms, and a known truth."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from inferometer.stats.resampling import (
    ColumnSums,
    bootstrap_interval,
    by_unit,
    drawn_counts,
    joint_draws,
    resample,
    unseen,
)


def mean_of(values):
    values = np.asarray(values, float)
    return ColumnSums(
        columns=np.column_stack([values, np.ones(values.size)]),
        combine=lambda sums: sums[:, 0] / sums[:, 1],
    )


def plain_mean(values):
    return lambda weights: float(np.average(values, weights=weights))


def test_without_allowances_it_is_scipys_bca():
    values = np.random.default_rng(1).exponential(size=200)
    counts, units = by_unit(mean_of(values), np.arange(200))
    found = resample(counts, units, draws=20_000)
    expected = oracle.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    low, high = replace(found, standard=0.0).interval(0.95)
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.05 * width)
    assert high == pytest.approx(expected.high, abs=0.05 * width)
    assert found.acceleration == pytest.approx(oracle.skew(values) / (6 * math.sqrt(200)), rel=1e-2)


def test_it_is_as_wide_as_one_more_unit_on_each_side_asks():
    values = np.random.default_rng(1).exponential(size=200)
    counts, units = by_unit(mean_of(values), np.arange(200))
    found = resample(counts, units)
    most = np.abs(values - values.mean()).max() / 199
    error = math.sqrt(values.var() / 200 + 2 * most**2)
    assert found.standard == pytest.approx(error, rel=0.03)
    assert found.interval(0.95)[0] <= found.value - 1.96 * error * 0.97


@given(values=st.lists(st.floats(-5, 5), min_size=10, max_size=40), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_sums_of_columns_and_a_plain_function_are_the_same(values, seed):
    units = np.arange(len(values))
    first, second = (
        bootstrap_interval(value, units, draws=100, seed=seed, low=-5, high=5)
        for value in (mean_of(values), plain_mean(np.array(values)))
    )
    assert first.method == second.method
    assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=1e-3)
    assert first.low <= first.value <= first.high


def test_units_are_drawn_as_a_whole():
    """Two samples a unit, of opposite sign: every draw has the mean 0, if they stay together."""
    values = np.tile([1.0, -1.0], 20)
    together = joint_draws([mean_of(values)], np.repeat(np.arange(20), 2), draws=50)
    apart = joint_draws([mean_of(values)], np.arange(40), draws=50)
    assert np.ptp(together) == 0
    assert np.ptp(apart) > 0


def test_the_same_units_are_drawn_for_all():
    values = np.random.default_rng(3).random(30)
    draws = joint_draws([mean_of(values), plain_mean(values + 1)], np.arange(30), draws=80)
    assert draws.shape == (80, 2)
    assert draws[:, 1] - draws[:, 0] == pytest.approx(np.ones(80))


def test_copies_of_samples_do_not_narrow_it():
    values = np.random.default_rng(4).random(50)
    alone = bootstrap_interval(mean_of(values), np.arange(50))
    copies = bootstrap_interval(mean_of(np.repeat(values, 8)), np.repeat(np.arange(50), 8))
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high), rel=1e-9)


def test_it_is_the_same_for_the_same_seed():
    value = mean_of(np.random.default_rng(5).random(40))
    first, again, other = (
        bootstrap_interval(value, np.arange(40), seed=seed, draws=300) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_with_no_error_seen_the_share_of_unseen_ones_bounds_it():
    found = bootstrap_interval(mean_of(np.ones(100)), np.arange(100), low=0.0, high=1.0)
    exact = oracle.binomtest(0, 100).proportion_ci(0.95, method="exact")
    assert found.method == "rule_of_three"
    assert (found.low, found.high) == (pytest.approx(1 - exact.high), 1.0)
    assert unseen(100) == pytest.approx(exact.high)


def test_with_no_error_seen_a_metric_without_bound_has_no_interval():
    found = bootstrap_interval(mean_of(np.zeros(100)), np.arange(100), low=0.0)
    assert (found.value, found.low, found.reason) == (0.0, None, "all_alike")


def test_one_error_among_many_is_not_taken_for_the_only_kind():
    """The exact interval of one wrong among 200 reaches down to 0.972."""
    values = np.ones(200)
    values[7] = 0
    found = bootstrap_interval(mean_of(values), np.arange(200), low=0.0, high=1.0)
    assert found.low < 0.982
    assert found.high == 1.0


def test_few_units_give_no_interval():
    found = bootstrap_interval(mean_of([0.1, 0.5, 0.9]), np.arange(3))
    assert (found.value, found.low, found.reason) == (0.5, None, "too_few_units")


def test_a_metric_that_most_draws_do_not_define_has_no_interval():
    def only_if_first(weights):
        return 1.0 if weights[0] else math.nan

    found = bootstrap_interval(only_if_first, np.arange(20), draws=200)
    assert (found.value, found.low, found.reason) == (1.0, None, "undefined")


def test_a_skewed_ratio_is_covered():
    rng = np.random.default_rng(6)
    held = []
    for seed in range(200):
        words = rng.poisson(12, 60) + 1
        wrong = rng.binomial(words, rng.beta(0.5, 4.5, 60))
        value = ColumnSums(
            columns=np.column_stack([wrong, words]).astype(float),
            combine=lambda sums: sums[:, 0] / sums[:, 1],
        )
        found = bootstrap_interval(value, np.arange(60), draws=400, seed=seed, low=0.0)
        held.append(found.low <= 0.1 <= found.high)
    assert np.mean(held) > 0.9


def test_draws_hold_each_unit_as_often_as_drawn_and_little_memory():
    tracemalloc.start()
    blocks = [block.sum(axis=1) for block in drawn_counts(10_000, 2000, seed=0)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.concatenate(blocks) == pytest.approx(np.full(2000, 10_000))
    assert peak < 40e6
