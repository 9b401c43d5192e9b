"""The JSON of pytest-benchmark: seconds of a test's calls, each test a model.

A parameter `model` names the model, `batch_size` and the like say the rest; without, the test's
name is taken.
"""

from __future__ import annotations

from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.names import meanings
from inferometer.store.tables.objects import first_key
from inferometer.store.tables.table import Reader, Source, Table, table_of

_STATISTICS = {"mean": "latency_s", "stddev": "std_s", "median": "median_s", "min": "min_s",
               "max": "max_s", "rounds": "latency_calls"}  # fmt: skip


def _recognises(source: Source) -> bool:
    rows = first_key(source.data, "benchmarks")
    if not isinstance(rows, list) or not rows:
        return False
    return all(isinstance(first_key(row, "stats"), dict) for row in rows)


def _read(source: Source) -> Table:
    """A row for each test.

    Raises:
        ImportFileError: there is none.
    """
    tests = first_key(source.data, "benchmarks")
    if not _recognises(source):
        raise ImportFileError(f"{shown(source.path)}: no benchmarks with stats in it")
    machine = first_key(source.data, "machine_info", "cpu", "brand_raw") or first_key(
        source.data, "machine_info", "machine"
    )
    rows = [_row(test, machine) for test in tests]
    return table_of(source.path, rows, title="JSON of pytest-benchmark")


def _row(test: dict[str, Any], machine: object) -> dict[str, Any]:
    row: dict[str, Any] = {"model": str(test.get("name") or test.get("fullname") or "")}
    for part in (test.get("params"), test.get("extra_info")):
        for name, value in part.items() if isinstance(part, dict) else ():
            known = {meaning.field for meaning in meanings(name)}
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                row["model" if "model" in known else name] = value
    stats = test["stats"]
    row |= {name: stats[key] for key, name in _STATISTICS.items() if stats.get(key) is not None}
    if isinstance(machine, str) and machine:
        row["device"] = machine
    return row


READER = Reader(
    name="pytest_benchmark", title="JSON of pytest-benchmark", recognises=_recognises, read=_read
)
