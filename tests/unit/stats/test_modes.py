import numpy as np
import pytest
from scipy.signal import lfilter

from inferometer.stats.modes import two_modes


def pareto(n, rng):
    log = rng.normal(0, 0.03, n)
    spiked = rng.random(n) < 0.05
    log[spiked] += np.log1p(rng.pareto(1.5, int(spiked.sum())))
    return log


UNIMODAL = {
    "normal": lambda n, rng: rng.normal(0, 0.3, n),
    "pareto": pareto,
    "autoregression": lambda n, rng: lfilter([1], [1, -0.9], rng.normal(0, 0.02, n)),
}


@pytest.mark.parametrize("kind", UNIMODAL)
@pytest.mark.parametrize("n", [20, 200, 1000])
def test_one_mode_is_hardly_ever_called_two(kind, n):
    rng = np.random.default_rng(4)
    found = [two_modes(list(np.exp(UNIMODAL[kind](n, rng)))) for _ in range(200)]
    assert sum(modes is not None for modes in found) <= 0.02 * 200


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_two_modes_are_found(share):
    rng = np.random.default_rng(5)
    log = rng.normal(0, 0.02, 600) + 0.2 * (rng.random(600) < share)
    assert two_modes(list(np.exp(log))) == pytest.approx((1.0, np.exp(0.2)), rel=0.02)


def test_few_values_and_constant_ones():
    assert two_modes([1.0, 2.0] * 5) is None
    assert two_modes([1.0] * 50) is None
