import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from inferometer.stats.autocorrelation import autocorrelation_time


def autoregression(phi, n, rng):
    return lfilter([1], [1, -phi], rng.normal(size=n + 400))[400:]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.95])
def test_mean_estimate_is_within_a_quarter_of_the_truth_and_not_below_it(phi):
    rng = np.random.default_rng(5)
    truth = (1 + phi) / (1 - phi)
    n = max(100, int(20 * truth))
    found = np.mean([autocorrelation_time(autoregression(phi, n, rng)) for _ in range(200)])
    assert 0.97 * truth <= found <= 1.27 * truth


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_it_is_not_too_small_for_twenty_rounds(phi):
    rng = np.random.default_rng(6)
    found = np.mean([autocorrelation_time(autoregression(phi, 20, rng)) for _ in range(300)])
    assert found >= (1 + phi) / (1 - phi)


@pytest.mark.parametrize("values", [[], [1.0], [3.0, 1.0, 2.0], [0.1] * 50])
def test_it_is_one_where_nothing_can_be_told(values):
    assert autocorrelation_time(values) == 1.0


@given(st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=60))
def test_it_lies_between_one_and_the_number_of_values(values):
    assert 1 <= autocorrelation_time(values) <= len(values)
