import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.stats.blocks import median_of_series


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_the_interval_holds_the_median_of_the_process(rho):
    """AR(1) logs: the true median is 1."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(300):
        noise = rng.normal(size=400) * math.sqrt(1 - rho**2) * 0.1
        logs = np.zeros(400)
        logs[0] = rng.normal() * 0.1
        for at in range(1, 400):
            logs[at] = rho * logs[at - 1] + noise[at]
        _, ends = median_of_series(np.exp(logs))
        held += ends.low <= 1 <= ends.high
    assert 0.90 <= held / 300 <= 0.99


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=60))
def test_the_median_is_within_its_interval(values):
    median, ends = median_of_series(values)
    assert median == np.median(values)
    assert (ends is None) == (len(values) < 10)
    if ends is not None:
        assert ends.low <= median <= ends.high


def test_values_that_are_no_durations_have_no_interval():
    assert median_of_series([0.0] * 20) == (0.0, None)
