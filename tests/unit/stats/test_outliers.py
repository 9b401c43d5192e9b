import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inferometer.stats.outliers import outliers


def test_spikes_are_labelled_on_a_drifting_level():
    rng = np.random.default_rng(1)
    values = np.linspace(1, 5, 2000) + rng.normal(0, 0.05, 2000)
    spiked = rng.choice(2000, 40, replace=False)
    values[spiked] += 2
    labels = outliers(list(values))
    assert labels[spiked].all()
    assert labels.sum() <= 45


def test_the_whole_series_is_the_window_where_it_is_short():
    assert list(outliers([1.0, 1.1, 0.9, 1.0, 9.0, 1.05])) == [False] * 4 + [True, False]


def test_nothing_in_nothing():
    assert outliers([]).size == 0


def test_constant_values_have_none():
    assert not outliers([1.0] * 300).any()


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=101))
def test_fences_of_a_short_series_are_those_of_numpys_quartiles(values):
    low, high = np.quantile(values, (0.25, 0.75))
    reach = 3 * (high - low)
    close = 1e-12 * max(values)
    for value, is_outlier in zip(values, outliers(values), strict=True):
        beyond = max(low - reach - value, value - high - reach)
        assert abs(beyond) <= close or is_outlier == (beyond > 0)
