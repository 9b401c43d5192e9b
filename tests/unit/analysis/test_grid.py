from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inferometer.analysis.grid import build, measured, short_names


def labels(records):
    return [column.label for column in build(records).columns]


def test_rows_are_sorted_by_size_then_batch_and_own_size_comes_first(record):
    shapes = [(448, 1), (224, 16), (224, 2), (None, 4)]
    grid = build([record(size=size, batch=batch) for size, batch in shapes])
    assert [shape.label for shape in grid.shapes] == ["own/4", "224/2", "224/16", "448/1"]
    assert grid.sizes == (None, 224, 448)


def test_columns_keep_the_order_of_the_records(record):
    assert labels([record("b"), record("a"), record("b", batch=2)]) == ["b", "a"]


def test_a_cell_holds_its_record_and_a_hole_holds_none(record):
    one, other = record("a", batch=1), record("b", batch=2)
    grid = build([one, other])
    (first, second), (a, b) = grid.shapes, grid.columns
    assert grid.cell(first, a) is one
    assert grid.cell(second, b) is other
    assert grid.cell(first, b) is None


def test_no_records_make_an_empty_grid():
    grid = build([])
    assert (grid.shapes, grid.columns, grid.failures()) == ((), (), [])


def test_columns_say_only_what_tells_them_apart(record):
    two = [record(precision="fp32"), record(precision="bf16")]
    assert labels(two) == ["net (fp32)", "net (bf16)"]
    assert labels([record("a", precision="fp32"), record("b", precision="bf16")]) == ["a", "b"]
    assert labels([record(threads=1), record(threads=None)]) == [
        "net (1 thread)",
        "net (? threads)",
    ]


def test_devices_are_preferred_to_other_differences(record):
    imported = record(backend="unknown", precision="unknown", device_name="nano", run_id="b")
    assert labels([record(), imported]) == ["net (board)", "net (nano)"]


def test_runs_on_one_device_are_told_apart_by_their_id(record):
    assert labels([record(run_id="aaaa"), record(run_id="bbbb")]) == ["net (aaaa)", "net (bbbb)"]


def test_short_names_drop_source_and_folder_where_that_is_unique():
    names = short_names(["torchvision:resnet50", "path/to/net.py:factory", "weights/w.pt"])
    assert list(names.values()) == ["resnet50", "factory", "w.pt"]


def test_short_names_keep_what_they_need():
    names = short_names(["timm:resnet18", "torchvision:resnet18", "resnet18"])
    assert list(names.values()) == ["timm:resnet18", "torchvision:resnet18", "resnet18"]
    names = short_names(["transformers:bert?layers=1", "transformers:bert?layers=2"])
    assert list(names.values()) == ["bert?layers=1", "bert?layers=2"]


@given(st.lists(st.text("ab:/?.", min_size=1, max_size=6), unique=True, max_size=6))
def test_short_names_are_unique(models):
    names = short_names(models)
    assert set(names) == set(models)
    assert len(set(names.values())) == len(models)


def test_parameters_come_from_any_record_of_the_column(record):
    failed = record(batch=1, failure="timeout", latency_s=None)
    grid = build([failed, record(batch=2, parameters=7, parameters_with_duplicates=9)])
    (column,) = grid.columns
    assert grid.count(column) == 7
    assert grid.count(column, "parameters_with_duplicates") == 9
    assert grid.count(column, "trainable_parameters") is None
    assert grid.text(column, "source") == ""


def test_failures_are_grouped_and_cuts_come_last(record):
    grid = build(
        [
            record("a", batch=1, failure="budget", skipped=True),
            record("a", batch=4, failure="out_of_memory", message="first"),
            record("a", batch=8, failure="out_of_memory", message="second"),
            record("a", batch=16, failure="out_of_memory", skipped=True),
            record("b", batch=4, failure="out_of_memory"),
        ]
    )
    groups = [
        (g.column.label, g.kind, g.skipped, [s.batch_size for s in g.shapes])
        for g in grid.failures()
    ]
    assert groups == [
        ("a", "out_of_memory", False, [4, 8]),
        ("b", "out_of_memory", False, [4]),
        ("a", "out_of_memory", True, [16]),
        ("a", "budget", True, [1]),
    ]
    assert grid.failures()[0].message == "first"


def test_a_failed_record_or_one_of_zero_seconds_is_not_measured(record):
    assert measured(None) is None
    assert measured(record(failure="crash")) is None
    assert measured(record(latency_s=0.0)) is None
    assert measured(record(latency_s=0.5)).value == 0.5
