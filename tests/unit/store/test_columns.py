from __future__ import annotations

from decimal import Decimal

import pytest

from inferometer.core.errors import ImportFileError
from inferometer.core.record import FIELDS
from inferometer.store.columns import match_columns


def meaning(name: str) -> tuple[str, Decimal] | None:
    columns = match_columns(["model", "accuracy", name], "x.csv")
    found = next((c for c in columns.known.values() if c.name == name), None)
    return found and (found.field, found.factor)


@pytest.mark.parametrize(
    ("name", "field", "factor"),
    [
        ("latency_s", "latency_mean_s", "1"),
        ("latency", "latency_mean_s", "1"),
        ("mean_s", "latency_mean_s", "1"),
        ("latency_ms", "latency_mean_s", "1e-3"),
        ("Latency (ms)", "latency_mean_s", "1e-3"),
        ("Latency (µs)", "latency_mean_s", "1e-6"),
        ("latency [\N{GREEK SMALL LETTER MU}s]", "latency_mean_s", "1e-6"),
        ("std", "latency_std_s", "1"),
        ("stdev_ms", "latency_std_s", "1e-3"),
        ("P99 ms", "latency_p99_s", "1e-3"),
        ("median_latency_us", "latency_median_s", "1e-6"),
        ("energy", "energy_per_inference_j", "1"),
        ("Energy (mJ)", "energy_per_inference_j", "1e-3"),
        ("power_mW", "power_mean_w", "1e-3"),
        ("Peak memory (MiB)", "peak_memory_bytes", "1048576"),
        ("memory_mb", "peak_memory_bytes", "1e6"),
        ("FPS", "throughput_per_s", "1"),
        ("batch", "batch_size", "1"),
        ("BS", "batch_size", "1"),
        ("Batch size", "batch_size", "1"),
        ("resolution", "input_size", "1"),
        ("params", "parameters", "1"),
        ("device", "device_name", "1"),
        ("Board", "device_name", "1"),
        ("runtime", "backend", "1"),
        ("dtype", "precision", "1"),
    ],
)
def test_names_that_people_use(name, field, factor):
    assert meaning(name) == (field, Decimal(factor))


@pytest.mark.parametrize("name", ["comment", "latency (%)", "latency per batch", "gflops", "µ"])
def test_what_is_not_understood_is_ignored_by_name(name):
    assert meaning(name) is None
    assert match_columns(["model", "accuracy", name], "x.csv").ignored == (name,)


def test_every_field_of_the_record_goes_by_its_own_name():
    columns = match_columns(list(FIELDS), "x.csv")
    assert columns.ignored == ()
    assert {field: column.name for field, column in columns.known.items()} == {
        field: field for field in FIELDS
    }


def test_device_is_where_it_ran_once_another_column_names_the_board():
    columns = match_columns(["model", "accuracy", "device", "board"], "x.csv")
    assert columns.known["device"].name == "device"
    assert columns.known["device_name"].name == "board"


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["latency_s", "device"], r"x\.csv: there is no column model; .*latency_s, device"),
        (["model", "batch_size", "threads"], r"x\.csv: .*no column with a figure"),
        ([], "no column model"),
        (["model", "latency_s", "Latency (ms)"], "'latency_s' and 'Latency .ms.' are both"),
        (["model", "network", "latency"], "'model' and 'network' are both model"),
    ],
)
def test_columns_that_are_not_enough_or_too_many_are_refused(names, sentence):
    with pytest.raises(ImportFileError, match=sentence):
        match_columns(names, "x.csv")
