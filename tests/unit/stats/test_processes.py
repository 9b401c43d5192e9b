"""Intervals over processes against SciPy's t-interval, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from inferometer.stats.processes import process_interval, processes_wanted, relative_gain_per_s

MEDIANS = st.lists(st.floats(1e-5, 1e3), min_size=2, max_size=12)


@given(medians=MEDIANS, confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_it_is_the_t_interval_of_the_logarithms(medians, confidence):
    found = process_interval(medians, confidence)
    logs = np.log(medians)
    half = oracle.t.ppf(0.5 + confidence / 2, len(logs) - 1) * oracle.sem(logs)
    assert found.value == pytest.approx(oracle.gmean(medians))
    assert math.log(found.low) == pytest.approx(logs.mean() - half, abs=1e-6)
    assert math.log(found.high) == pytest.approx(logs.mean() + half, abs=1e-6)
    assert found.between == pytest.approx(logs.std(ddof=1))


def test_one_process_says_nothing_about_others():
    found = process_interval([0.25])
    assert found.value == pytest.approx(0.25)
    assert (found.low, found.high, found.between) == (None, None, 0.0)
    assert process_interval([0.25], within=[0.1]).low is None


def test_it_is_no_narrower_than_what_is_known_within_the_processes():
    """Three medians that agree by chance, each known to 10 %."""
    found = process_interval([1.0, 1.0, 1.0], within=[0.1, 0.1, 0.1])
    assert math.log(found.high) == pytest.approx(1.96 * 0.1 / math.sqrt(3), rel=1e-3)
    wide = process_interval([1.0, 2.0, 4.0])
    assert process_interval([1.0, 2.0, 4.0], within=[0.01] * 3) == wide


@pytest.mark.parametrize("processes", [3, 5])
def test_it_covers_the_median_process(processes):
    rng = np.random.default_rng(23)
    trials = 1500
    covered = 0
    for levels in np.exp(0.05 * rng.standard_normal((trials, processes))):
        found = process_interval(list(levels))
        covered += found.low <= 1.0 <= found.high
    assert 0.93 <= covered / trials <= 0.97


@given(medians=MEDIANS, target=st.sampled_from([0.01, 0.05, 0.2]), at_most=st.integers(1, 40))
def test_as_many_processes_are_wanted_as_the_target_asks_for_within_the_limit(
    medians, target, at_most
):
    wanted = processes_wanted(medians, target, 0.95, at_most)
    assert len(medians) <= wanted <= max(at_most, len(medians))
    found = process_interval(medians)
    met = (found.high - found.low) / 2 / found.value <= target
    if met:
        assert wanted == len(medians)
    elif at_most > len(medians):
        assert wanted > len(medians)


def test_a_wider_spread_wants_more_processes():
    calm, wild = [1.0, 1.01, 0.99], [1.0, 1.05, 0.95]
    assert processes_wanted(calm, 0.02, 0.95, 100) < processes_wanted(wild, 0.02, 0.95, 100)


def test_the_gain_of_a_second_falls_with_what_is_there_and_with_the_cost():
    assert relative_gain_per_s(0.1, 10, 30, 2.0) == pytest.approx(0.1 * 0.5 / 2.0)
    assert relative_gain_per_s(0.1, 20, 30, 2.0) < relative_gain_per_s(0.1, 10, 30, 2.0)
    assert relative_gain_per_s(0.1, 10, 0, 2.0) == 0.0
