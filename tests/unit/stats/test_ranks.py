"""Kruskal and Wallis, against scipy's."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import kruskal

from inferometer.stats.ranks import kruskal_wallis

group = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=8)


@given(st.lists(group, min_size=2, max_size=4))
def test_p_is_that_of_another_implementation_with_ties_too(groups):
    assume(len({value for one in groups for value in one}) > 1)
    assert kruskal_wallis(groups) == pytest.approx(kruskal(*groups).pvalue, rel=1e-9)


def test_equal_values_do_not_differ():
    assert kruskal_wallis([[1.0, 1.0], [1.0, 1.0, 1.0]]) == 1.0
