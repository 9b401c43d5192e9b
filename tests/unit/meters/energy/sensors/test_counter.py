"""An energy counter that wraps, and the ways in which one fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.counter import CounterKind, WrappingCounter

RANGE = 262143328850


def kind(most: int | None = RANGE, *, unit_j: float = 1e-6, period_s: float = 0.001) -> CounterKind:
    return CounterKind(
        what="/energy_uj", unit_j=unit_j, range_counts=most, most_w=2000.0, period_s=period_s
    )


def fed(readings, **how) -> float:
    counter = WrappingCounter(kind(**how))
    return [counter.joules(counts, at_s) for counts, at_s in readings][-1]


@given(
    start=st.integers(0, RANGE - 1),
    legs=st.lists(st.tuples(st.floats(0.05, 1990.0), st.floats(0.01, 65.0)), max_size=40),
)
def test_any_powers_polled_in_time_add_up_over_every_wrap(start, legs):
    counter, truth_uj, at_s = WrappingCounter(kind()), 0, 1e9
    counter.joules(start, at_s)
    for watts, seconds in legs:
        truth_uj += round(watts * seconds * 1e6)
        at_s += seconds
        joules = counter.joules((start + truth_uj) % RANGE, at_s)
        assert joules == pytest.approx(truth_uj * 1e-6, rel=1e-12, abs=1e-9)


def test_the_polling_limit_is_half_of_the_fastest_wrap():
    assert kind().poll_s == pytest.approx(262143.32885 / 4000)
    assert kind(None).poll_s is None


def test_a_wrap_is_no_reset():
    assert fed([(RANGE - 3_000_000, 0.0), (7_000_000, 0.1)]) == pytest.approx(10.0)


@pytest.mark.parametrize("before", [5_000_000_000, 130_000_000_000, RANGE - 500_000_000])
def test_a_reset_is_not_taken_for_a_wrap(before):
    with pytest.raises(SourceLostError, match=r"fell from .* it was reset"):
        fed([(before, 0.0), (before + 10_000, 0.01), (1000, 0.1)])


def test_a_jump_that_no_device_draws_is_a_reset():
    with pytest.raises(SourceLostError, match="jumped"):
        fed([(1000, 0.0), (9_000_000_000, 1.0)])


def test_a_counter_without_a_range_never_falls():
    assert fed([(10, 0.0), (4010, 1.0)], most=None, unit_j=1e-3) == pytest.approx(4.0)
    with pytest.raises(SourceLostError, match="reset"):
        fed([(4010, 0.0), (4000, 1.0)], most=None, unit_j=1e-3)


def test_a_frozen_counter_is_found_even_by_two_readings():
    with pytest.raises(SourceLostError, match=r"stood still for 10.0 s: it is frozen"):
        fed([(77, 0.0), (77, 10.0)])


def test_a_counter_that_freezes_under_way_is_found():
    readings = [(1000 * step, step / 100) for step in range(200)]
    frozen = [(199_000, 2 + step / 100) for step in range(150)]
    with pytest.raises(SourceLostError, match="frozen"):
        fed(readings + frozen)


def test_readings_between_two_updates_are_no_freeze():
    readings = [(61_000 * (step // 400), step * 0.0025) for step in range(4000)]  # moves each 1 s
    assert fed(readings) == pytest.approx(61e-3 * 9)


def test_a_slow_counter_may_stand_still_for_longer():
    assert fed([(5, 0.0), (5, 4.9), (9, 5.1)], period_s=0.1) == pytest.approx(4e-6)
    with pytest.raises(SourceLostError, match="frozen"):
        fed([(5, 0.0), (5, 5.1)], period_s=0.1)


def test_an_idle_processor_is_not_frozen():
    step = 61  # one count of the register in a second would be 61 microwatts
    assert fed([(step * second, float(second)) for second in range(100)]) > 0


def test_a_gap_that_may_hide_a_wrap_is_lost():
    with pytest.raises(SourceLostError, match=r"not read for 132 s.*262143 J"):
        fed([(0, 0.0), (50_000_000, 132.0)])


def test_a_clock_set_back_loses_nothing():
    assert fed([(0, 100.0), (1_000_000, 99.0), (2_000_000, 99.5)]) == pytest.approx(2.0)


@pytest.mark.parametrize("counts", [-1, RANGE + 1])
def test_a_value_outside_the_range_is_lost(counts):
    with pytest.raises(SourceLostError, match="outside its own range"):
        fed([(5, 0.0), (counts, 0.1)])


def test_lost_stays_lost():
    counter = WrappingCounter(kind())
    counter.joules(5, 0.0)
    with pytest.raises(SourceLostError) as first:
        counter.joules(5, 10.0)
    with pytest.raises(SourceLostError) as second:
        counter.joules(900, 10.1)
    assert str(first.value) == str(second.value)
