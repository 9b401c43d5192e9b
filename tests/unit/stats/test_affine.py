"""Lines with errors in proportion, and points that do not belong to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from inferometer.stats.affine import affine, far_off

BATCHES = (1, 2, 4, 8, 16, 32)
coefficients = st.floats(0.001, 10)


@given(coefficients, coefficients)
def test_a_line_is_found_exactly(a, b):
    found = affine(BATCHES, [a + b * x for x in BATCHES])
    assert found.fixed.value == pytest.approx(a, rel=1e-6, abs=1e-9)
    assert found.per_unit.value == pytest.approx(b, rel=1e-6)
    assert found.scatter < 1e-9
    assert found.at(64) == pytest.approx(a + 64 * b)


def test_the_coefficients_and_intervals_are_those_of_weighted_least_squares():
    rng = np.random.default_rng(3)
    y = np.array([1 + 0.5 * x for x in BATCHES]) * (1 + 0.05 * rng.standard_normal(6))
    oracle, covariance = curve_fit(lambda x, a, b: a + b * x, BATCHES, y, sigma=y)
    found = affine(BATCHES, y)
    assert found.fixed.value == pytest.approx(oracle[0], rel=1e-5)
    half = 2.7764451052 * np.sqrt(np.diag(covariance))  # t(0.975, 4)
    assert found.fixed.high - found.fixed.value == pytest.approx(half[0], rel=1e-4)
    assert found.per_unit.high - found.per_unit.value == pytest.approx(half[1], rel=1e-4)


def test_the_intervals_cover():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        y = [(2 + 1.5 * x) * (1 + 0.03 * rng.standard_normal()) for x in BATCHES]
        found = affine(BATCHES, y).per_unit
        hits += found.low <= 1.5 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_a_fixed_part_is_never_negative():
    found = affine(BATCHES, [x**1.2 for x in BATCHES])
    assert found.fixed.value == 0
    assert found.fixed.low == 0
    two = affine([1, 2], [1.0, 3.0])  # the line through both would begin below 0
    assert (two.fixed.value, two.fixed.low, two.fixed.high) == (0, None, None)
    assert two.per_unit.low is None
    assert two.scatter > 0.2
    assert affine([1, 2, 4], [0.1, 0.2, 0.4]).fixed.value == 0  # not 5e-17


def test_two_points_give_a_line_without_intervals_and_one_none():
    found = affine([1, 2], [3.0, 5.0])
    assert (found.fixed.value, found.per_unit.value) == pytest.approx((1, 2))
    assert found.scatter is None
    assert found.fixed.low is found.per_unit.high is None
    with pytest.raises(ValueError, match="two different"):
        affine([2, 2], [1, 1])


@given(coefficients, coefficients, st.integers(0, 5), st.sampled_from([0.3, 0.5, 2.5, 6.0]))
def test_a_planted_point_is_found_wherever_it_is(a, b, index, ratio):
    y = [a + b * x for x in BATCHES]
    y[index] *= ratio
    (found,) = far_off(BATCHES, y)
    assert found.index == index
    assert found.ratio == pytest.approx(ratio, rel=1e-3)


@given(coefficients, coefficients, st.lists(st.floats(-0.05, 0.05), min_size=6, max_size=6))
def test_noise_is_not_far_off(a, b, noise):
    assert (
        far_off(BATCHES, [(a + b * x) * (1 + n) for x, n in zip(BATCHES, noise, strict=True)]) == []
    )


@given(st.floats(0.5, 1.3))
def test_a_bent_line_is_not_far_off(exponent):
    assume(abs(exponent - 1) > 0.01)
    assert far_off(BATCHES, [x**exponent for x in BATCHES]) == []


def test_four_points_are_too_few_to_object():
    assert far_off([1, 2, 4, 8], [1, 2, 40, 8]) == []
