"""What LiteRT's `benchmark_model` prints, one or several runs of it, also as logcat keeps it.

Figures of the calls that count stand in the last line that begins with `count=` of a run (those
before are warm-up); times are in microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.table import Reader, Source, Table, table_of

_GRAPH = re.compile(r"(?:Graph: \[|Loaded model |--graph=)([^\]\s]+)")
_THREADS = re.compile(
    r"(?i:num threads: \[|#threads used for CPU inference: \[|--num_threads=)(\d{1,6})"
)
_COUNTS = re.compile(r"count=(\d+)((?: \w+=[\d.e+-]+)*)")
_SUMMARY = re.compile(
    r"Inference timings in us: Init: ([\d.e+]+), First inference: ([\d.e+]+)"
    r"(?:, Warmup \(avg\): [\d.e+]+)?, Inference \(avg\): ([\d.e+]+)"
)
_PEAK = re.compile(
    r"(?:Overall p|P)eak memory footprint \(MB\)[^:]*: (?:init=[\d.e+-]+ overall=)?([\d.e+]+)"
)
_DELEGATES = (
    (re.compile(r"(?i)use gpu: \[1\]|--use_gpu=true"), "gpu"),
    (re.compile(r"(?i)use nnapi: \[1\]|--use_nnapi=true"), "nnapi"),
    (re.compile(r"(?i)use hexagon: \[1\]|--use_hexagon=true"), "hexagon"),
)
_FIELDS = {"avg": "latency_us", "std": "std_us", "min": "min_us", "max": "max_us",
           "median": "median_us", "p95": "p95_us"}  # fmt: skip


def _recognises(source: Source) -> bool:
    return source.data is None and _SUMMARY.search(source.text) is not None


def _read(source: Source) -> Table:
    """Each summary ends a run.

    Raises:
        ImportFileError: a run names no model.
    """
    rows = list(_rows(source))
    if not rows:
        raise ImportFileError(f"{shown(source.path)}: no line 'Inference timings in us' in it")
    return table_of(source.path, rows, title="output of benchmark_model (LiteRT)")


def _rows(source: Source) -> Iterator[dict[str, Any]]:
    begins = 0
    told: dict[str, Any] = {}
    ends = [*(found.end() for found in _SUMMARY.finditer(source.text)), len(source.text)]
    for found, after in zip(_SUMMARY.finditer(source.text), ends[1:], strict=True):
        text = source.text[begins : found.start()]
        told = told | _told(text)
        row = {**told, "latency_us": found[3], "load_us": found[1], "first_call_us": found[2]}
        counts = list(_COUNTS.finditer(text))
        if counts:
            pairs = dict(part.split("=") for part in counts[-1][2].split())
            row |= {_FIELDS[name]: value for name, value in pairs.items() if name in _FIELDS}
            row |= {"latency_calls": counts[-1][1]}
        peak = _PEAK.search(source.text, found.end(), min(after, found.end() + 1000))
        if peak is not None and peak[1].strip("0."):  # zero where it was not watched
            row["peak_memory_mib"] = peak[1]
        yield row
        begins = found.end()


def _told(text: str) -> dict[str, Any]:
    """What a run says of itself before its figures."""
    found: dict[str, Any] = {"backend": "litert"}
    graph = list(_GRAPH.finditer(text))
    if graph:
        found["model"] = PurePosixPath(graph[-1][1]).name.removesuffix(".tflite")
        delegates = [name for pattern, name in _DELEGATES if pattern.search(text)]
        found["target"] = delegates[0] if delegates else "cpu"
    threads = list(_THREADS.finditer(text))
    if threads and int(threads[-1][1]) > 0:
        found["threads"] = threads[-1][1]
    return found


READER = Reader(
    name="benchmark_model",
    title="output of LiteRT's benchmark_model",
    recognises=_recognises,
    read=_read,
)
