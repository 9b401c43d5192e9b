"""Verdicts from intervals, their errors at the margin, and how much more to measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from inferometer.stats.noninferiority import further_samples, noninferiority
from inferometer.stats.paired import paired_shares


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (-0.005, 0.01, "not_worse"),
        (0.001, 0.02, "not_worse"),
        (-0.008, -0.002, "not_worse"),
        (-0.021, -0.004, "worse"),
        (-0.03, -0.011, "worse_than_margin"),
        (-0.02, 0.01, "undecided"),
        (-0.01, 0.01, "undecided"),
        (None, None, "undecided"),
        (math.nan, math.nan, "undecided"),
    ],
)
def test_the_interval_gives_the_verdict(low, high, code):
    assert noninferiority(low, high, 0.01).code == code


@given(low=st.floats(-1, 1), width=st.floats(0, 1), margin=st.floats(0, 0.5))
def test_where_less_is_better_signs_are_turned(low, width, margin):
    high = low + width
    found = noninferiority(-high, -low, margin, higher_is_better=False)
    assert found == noninferiority(low, high, margin)
    assert (found.loss_low, found.loss_high) == (-high, -low)


@given(loss=st.floats(0.01, 1), width=st.floats(0, 1))
def test_an_interval_around_a_loss_of_the_margin_or_more_is_never_not_worse(loss, width):
    assert noninferiority(-loss - width, -loss + width, 0.01).code != "not_worse"


@pytest.mark.parametrize("margin", [-0.01, math.nan])
def test_a_margin_below_zero_is_refused(margin):
    with pytest.raises(ValueError, match="margin"):
        noninferiority(0.0, 0.1, margin)


def verdicts(loss, n, pairs, seed):
    """Verdicts on contenders with 4 % discordant, and a margin of 1 %."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(4, p=[0.86, 0.02 + loss / 2, 0.02 - loss / 2, 0.1], size=(pairs, n))
    units = np.arange(n)
    found = [paired_shares(kind <= 1, kind % 2 == 0, units) for kind in kinds]
    return [noninferiority(one.low, one.high, 0.01).code for one in found]


@pytest.mark.parametrize("n", [200, 1000])
def test_worse_by_the_margin_is_called_not_worse_in_at_most_5_percent_of_1000_pairs(n):
    assert verdicts(0.01, n, 1000, seed=1).count("not_worse") <= 50


def test_equals_are_called_not_worse_with_enough_samples():
    assert verdicts(0.0, 5000, 100, seed=2).count("not_worse") >= 80


@pytest.mark.parametrize(
    ("value", "distance"), [(0.0, 0.01), (0.005, 0.015), (-0.002, 0.008), (-0.008, 0.008)]
)
def test_further_samples_follow_the_planning_formula(value, distance):
    per_unit = 0.2
    n = 400
    needed = ((norm.ppf(0.975) + norm.ppf(0.8)) * per_unit / distance) ** 2
    found = further_samples(value, per_unit / math.sqrt(n), n, 0.01)
    assert found == pytest.approx(needed - n, abs=1)


def test_no_number_is_given_where_it_would_be_no_advice():
    assert further_samples(0.0, 0.2 / 20, 400, 0.0001) is None
    assert further_samples(0.0, 0.01, 400, 0.0) is None
    assert further_samples(math.nan, 0.01, 400, 0.01) is None
    assert further_samples(0.0, None, 400, 0.01) is None


def test_the_advised_number_decides_in_most_cases():
    found = further_samples(0.0, math.sqrt(0.04 / 400), 400, 0.01)
    codes = verdicts(0.0, 400 + found, 100, seed=3)
    assert 65 <= codes.count("not_worse") <= 95
