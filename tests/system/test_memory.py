"""Memory of a module of known size, from a real worker to the record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.runner.events import Notice
from inferometer.runner.run import missing_workloads, run_study
from inferometer.store import open_store

pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MODEL = f"{Path(__file__).parents[1] / 'models' / 'memory.py'}:hungry"
MIB = 1 << 20
WEIGHTS, EACH = 96 * MIB, 64 * MIB
ROOM = 380 * MIB
"""Beside runtime and counter: holds a batch of four, if by less than forecasts are off, and none of 64."""

BEFORE = """
import psutil, torch
from inferometer.models.cost import count_operations
count_operations(torch.nn.Linear(2, 2), (torch.ones(1, 2),), {})
print(psutil.Process().memory_info().rss)
"""


def near(size):
    """Within 5 % or 8 MiB, as is asked for."""
    return pytest.approx(size, rel=0.05, abs=8 * MIB)


@pytest.fixture(scope="module")
def limit():
    """Builds of torch for CUDA hold twice as much before anything is loaded."""
    command = [sys.executable, "-c", BEFORE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) + ROOM


@pytest.fixture(scope="module")
def measured(tmp_path_factory, limit):
    """Records by batch size, what the user was told, and what is left to do."""
    study = Study(
        name="memory",
        sweep=Sweep(models=(MODEL,), blocks=(Block(batches=(1, 4, 64)),), threads=1),
        procedure=Procedure(
            processes=1, min_calls=10, min_rounds=2, span_s=0, round_s=0.01, target=0.5,
            max_time_s=0.1, energy=False, memory_limit_bytes=limit,
        ),
    )  # fmt: skip
    told = []
    with open_store(tmp_path_factory.mktemp("memory") / "s.db") as store:
        run = run_study(study, store, listener=told.append)
        records = store.records(run.id)
    by_batch = {record.workload.batch_size: record for record in records}
    notices = [event.message for event in told if isinstance(event, Notice)]
    return by_batch, notices, missing_workloads(study, records, retry_failed=False)


@pytest.mark.parametrize("batch", [1, 4])
def test_activations_and_weights_are_what_was_taken(measured, batch):
    record = measured[0][batch]
    assert record["memory_activation_bytes"] == near(batch * EACH)
    assert record["memory_weights_bytes"] == near(WEIGHTS)
    assert record["memory_counter"] == "VmHWM"


@pytest.mark.parametrize("batch", [1, 4])
def test_the_layers_make_the_peak(measured, batch):
    record = measured[0][batch]
    layers = ("memory_baseline_bytes", "memory_weights_bytes", "memory_activation_bytes")
    beside = record["peak_memory_bytes"] - sum(record[name] for name in layers)
    assert -MIB < beside < 48 * MIB  # code that the first call brings in
    assert 0 < record["memory_instrument_bytes"] < 200 * MIB
    assert 100 * MIB < record["memory_baseline_bytes"] < 1024 * MIB


def test_the_forecast_holds(measured):
    first, second = measured[0][1], measured[0][4]
    assert second["memory_forecast_bytes"] == pytest.approx(second["peak_memory_bytes"], rel=0.2)
    assert first["memory_forecast_bytes"] < first["peak_memory_bytes"]
    assert "lower bound" in " ".join(first["notes"])
    assert "lower bound" not in " ".join(second["notes"])


def test_the_instruments_share_does_not_grow_with_the_inputs(measured):
    small, large = (measured[0][batch]["memory_instrument_bytes"] for batch in (1, 4))
    assert 0 <= large - small < 2 * MIB


def test_only_the_first_shape_of_a_process_starts_cold(measured):
    first, second = measured[0][1], measured[0][4]
    assert first["cold_start_s"] > first["load_s"] + first["first_call_s"]
    assert second["cold_start_s"] is None


def test_what_will_clearly_not_fit_is_not_tried(measured):
    record = measured[0][64]
    assert record.status == "skipped"
    assert (record.failure.stage, record.failure.kind) == ("warmup", "out_of_memory")
    assert "--try-larger" in record.failure.message
    assert record["memory_forecast_bytes"] > 4000 * MIB
    assert record["activation_peak_bytes"] >= 64 * EACH


def test_what_may_not_fit_is_tried_and_said(measured, limit):
    by_batch, notices, _ = measured
    assert limit / 1.2 < by_batch[4]["memory_forecast_bytes"] < limit / 0.8
    assert any("may not fit" in message for message in notices)
    assert "were expected" in " ".join(by_batch[4]["notes"])


def test_what_was_refused_is_final(measured):
    by_batch, _, left = measured
    assert len(by_batch) == 3
    assert left == []
