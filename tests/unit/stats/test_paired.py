"""Paired differences against SciPy's tests, published values and brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, norm

from inferometer.stats.paired import (
    mcnemar_exact,
    paired_bootstrap,
    paired_share_interval,
    paired_shares,
    sign_flip,
)
from inferometer.stats.resampling import ColumnSums

COUNTS = st.integers(0, 30)


def mean_of(values):
    values = np.asarray(values, float)
    return ColumnSums(
        columns=np.column_stack([values, np.ones(values.size)]),
        combine=lambda sums: sums[:, 0] / sums[:, 1],
    )


@given(only_a=st.integers(0, 300), only_b=st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(only_a, only_b):
    p = mcnemar_exact(only_a, only_b)
    if only_a + only_b:
        assert p == pytest.approx(binomtest(only_a, only_a + only_b).pvalue, rel=1e-9)
    else:
        assert p == 1.0
    alone = [1] * only_a + [-1] * only_b
    assert sign_flip(alone) == pytest.approx(p, abs=1e-12)


@given(sums=st.lists(st.integers(-5, 5), min_size=1, max_size=9))
@settings(max_examples=50)
def test_whole_units_are_swapped_in_every_way(sums):
    seen = abs(sum(sums))
    every = [
        abs(sum(sign * one for sign, one in zip(signs, sums, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(sums))
    ]
    expected = np.mean([other >= seen for other in every])
    assert sign_flip(sums) == pytest.approx(expected, abs=1e-12)


def test_the_published_interval():
    """Airway hyper-responsiveness of 21 children (Fagerland, Lydersen and Laake, 2014)."""
    low, high = paired_share_interval(1, 7, 1, 12)
    assert (low, high) == (pytest.approx(-0.517, abs=6e-4), pytest.approx(-0.026, abs=6e-4))


@given(both=COUNTS, only_a=st.integers(1, 15), only_b=st.integers(1, 15), neither=COUNTS)
@settings(max_examples=40)
def test_the_score_is_just_significant_at_both_ends(both, only_a, only_b, neither):
    """With the discordance that fits best found by a search, not by the formula."""
    n = both + only_a + only_b + neither

    def unlikely(share, end):
        rest = 1 - 2 * share - end
        return -(
            only_a * math.log(share)
            + only_b * math.log(share + end)
            + (both + neither) * math.log(max(rest, 1e-300))
        )

    for end in paired_share_interval(both, only_a, only_b, neither):
        least, most = max(0.0, -end), (1 - end) / 2
        if most - least < 1e-4:
            continue
        share = minimize_scalar(
            unlikely,
            bounds=(least + 1e-12, most - 1e-12),
            args=(end,),
            method="bounded",
            options={"xatol": 1e-10},
        ).x
        error = math.sqrt((2 * share + end - end**2) / n)
        score = abs((only_b - only_a) / n - end) / error
        assert score == pytest.approx(norm.ppf(0.975), rel=1e-3)


@given(both=COUNTS, only_a=COUNTS, only_b=COUNTS, neither=COUNTS)
def test_sides_swapped_swap_the_ends_and_it_has_always_a_width(both, only_a, only_b, neither):
    n = both + only_a + only_b + neither
    if not n:
        return
    low, high = paired_share_interval(both, only_a, only_b, neither)
    assert -1 <= low <= (only_b - only_a) / n <= high <= 1
    assert high - low > 1e-3
    other = paired_share_interval(both, only_b, only_a, neither)
    assert (-other[1], -other[0]) == pytest.approx((low, high), abs=1e-8)


def test_two_that_are_always_right_together_might_still_differ():
    z2 = norm.ppf(0.975) ** 2
    assert paired_share_interval(90, 0, 0, 10)[1] == pytest.approx(z2 / (100 + z2), abs=1e-8)


def test_of_no_sample_there_is_no_interval():
    with pytest.raises(ValueError, match="no sample"):
        paired_share_interval(0, 0, 0, 0)


def test_shares_of_samples_that_stand_alone():
    a = np.array([1] * 80 + [0] * 20)
    b = np.array([1] * 70 + [0] * 10 + [1] * 2 + [0] * 18)
    found = paired_shares(a, b, np.arange(100))
    assert found.value == pytest.approx(-0.08)
    assert (found.low, found.high) == paired_share_interval(70, 10, 2, 18)
    assert found.p == pytest.approx(mcnemar_exact(10, 2))


def test_shares_of_copied_samples_are_no_surer():
    rng = np.random.default_rng(1)
    a, b = rng.random((2, 60)) < 0.7
    alone = paired_shares(a, b, np.arange(60))
    units = np.repeat(np.arange(60), 4)
    copies = paired_shares(np.repeat(a, 4), np.repeat(b, 4), units)
    assert copies.p == pytest.approx(alone.p)
    assert copies.high - copies.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert copies.method == "tango_clustered"


@pytest.mark.parametrize(
    "judge", [paired_shares, lambda a, b, u: paired_bootstrap(mean_of(a), mean_of(b), u)]
)
def test_few_units_give_no_interval(judge):
    found = judge([1, 0] * 6, [1, 1] * 6, np.repeat(np.arange(3), 4))
    assert (found.value, found.low, found.p, found.reason) == (0.5, None, None, "too_few_units")


def test_what_is_common_to_both_does_not_widen_the_difference():
    rng = np.random.default_rng(2)
    level = rng.normal(0, 10, 100)
    step = rng.normal(0.5, 1, 100)
    found = paired_bootstrap(mean_of(level), mean_of(level + step), np.arange(100))
    half = norm.ppf(0.975) * step.std() / 10
    assert found.value == pytest.approx(step.mean())
    assert found.low == pytest.approx(step.mean() - half, abs=0.2 * half)
    assert found.high == pytest.approx(step.mean() + half, abs=0.2 * half)


@given(shift=st.floats(-0.6, 0.6), seed=st.integers(0, 20))
@settings(max_examples=40)
def test_the_p_value_and_the_interval_agree(shift, seed):
    rng = np.random.default_rng(seed)
    a, step = rng.normal(size=(2, 40))
    found = paired_bootstrap(mean_of(a), mean_of(a + step + shift), np.arange(40), draws=500)
    if abs(found.p - 0.05) > 0.01:
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


def test_the_p_value_is_that_of_the_t_test():
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(3)
    a, step = rng.normal(size=(2, 80))
    for shift in (0.0, 0.15, 0.25):
        b = a + step - step.mean() + shift
        found = paired_bootstrap(mean_of(a), mean_of(b), np.arange(80), draws=10_000)
        assert found.p == pytest.approx(ttest_rel(a, b).pvalue, abs=0.04)


def test_no_difference_on_any_sample_leaves_room_for_unseen_ones():
    values = np.random.default_rng(4).random(100)
    found = paired_bootstrap(mean_of(values), mean_of(values), np.arange(100), low=0.0, high=1.0)
    assert (found.value, found.p, found.method) == (0.0, 1.0, "rule_of_three")
    assert found.low == -found.high
    assert found.high == pytest.approx(1 - 0.025**0.01)
    unbounded = paired_bootstrap(mean_of(values), mean_of(values), np.arange(100))
    assert (unbounded.low, unbounded.reason) == (None, "all_alike")


def test_a_gain_on_one_sample_does_not_rule_out_losses_on_others():
    """The draws know no loss at all; the score interval of the same counts reaches below 0."""
    a, b = np.ones(200), np.ones(200)
    a[3] = 0
    found = paired_bootstrap(mean_of(a), mean_of(b), np.arange(200), low=0.0, high=1.0)
    assert found.low <= paired_share_interval(199, 0, 1, 0)[0] < -0.01
    assert found.high <= 0.05
