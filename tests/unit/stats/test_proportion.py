"""Shares against SciPy's interval, and by simulation where samples come in units."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from inferometer.stats.proportion import effective_samples, share_interval, wilson


@given(
    trials=st.integers(1, 3000),
    share=st.floats(0, 1),
    confidence=st.sampled_from([0.8, 0.95, 0.99]),
)
def test_the_interval_is_scipys(trials, share, confidence):
    right = round(share * trials)
    expected = binomtest(right, trials).proportion_ci(confidence, method="wilson")
    low, high = wilson(right, trials, confidence)
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high, abs=1e-12)


@given(trials=st.integers(1, 100_000))
def test_where_all_are_right_it_reaches_one_and_has_a_width(trials):
    low, high = wilson(trials, trials)
    assert high == 1.0
    assert low < 1.0
    assert wilson(0, trials) == (0.0, pytest.approx(1 - low))


def test_of_no_sample_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)
    empty = share_interval([], [])
    assert (empty.low, empty.reason) == (None, "undefined")
    assert math.isnan(empty.value)


@pytest.mark.parametrize("successes", [-1, 4])
def test_more_right_than_there_are_is_refused(successes):
    with pytest.raises(ValueError, match="of 3 trials"):
        wilson(successes, 3)


def test_samples_that_stand_alone_have_wilsons_interval():
    right = [1] * 90 + [0] * 10
    found = share_interval(right, range(100))
    assert (found.low, found.high) == wilson(90, 100)
    assert (found.value, found.units, found.method) == (0.9, 100, "wilson")


def test_samples_said_twice_are_no_more_samples():
    """Copies of each sample, as units: the effective number is at most that of the units."""
    right = np.random.default_rng(1).random(60) < 0.8
    copies, units = np.repeat(right, 5), np.repeat(np.arange(60), 5)
    assert effective_samples(copies, units) <= 60
    alone, found = share_interval(right, range(60)), share_interval(copies, units)
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert found.method == "wilson_clustered"


def test_units_that_differ_no_more_than_samples_cost_little():
    rng = np.random.default_rng(2)
    assert effective_samples(rng.random(5000) < 0.7, np.repeat(np.arange(1000), 5)) > 4400


def test_where_all_samples_are_right_each_unit_counts_once():
    found = share_interval(np.ones(100), np.repeat(np.arange(20), 5))
    assert (found.low, found.high) == wilson(20, 20)


def test_few_units_give_no_interval():
    found = share_interval([1, 0] * 20, np.repeat(np.arange(4), 10))
    assert (found.value, found.low, found.high, found.reason) == (0.5, None, None, "too_few_units")


def test_units_of_samples_that_are_alike_are_covered():
    rng = np.random.default_rng(3)
    held = []
    for _ in range(400):
        chances = rng.beta(0.9 * 2, 0.1 * 2, 40)  # correlation 1/3
        right = rng.random((40, 5)) < chances[:, None]
        found = share_interval(right.ravel(), np.repeat(np.arange(40), 5))
        held.append(found.low <= 0.9 <= found.high)
    assert np.mean(held) > 0.91
