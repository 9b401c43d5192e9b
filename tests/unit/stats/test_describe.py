from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.stats.describe import describe

values = st.lists(st.floats(1e-6, 1e4), min_size=2, max_size=60)


@given(values)
def test_it_agrees_with_the_standard_library(sample):
    found = describe(sample)
    assert found.mean == pytest.approx(statistics.fmean(sample))
    assert found.std == pytest.approx(statistics.stdev(sample), abs=1e-9 * max(sample))
    assert found.median == pytest.approx(statistics.median(sample))
    assert (found.minimum, found.maximum) == (min(sample), max(sample))


def test_a_percentile_that_the_sample_cannot_support_is_none():
    small = describe([float(i) for i in range(35)], [0.5, 0.9])
    assert small.quantiles == {0.5: 17.0, 0.9: None}
    large = describe([float(i) for i in range(101)], [0.9, 0.99])
    assert large.quantiles == {0.9: 90.0, 0.99: None}


def test_one_value_has_no_deviation():
    assert describe([3.0]).std is None
