"""The summary of MLPerf's LoadGen (`mlperf_log_summary.txt`).

A query is a call. Latencies of SingleStream and MultiStream are those of queries; in Server they
hold the wait in the queue, and in Offline they are times since the one query that holds all
samples, so that these two give rates alone.
"""

from __future__ import annotations

import re
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.table import Reader, Source, Table, table_of

_TITLE = "MLPerf Results Summary"
_LATENCIES = {
    "Min latency (ns)": "min_ns",
    "Max latency (ns)": "max_ns",
    "Mean latency (ns)": "latency_ns",
    "50.00 percentile latency (ns)": "median_ns",
    "90.00 percentile latency (ns)": "p90_ns",
    "95.00 percentile latency (ns)": "p95_ns",
    "99.00 percentile latency (ns)": "p99_ns",
}
_RATES = ("Samples per second", "Completed samples per second", "QPS w/o loadgen overhead",
          "Scheduled samples per second")  # fmt: skip
_PAIR = re.compile(r"^[ \t]*([^:\n]{2,60}?)[ \t]*:[ \t]*(\S[^\n]*?)[ \t]*$", re.MULTILINE)
_OF_A_QUERY = ("singlestream", "multistream", "multistreamfree")


def _recognises(source: Source) -> bool:
    return source.data is None and _TITLE in source.text[:200_000]


def _read(source: Source) -> Table:
    """A row for each summary in the file; the model is what the file does not tell.

    Raises:
        ImportFileError: it has no figure.
    """
    parts = source.text.split(_TITLE)[1:]
    found = [_row(dict(_PAIR.findall(part))) for part in parts]
    if not any("throughput" in row or "latency_ns" in row for row, _ in found):
        raise ImportFileError(f"{shown(source.path)}: a summary of LoadGen without a figure")
    notes = list(dict.fromkeys(note for _, told in found for note in told))
    title = "a summary of MLPerf's LoadGen"
    return table_of(source.path, [row for row, _ in found], title=title, notes=notes)


def _row(pairs: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    scenario = pairs.get("Scenario", "unknown")
    row: dict[str, Any] = {"scenario": scenario}
    notes = []
    if "SUT name" in pairs:
        row["SUT"] = pairs["SUT name"]
    per_query = pairs.get("samples_per_query", "1")
    if scenario.replace(" ", "").casefold() in _OF_A_QUERY:
        row |= {name: pairs[key] for key, name in _LATENCIES.items() if key in pairs}
        row["batch_size"] = per_query if per_query.isdecimal() and per_query != "0" else "1"
    else:
        notes.append(
            f"latencies of {shown(scenario)} are not those of calls (they wait for others)"
        )
    rate = next((pairs[name] for name in _RATES if name in pairs), None)
    if rate is not None and scenario.casefold() != "multistream":
        row["throughput"] = rate
    if not pairs.get("Result is", "VALID").startswith("VALID"):
        notes.append("LoadGen calls the result INVALID: it did not run as long as its rules ask")
    return row, notes


READER = Reader(
    name="loadgen", title="summary of MLPerf's LoadGen", recognises=_recognises, read=_read
)
