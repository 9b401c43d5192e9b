import numpy as np

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
