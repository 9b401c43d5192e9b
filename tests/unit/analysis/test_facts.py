from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.analysis import facts
from inferometer.analysis.grid import build
from inferometer.core.metric import Estimate


def estimate(value, half=None, n=0):
    low, high = (None, None) if half is None else (value - half, value + half)
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="", n=n)


def test_latencies_are_apart_where_their_intervals_do_not_meet():
    assert facts.apart(estimate(1.0, 0.1), estimate(1.3, 0.1))
    assert not facts.apart(estimate(1.0, 0.2), estimate(1.3, 0.2))


def test_without_intervals_any_difference_counts():
    assert facts.apart(estimate(1.0), estimate(1.1, 0.5))
    assert not facts.apart(estimate(1.0), estimate(1.0))


def test_too_few_calls_for_an_interval_leave_what_processes_differ_by():
    assert not facts.apart(estimate(1.0, n=3), estimate(1.2, 0.01, n=50))
    assert facts.apart(estimate(1.0, n=3), estimate(1.3, n=3))


value = st.floats(0.1, 10)
half = st.none() | st.floats(0, 1)


@given(value, half, value, half)
def test_apart_does_not_depend_on_the_order(a, a_half, b, b_half):
    one, other = estimate(a, a_half), estimate(b, b_half)
    if a != b:
        assert facts.apart(one, other) == facts.apart(other, one)
    assert not facts.apart(one, one)


def test_common_shape_is_the_one_with_most_latencies(record):
    grid = build(
        [
            record("a", batch=1),
            record("a", batch=2),
            record("b", batch=2),
            record("b", batch=1, failure="timeout"),
            record("a", batch=4),
            record("b", batch=4),
        ]
    )
    assert facts.common_shape(grid).label == "224/2"
    assert facts.common_shape(build([record(failure="crash")])) is None


def test_fastest_are_those_that_cannot_be_told_apart(record):
    grid = build(
        [
            record("slow", latency_s=2.0, half_s=0.1),
            record("a", latency_s=1.0, half_s=0.1),
            record("b", latency_s=1.1, half_s=0.1),
        ]
    )
    shape = grid.shapes[0]
    assert [one.column.label for one in facts.ranking(grid, shape)] == ["a", "b", "slow"]
    assert [one.column.label for one in facts.fastest(grid, shape)] == ["a", "b"]


def test_steps_go_from_the_first_to_the_last_measured_shape(record):
    grid = build(
        [
            record(batch=1, latency_s=1.0),
            record(batch=2, latency_s=9.0),
            record(batch=4, latency_s=3.0),
            record(batch=8, failure="out_of_memory"),
            record(batch=1, size=448, latency_s=5.0),
        ]
    )
    (batch,) = facts.steps(grid, "batch")
    assert (batch.start.label, batch.end.label) == ("224/1", "224/4")
    assert (batch.ratio, batch.grows) == (3.0, 4.0)
    (size,) = facts.steps(grid, "size")
    assert (size.start.label, size.end.label, size.ratio, size.grows) == ("224/1", "448/1", 5, 2)


def test_the_models_own_size_is_not_compared_with_others(record):
    assert facts.steps(build([record(size=None), record(size=224)]), "size") == []


def test_best_batch_is_that_of_the_highest_throughput(record):
    grid = build(
        [
            record(batch=1, latency_s=1.0),
            record(batch=4, latency_s=2.0),
            record(batch=8, latency_s=8.0),
        ]
    )
    (best,) = facts.best_batches(grid)
    assert (best.shape.batch_size, best.throughput.y, best.gain, best.compared) == (4, 2.0, 2.0, 3)


def test_the_same_long_figure_in_two_cells_is_named(record):
    copied = 2.90050734299
    grid = build([record(batch=b, latency_s=copied) for b in (1, 2)] + [record(batch=4)])
    (repeat,) = facts.repeats(grid)
    assert repeat.latency_s == copied
    assert [shape.batch_size for _, shape in repeat.cells] == [1, 2]


@pytest.mark.parametrize("short", [0.5, 12.25, 1500.0])
def test_short_figures_may_well_be_equal(record, short):
    assert facts.repeats(build([record(batch=b, latency_s=short) for b in (1, 2)])) == []
