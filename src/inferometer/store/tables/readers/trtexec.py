"""What TensorRT's `trtexec` prints, and its `--exportTimes`.

The latency is that of a query with its transfers, as the tool calls it; queries are calls, of which
the batch size stands in the shapes of `--shapes` or `--optShapes`, where it does.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.table import Reader, Source, Table, table_of

_SUMMARY = re.compile(r"^(?:[^\n]{0,80}\] )?[ \t]*Latency: (min = [^\n]+)", re.MULTILINE)
_RATE = re.compile(r"Throughput: ([\d.e+]+) qps")
_STATISTIC = re.compile(r"(min|max|mean|median|percentile\((\d+)%\)) = ([\d.e+-]+) ms")
_MODEL = re.compile(r"--(?:onnx|loadEngine|uff|model|deploy)=(\S+)")
_SHAPES = re.compile(r"--(?:shapes|optShapes)=\S*?:(\d{1,6})x")
_BATCH = re.compile(r"--batch=(\d{1,6})")
_NAMES = {"min": "min_ms", "max": "max_ms", "mean": "latency_ms", "median": "median_ms"}
_PERCENTILES = ("90", "95", "99")


def _recognises(source: Source) -> bool:
    if source.data is not None:
        rows = source.data if isinstance(source.data, list) else []
        return (
            bool(rows) and isinstance(rows[0], dict) and {"latencyMs", "computeMs"} <= set(rows[0])
        )
    return _RATE.search(source.text) is not None and _SUMMARY.search(source.text) is not None


def _read(source: Source) -> Table:
    """A row for each summary; of exported times, one for each query.

    Raises:
        ImportFileError: it has no figure.
    """
    if source.data is not None:
        return _times(source)
    rows = []
    begins = 0
    for found in _SUMMARY.finditer(source.text):
        rows.append(_row(source.text[begins : found.start()], found[1]))
        begins = found.end()
    if not rows:
        raise ImportFileError(f"{shown(source.path)}: no line 'Latency: min = …' of trtexec in it")
    return table_of(source.path, rows, title="output of trtexec (TensorRT)")


def _row(before: str, latency: str) -> dict[str, Any]:
    row: dict[str, Any] = {"backend": "tensorrt", "target": "cuda"}
    for name, percentile, value in _STATISTIC.findall(latency):
        if percentile in _PERCENTILES:
            row[f"p{percentile}_ms"] = value
        elif name in _NAMES:
            row[_NAMES[name]] = value
    model = _MODEL.findall(before)
    if model:
        row["model"] = PurePosixPath(model[-1].replace("\\", "/")).name
    batch = _SHAPES.findall(before) or _BATCH.findall(before)
    if batch and int(batch[-1]) > 0:
        row["batch_size"] = batch[-1]
    rate = _RATE.findall(before)
    if rate:
        row["qps (queries/s)"] = rate[-1]
    for flag in ("--int8", "--best", "--fp16", "--bf16", "--fp8"):
        if re.search(rf"{flag}\b", before):
            row["precision"] = flag.strip("-")
            break
    return row


def _times(source: Source) -> Table:
    rows = [
        {"latency_ms": one.get("latencyMs"), "backend": "tensorrt", "target": "cuda"}
        for one in source.data if isinstance(one, dict) and one.get("latencyMs") is not None
    ]  # fmt: skip
    notes = ("each query is a row; one model ran: --constant model=NAME names it",)
    return table_of(source.path, rows, title="times of trtexec (TensorRT)", notes=notes)


READER = Reader(
    name="trtexec",
    title="output of TensorRT's trtexec, or its --exportTimes",
    recognises=_recognises,
    read=_read,
)
