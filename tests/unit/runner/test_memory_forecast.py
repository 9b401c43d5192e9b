"""Forecasts of memory, against workloads whose memory follows a known rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.cost import Cost
from inferometer.runner.scheduling.memory_forecast import MemoryForecast, Observed, forecast_memory

MIB = 1 << 20
sizes = st.integers(1, 1 << 34)


def cost(analytical, inputs=0):
    return Cost(
        operators=(), input_bytes=inputs, output_bytes=0, weight_bytes=0,
        activation_bytes=analytical, activation_peak_bytes=analytical, method="known",
    )  # fmt: skip


def observed(analytical, activation, beside=300 * MIB):
    return Observed(analytical=analytical, activation=activation, peak=beside + activation)


def test_without_a_smaller_shape_it_is_the_analytical_cost_and_a_lower_bound():
    found = forecast_memory(cost(100 * MIB, 9 * MIB), loaded=300 * MIB, observed=[])
    assert found == MemoryForecast(peak=409 * MIB, least=100 * MIB, shapes=0)


def test_nothing_is_forecast_from_nothing():
    assert forecast_memory(cost(MIB), loaded=None, observed=[]) is None
    assert forecast_memory(cost(0), loaded=MIB, observed=[]) is None


@pytest.mark.parametrize("times", [2, 8, 64])
def test_a_runtime_that_takes_what_is_counted_is_forecast_exactly(times):
    small = observed(10 * MIB, 10 * MIB)
    found = forecast_memory(cost(times * 10 * MIB, MIB), loaded=None, observed=[small])
    assert found.peak == 300 * MIB + MIB + times * 10 * MIB


def test_inputs_of_a_smaller_shape_are_not_counted_again():
    small = Observed(analytical=MIB, activation=MIB, peak=(300 + 32 + 1) * MIB, inputs=32 * MIB)
    found = forecast_memory(cost(2 * MIB, 64 * MIB), loaded=None, observed=[small])
    assert found.peak == (300 + 64 + 2) * MIB


def test_slack_grows_as_the_square_root():
    found = forecast_memory(cost(40 * MIB), loaded=None, observed=[observed(10 * MIB, 16 * MIB)])
    assert found.peak == 300 * MIB + 40 * MIB + 12 * MIB


def test_a_runtime_that_reuses_memory_keeps_its_share():
    found = forecast_memory(cost(40 * MIB), loaded=None, observed=[observed(10 * MIB, 6 * MIB)])
    assert found.peak == 300 * MIB + 24 * MIB


def test_the_largest_shapes_tell_most_and_agree_on_a_mean():
    seen = [observed(MIB, 9 * MIB), observed(30 * MIB, 35 * MIB), observed(40 * MIB, 55 * MIB)]
    found = forecast_memory(cost(40 * MIB), loaded=None, observed=seen)
    lowest, highest = 5 * MIB, (15 + 1) * MIB
    assert lowest < found.peak - 340 * MIB < highest
    assert found.shapes == 3


@given(
    analytical=sizes, more=sizes, inputs=st.integers(0, 1 << 30),
    seen=st.lists(st.tuples(sizes, st.integers(0, 1 << 34)), min_size=1, max_size=5),
)  # fmt: skip
def test_it_never_falls_when_the_count_rises(analytical, more, inputs, seen):
    known = [observed(*pair) for pair in seen]
    small = forecast_memory(cost(analytical, inputs), loaded=None, observed=known)
    large = forecast_memory(cost(analytical + more, inputs), loaded=None, observed=known)
    assert large.peak >= small.peak - 1


def test_what_is_clear_and_what_may_be():
    sure = MemoryForecast(peak=126 * MIB, least=10 * MIB, shapes=1)
    assert sure.exceeds(100 * MIB)
    near = MemoryForecast(peak=110 * MIB, least=10 * MIB, shapes=1)
    assert not near.exceeds(100 * MIB)
    assert near.may_exceed(100 * MIB)
    small = MemoryForecast(peak=80 * MIB, least=10 * MIB, shapes=1)
    assert not small.may_exceed(100 * MIB)


def test_unobserved_only_the_analytical_results_refuse():
    assert not MemoryForecast(peak=900 * MIB, least=99 * MIB, shapes=0).exceeds(100 * MIB)
    assert MemoryForecast(peak=900 * MIB, least=101 * MIB, shapes=0).exceeds(100 * MIB)


@pytest.mark.parametrize(
    "name", ["activation_peak_bytes", "memory_activation_bytes", "peak_memory_bytes"]
)
def test_a_record_that_lacks_a_figure_teaches_nothing(name):
    figures = {
        "activation_peak_bytes": 10,
        "memory_activation_bytes": 20,
        "peak_memory_bytes": 400,
    }
    assert Observed.of(figures) == Observed(analytical=10, activation=20, peak=400)
    assert Observed.of({**figures, name: None}) is None
    assert Observed.of({**figures, "activation_peak_bytes": 0}) is None
