"""Intervals against SciPy's own t-interval, and by simulation with known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from inferometer.stats.intervals import cluster_mean, cluster_mean_interval, supports_quantile


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
