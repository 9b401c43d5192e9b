"""The reports of Hugging Face's optimum-benchmark: `benchmark.json`, `benchmark_report.json`.

`forward` (or `prefill`, `call`, `decode` of generating models) is told by call; energies are
kilowatt-hours of a call, memory is megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.objects import first_key
from inferometer.store.tables.table import Reader, Source, Table, table_of

_STAGES = ("forward", "prefill", "decode", "call", "generate")
_STATISTICS = {"mean": "latency_s", "stdev": "std_s", "p50": "median_s", "p90": "p90_s",
               "p95": "p95_s", "p99": "p99_s", "count": "latency_calls"}  # fmt: skip


def _recognises(source: Source) -> bool:
    return any(
        isinstance(first_key(_report(source.data), stage, "latency"), dict) for stage in _STAGES
    )


def _report(data: Any) -> Any:  # noqa: ANN401 - whatever stands in a JSON file
    return first_key(data, "report") or data


def _read(source: Source) -> Table:
    """A row for each stage that was measured.

    Raises:
        ImportFileError: there is none.
    """
    rows = list(_rows(source.data))
    if not rows:
        raise ImportFileError(f"{shown(source.path)}: no stage with a latency in it")
    return table_of(source.path, rows, title="a report of optimum-benchmark")


def _rows(data: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    report = _report(data)
    stages = [stage for stage in _STAGES if isinstance(first_key(report, stage, "latency"), dict)]
    for stage in stages:
        part = report[stage]
        row = _config(first_key(data, "config"))
        if len(stages) > 1:
            row["stage"] = stage
        latency = part["latency"]
        row |= {
            name: latency[key] for key, name in _STATISTICS.items() if latency.get(key) is not None
        }
        if first_key(part, "throughput", "unit") == "samples/s":
            row["throughput"] = part["throughput"].get("value")
        if first_key(part, "energy", "unit") == "kWh" and first_key(part, "energy", "total"):
            row["energy_kwh_per_batch"] = part["energy"]["total"]
        if first_key(part, "memory", "unit") == "MB":
            row["peak_memory_mb"] = first_key(part, "memory", "max_ram")
            row["device_memory_mb"] = first_key(part, "memory", "max_reserved")
        yield {name: value for name, value in row.items() if value is not None}


def _config(config: Any) -> dict[str, Any]:  # noqa: ANN401
    row = {
        "model": first_key(config, "backend", "model") or first_key(config, "name"),
        "backend": first_key(config, "backend", "name"),
        "target": first_key(config, "backend", "device"),
        "precision": first_key(config, "backend", "torch_dtype")
        or first_key(config, "backend", "dtype"),
        "threads": first_key(config, "backend", "intra_op_num_threads"),
        "batch_size": first_key(config, "scenario", "input_shapes", "batch_size"),
        "seq_len": first_key(config, "scenario", "input_shapes", "sequence_length"),
        "device": str(first_key(config, "environment", "cpu") or "").strip() or None,
    }
    gpus = first_key(config, "environment", "gpu")
    if str(row["target"]).startswith("cuda") and isinstance(gpus, list) and gpus:
        row["device"] = str(gpus[0])
    return {name: value for name, value in row.items() if isinstance(value, str | int | float)}


READER = Reader(
    name="optimum_benchmark",
    title="report of optimum-benchmark",
    recognises=_recognises,
    read=_read,
)
