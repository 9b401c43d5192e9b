from __future__ import annotations

import pytest

from inferometer.analysis import series
from inferometer.analysis.grid import build
from inferometer.core.workload import Shape


def test_latency_by_batch_has_points_with_intervals_and_gaps(record):
    grid = build(
        [
            record(batch=4, latency_s=0.2),
            record(batch=1, latency_s=0.1, half_s=0.01),
            record(batch=8, failure="out_of_memory", latency_s=None),
            record(batch=1, size=448, latency_s=9.0),
        ]
    )
    (one,) = series.latency_by_batch(grid, 224)
    assert [(point.x, point.y) for point in one.points] == [(1, 0.1), (4, 0.2)]
    assert one.points[0].low == pytest.approx(0.09)
    assert one.points[1].low is None
    assert [(gap.x, gap.kind) for gap in one.gaps] == [(8, "out_of_memory")]


def test_throughput_turns_the_interval_over(record):
    point = series.throughput(record(batch=10, latency_s=2.0, half_s=1.0))
    assert (point.x, point.y) == (10, 5.0)
    assert point.low == pytest.approx(10 / 3)
    assert point.high == pytest.approx(10.0)


def test_throughput_is_within_its_interval_where_the_mean_is_far_from_the_median(record):
    skewed = record(batch=10, latency_s=2.0, half_s=0.1, throughput_per_s=1.0)
    point = series.throughput(skewed)
    assert point.low < point.y < point.high


def test_throughput_has_no_upper_end_where_latency_reaches_zero(record):
    point = series.throughput(record(latency_s=1.0, half_s=1.0))
    assert point.low == 0.5
    assert point.high is None
    assert series.throughput(record(failure="crash")) is None


def test_latency_by_size_leaves_out_the_models_own_size(record):
    grid = build([record(size=None), record(size=224), record(size=448), record(size=448, batch=2)])
    (one,) = series.latency_by_size(grid, 1)
    assert [point.x for point in one.points] == [224, 448]


def test_latency_by_parameters_needs_a_count(record):
    records = [record("a", parameters=10), record("b"), record("c", parameters=5)]
    grid = build([*records, record("none", parameters=0)])
    found = series.latency_by_parameters(grid, Shape(input_size=224, batch_size=1))
    assert [(one.column.label, one.points[0].x) for one in found] == [("a", 10), ("c", 5)]


def test_a_column_without_a_cell_has_no_series(record):
    grid = build([record("a", size=224), record("b", size=448)])
    assert [one.column.label for one in series.latency_by_batch(grid, 448)] == ["b"]
