"""Slopes on logarithms and the agreement of orders, against independent ways to them."""

from __future__ import annotations

import math
import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, linregress, t

from inferometer.stats.slopes import agreement, log_slope, mean_slope, mean_tau

numbers = st.floats(0.1, 1e6)


@given(st.floats(-2, 3), st.floats(0.01, 100))
def test_a_power_law_is_found_exactly(exponent, factor):
    x = [1, 2, 4, 8]
    found = log_slope(x, [factor * value**exponent for value in x])
    assert found.value == pytest.approx(exponent, abs=1e-9)
    assert found.high - found.low < 1e-6


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=9, unique_by=lambda p: p[0]))
def test_the_interval_is_that_of_a_regression(points):
    x, y = zip(*points, strict=True)
    oracle = linregress(np.log(x), np.log(y))
    found = log_slope(x, y)
    half = t.ppf(0.975, len(x) - 2) * oracle.stderr
    scale = max(1.0, abs(oracle.slope), half)
    assert found.value == pytest.approx(oracle.slope, abs=1e-6 * scale)
    assert found.high - found.value == pytest.approx(half, abs=1e-4 * scale)


def test_two_points_have_a_slope_and_no_interval():
    found = log_slope([1, 2], [1, 4])
    assert found.value == pytest.approx(2)
    assert found.low is found.high is None
    with pytest.raises(ValueError, match="two different"):
        log_slope([3, 3], [1, 2])


def test_the_mean_of_slopes():
    found = mean_slope([0.9, 1.0, 1.1])
    assert found.value == pytest.approx(1.0)
    assert found.high == pytest.approx(1 + t.ppf(0.975, 2) * 0.1 / math.sqrt(3))
    assert mean_slope([2.0]).low is None
    with pytest.raises(ValueError, match="at least one"):
        mean_slope([])


def test_four_items_in_the_same_order_everywhere():
    found = agreement([1, 2, 3, 4], [[10, 20, 30, 40], [5, 6, 7, 8]])
    assert found.tau == 1
    assert found.p == found.least_p == pytest.approx(1 / 24)
    assert found.exact


@settings(deadline=None, max_examples=25)  # the oracle is slow
@given(st.lists(st.integers(0, 5), min_size=2, max_size=4), st.data())
def test_all_orders_are_looked_at(quantity, data):
    row = st.lists(st.integers(0, 9), min_size=len(quantity), max_size=len(quantity))
    strata = data.draw(st.lists(row, min_size=1, max_size=3))

    def tau(order):
        found = [kendalltau(order, one).statistic for one in strata]
        return np.mean([0.0 if math.isnan(value) else value for value in found])

    found = agreement(quantity, strata)
    assert found.tau == pytest.approx(tau(quantity), abs=1e-9)
    assert mean_tau(quantity, strata) == pytest.approx(found.tau, abs=1e-9)
    orders = [tau(order) for order in permutations(quantity)]
    share = np.mean([value >= tau(quantity) - 1e-9 for value in orders])
    assert found.p == pytest.approx(share)


def test_missing_cells_are_left_out():
    found = agreement([1, 2, 3], [[1, math.nan, 3], [3, 2, math.nan]])
    assert found.tau == pytest.approx(0)


def test_many_items_are_sampled_and_that_is_said():
    found = agreement(range(12), [range(12)])
    assert found.tau == pytest.approx(1)
    assert not found.exact
    assert found.p <= 0.001


def test_equal_quantities_leave_fewer_orders():
    found = agreement([1, 1, 2], [[1, 2, 3]])
    assert found.p == found.least_p == pytest.approx(2 / 6)


def test_hundreds_of_items_need_no_room_for_all_their_orders():
    """Signs of all orders of 300 items at once would be 3.6 GB."""
    tracemalloc.start()
    found = agreement(range(300), [range(300)])
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()
    assert found.tau == pytest.approx(1)
    assert found.p == found.least_p == 1 / found.orders


def test_one_item_has_no_order():
    with pytest.raises(ValueError, match="two items"):
        agreement([1], [[1]])
