"""The report of OpenVINO's `benchmark_app`: `benchmark_report.csv` or `.json`, or what it prints.

Its `throughput` counts samples; `latency` is the median of a request. Requests that run side by
side wait for each other, so that their number is kept.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.objects import first_key
from inferometer.store.tables.table import Reader, Source, Table, table_of

_PARTS = ("Command line parameters", "Configuration setup", "Execution results")
_PRINTED = re.compile(r"\[ ?INFO ?\]\s+(Median|Average|Min|Max|Throughput|Count):\s+([\d.]+)")
_NAMES = {
    **dict.fromkeys(("latency (ms)", "latency_50", "latency_median", "Median"), "median_ms"),
    **dict.fromkeys(("avg latency", "latency_avg", "latency_average", "Average"), "latency_ms"),
    **dict.fromkeys(("min latency", "latency_min", "Min"), "min_ms"),
    **dict.fromkeys(("max latency", "latency_max", "Max"), "max_ms"),
    **dict.fromkeys(("throughput", "Throughput"), "throughput"),
    **dict.fromkeys(("total number of iterations", "iterations_num", "Count"), "latency_calls"),
    **dict.fromkeys(("batch size", "batch_size"), "batch_size"),
    **dict.fromkeys(("number of parallel infer requests", "parallel_infer_requests"), "requests"),
    **dict.fromkeys(("target device", "target_device"), "target"),
    "first inference time (ms)": "first_call_ms",
    "compile model time (ms)": "load_ms",
    "topology": "model",
}


def _recognises(source: Source) -> bool:
    if source.data is not None:
        return isinstance(source.data, dict) and "execution_results" in source.data
    text = source.text[:20_000]
    return all(part in text for part in _PARTS[1:]) or (
        "[Step 11/11]" in source.text and _PRINTED.search(source.text) is not None
    )


def _read(source: Source) -> Table:
    """One row.

    Raises:
        ImportFileError: it has no figure.
    """
    told = _json(source.data) if source.data is not None else _text(source.text)
    row: dict[str, Any] = {"backend": "openvino"}
    for name, value in told.items():
        if name in _NAMES and value not in ("", "NOT SPECIFIED", None):
            row[_NAMES[name]] = value
    model = (
        told.get("m") or told.get("-m") or told.get("path_to_model") or told.get("--path_to_model")
    )
    if model:
        row["model"] = PurePath(str(model).replace("\\", "/")).name.removesuffix(".xml")
    if "median_ms" not in row and "latency_ms" not in row and "throughput" not in row:
        raise ImportFileError(f"{shown(source.path)}: a report of benchmark_app without a figure")
    return table_of(source.path, [row], title="a report of benchmark_app (OpenVINO)")


def _text(text: str) -> dict[str, str]:
    told = {key.strip(): value.strip() for key, sign, value in
            (line.partition(";") for line in text.splitlines()) if sign}  # fmt: skip
    told |= dict(_PRINTED.findall(text))
    for pattern, name in (
        (r"-m[ =](\S+)", "m"),
        (r"(?i)\[ ?INFO ?\] (?:model )?batch size: (\d+)", "batch size"),
    ):
        found = re.search(pattern, text)
        if found is not None:
            told.setdefault(name, found[1])
    return told


def _json(data: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever stands in a JSON file
    told: dict[str, Any] = {}
    for part in ("cmd_options", "configuration_setup", "execution_results"):
        found = first_key(data, part)
        told |= found if isinstance(found, dict) else {}
    return told


READER = Reader(
    name="benchmark_app",
    title="report of OpenVINO's benchmark_app",
    recognises=_recognises,
    read=_read,
)
