import numpy as np
import pytest
import ruptures
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.stats.warmup import change_points, long_run_variance, steady_state


def noise(n, seed, sd=0.02):
    return np.random.default_rng(seed).normal(0, sd, n)


def durations(log_levels, seed=1, sd=0.02):
    return list(1e-2 * np.exp(np.asarray(log_levels) + noise(len(log_levels), seed, sd)))


@pytest.mark.parametrize("seed", range(5))
def test_changes_are_those_of_ruptures(seed):
    rng = np.random.default_rng(seed)
    values = np.repeat(rng.normal(0, 0.5, 6), rng.integers(5, 40, 6))
    values = values + rng.normal(0, 0.2, values.size)
    oracle = ruptures.Dynp(model="l2", min_size=1, jump=1).fit(values)
    penalty = 0.4

    def cost(count):
        ends = oracle.predict(n_bkps=count) if count else [values.size]
        return oracle.cost.sum_of_costs(ends) + penalty * count, ends[:-1]

    assert change_points(values, penalty) == min(cost(k) for k in range(9))[1]


def test_a_step_is_cut():
    found = steady_state(durations([0.4] * 200 + [0.0] * 800))
    assert found.first is not None
    assert abs(found.first - 200) <= 5


def test_a_steady_series_is_kept_whole():
    assert steady_state(durations([0.0] * 600)).first == 0


def test_few_slow_first_calls_are_cut():
    assert steady_state(durations([0.8, 0.5] + [0.0] * 400)).first == 2


def test_a_load_that_comes_and_goes_is_no_warm_up():
    found = steady_state(durations(([0.0] * 100 + [0.2] * 100) * 5))
    assert found.first == 0
    assert len(found.changes) == 9


def test_an_endless_ramp_has_no_steady_state():
    assert steady_state(durations(np.log(1.01) * (np.arange(1500) // 50))).first is None


def test_a_steady_state_shorter_than_asked_for_is_none():
    values_s = durations([0.4] * 200 + [0.0] * 100)
    assert steady_state(values_s).first is None
    assert steady_state(values_s, min_share=0.2, min_s=0.5).first is not None


def test_seconds_count_for_the_least_time():
    values_s = durations([0.4] * 200 + [0.0] * 300)
    seconds = [1.0] * 200 + [0.001] * 300
    assert steady_state(values_s, seconds=seconds).first is None


def test_long_series_are_binned():
    found = steady_state(durations([0.4] * 1000 + [0.0] * 9000))
    assert found.first is not None
    assert abs(found.first - 1000) <= 20


def test_few_values_and_none():
    assert steady_state([1.0, 2.0]).first == 0
    assert steady_state([]).first is None


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        steady_state([1.0, 0.0])
    with pytest.raises(ValueError, match="seconds"):
        steady_state([1.0, 1.0], seconds=[1.0])


def test_long_run_variance_of_independent_values_with_a_step():
    values = noise(4000, 3, 1.0) + 5 * (np.arange(4000) < 700)
    assert 0.9 < long_run_variance(values) < 2.0


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 2**16))
def test_the_unit_changes_nothing(factor, seed):
    values_s = np.array(durations([0.3] * 60 + [0.0] * 200, seed))
    seconds = list(values_s)
    a = steady_state(list(values_s), seconds=seconds)
    b = steady_state(list(factor * values_s), seconds=seconds)
    assert (a.first, a.changes) == (b.first, b.changes)
