import numpy as np
import pytest
from scipy.signal import lfilter

from inferometer.stats.trend import trend


def groups_of(count, each):
    return list(np.repeat(np.arange(count), each))


def test_a_drift_is_found_despite_levels_and_spikes():
    rng = np.random.default_rng(1)
    times = np.tile(np.linspace(0, 10, 200), 3)
    log = np.log(1.1) * times / 10 + np.repeat([0, 0.5, -0.3], 200) + rng.normal(0, 0.02, 600)
    log[rng.random(600) < 0.1] += 1.5
    found = trend(list(times), list(np.exp(log)), groups_of(3, 200))
    assert found is not None
    assert found.low is not None
    assert found.low > 0.05
    assert found.change == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_false_alarms_are_about_as_few_as_promised(phi):
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(150):
        log = lfilter([1], [1, -phi], rng.normal(0, 0.02, 500))[200:]
        found = trend(list(np.arange(300.0)), list(np.exp(log)), [0] * 300)
        assert found is not None
        alarms += found.low is not None and not found.low <= 0 <= found.high
    assert alarms <= 0.1 * 150


def test_too_few_values():
    assert trend([0, 1, 2, 0, 1, 2], [1.0] * 6, [0, 0, 0, 1, 1, 1]) is None
    assert trend([], [], []) is None
    assert trend([1.0] * 9, [1.0] * 9, [0] * 9) is None


def test_an_exact_drift_is_exact():
    found = trend([0, 1, 2, 3, 4, 5], [1.01**k for k in range(6)], [0] * 6)
    assert found is not None
    assert found.change == pytest.approx(1.01**5 - 1)
