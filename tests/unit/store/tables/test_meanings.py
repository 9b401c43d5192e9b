from __future__ import annotations

from decimal import Decimal

import pytest

from inferometer.core.record import FIELDS
from inferometer.store.tables.names import meanings


def meaning(name: str) -> tuple[str, str, str] | None:
    found = meanings(name)
    if not found:
        return None
    unit = found[0].unit
    return found[0].field, format(unit.factor.normalize(), "f") if unit else "", found[0].per


@pytest.mark.parametrize(
    ("name", "field", "factor", "per"),
    [
        ("latency_s", "latency_mean_s", "1", ""),
        ("latency", "latency_mean_s", "", ""),
        ("mean_s", "latency_mean_s", "1", ""),
        ("Latency (ms)", "latency_mean_s", "0.001", ""),
        ("Latency, ms", "latency_mean_s", "0.001", ""),
        ("Latency / ms", "latency_mean_s", "0.001", ""),
        ("avgLatencyMs", "latency_mean_s", "0.001", ""),
        ("Latency (µs)", "latency_mean_s", "0.000001", ""),
        ("latency [\N{GREEK SMALL LETTER MU}s]", "latency_mean_s", "0.000001", ""),
        ("Latency (ms) ↓", "latency_mean_s", "0.001", ""),
        ("infer_step_time", "latency_mean_s", "", ""),
        ("Inference Time (ms/img)", "latency_mean_s", "0.001", "sample"),
        ("ms per image", "latency_mean_s", "0.001", "sample"),
        ("s/iter", "latency_mean_s", "1", "call"),
        ("latency per batch", "latency_mean_s", "", "call"),
        ("std", "latency_std_s", "", ""),
        ("stdev_ms", "latency_std_s", "0.001", ""),
        ("P99 ms", "latency_p99_s", "0.001", ""),
        ("99th percentile latency (ms)", "latency_p99_s", "0.001", ""),
        ("median_latency_us", "latency_median_s", "0.000001", ""),
        ("latency_ms_mean", "latency_mean_s", "0.001", ""),
        ("Latency (mean ± std, ms)", "latency_mean_s", "0.001", ""),
        ("Inference Speed (FPS)", "throughput_per_s", "1", ""),
        ("Energy (mJ)", "energy_per_inference_j", "0.001", ""),
        ("Energy/inference (J)", "energy_per_inference_j", "1", ""),
        ("J/img", "energy_per_inference_j", "1", "sample"),
        ("power_mW", "power_mean_w", "0.001", ""),
        ("Power draw [W]", "power_mean_w", "1", ""),
        ("Peak memory (MiB)", "peak_memory_bytes", "1048576", ""),
        ("Peak Mem (MB)", "peak_memory_bytes", "1000000", ""),
        ("Mem (M)", "peak_memory_bytes", "1000000", ""),
        ("memory", "peak_memory_bytes", "", ""),
        ("Peak GPU Memory [MiB]", "device_memory_bytes", "1048576", ""),
        ("Size (MB)", "artifact_bytes", "1000000", ""),
        ("FPS", "throughput_per_s", "1", ""),
        ("samples/sec", "throughput_per_s", "1", "sample"),
        ("infer_samples_per_sec", "throughput_per_s", "1", "sample"),
        ("Throughput (img/s)", "throughput_per_s", "1", "sample"),
        ("it/s", "throughput_per_s", "1", "call"),
        ("Params (M)", "parameters", "1000000", ""),
        ("#Params", "parameters", "", ""),
        ("GMACs", "macs", "1000000000", ""),
        ("mult-adds (M)", "macs", "1000000", ""),
        ("GFLOPs", "flops", "1000000000", ""),
        ("FLOPs (B)", "flops", "1000000000", ""),
        ("Top-1", "accuracy", "", ""),
        ("ImageNet Top-1 (%)", "accuracy", "0.01", ""),
        ("mAP<sup>val<br>50-95", "accuracy", "", ""),
        ("batch", "batch_size", "", ""),
        ("BS", "batch_size", "", ""),
        ("BatchSize", "batch_size", "", ""),
        ("infer_batch_size", "batch_size", "", ""),
        ("img_size", "input_size", "", ""),
        ("seq_len", "input_size", "", ""),
        ("size<br><sup>(pixels)", "input_size", "", ""),
        ("Board", "device_name", "", ""),
        ("runtime", "backend", "", ""),
        ("Runtime (ms)", "latency_mean_s", "0.001", ""),
        ("dtype", "precision", "", ""),
        ("num_threads", "threads", "", ""),
    ],
)
def test_names_that_people_use(name, field, factor, per):
    assert meaning(name) == (field, factor, per)


@pytest.mark.parametrize(
    "name",
    [
        *("comment", "latency (%)", "µ", "tokens/s", "throughput (tokens/s)", "timestamp", "notes"),
        *("ENC_LAT", "preprocess_ms", "Latency (batch=8)", "latency_bs8_ms", "top1_err", "", "()"),
        *("cpu latency (ms)", "status", "run_id"),
    ],
)
def test_what_is_not_understood_has_no_meaning(name):
    assert meaning(name) is None


def test_every_field_of_the_record_goes_by_its_own_name_in_an_export():
    for field in FIELDS:
        (found,) = meanings(field, ours=True)
        assert found.field == field
        assert found.unit is None or found.unit.factor == Decimal(1)
