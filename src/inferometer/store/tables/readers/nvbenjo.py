"""The CSV of nvbenjo: a row for each batch that was timed, in seconds."""

from __future__ import annotations

from dataclasses import replace

from inferometer.store.tables.delimited import read_delimited
from inferometer.store.tables.table import Reader, Source, Table

_MEANS = {
    "time_inference": "latency_s",
    "gpu_memory_bytes": "device_memory_bytes",
    "device": "target",
}


def _recognises(source: Source) -> bool:
    header = source.text[:2000].partition("\n")[0]
    return source.data is None and "time_inference" in header and "batch_size" in header


def _read(source: Source) -> Table:
    table = read_delimited(source.path, source.text)
    return replace(table, means=_MEANS, format="CSV of nvbenjo")


READER = Reader(name="nvbenjo", title="CSV of nvbenjo", recognises=_recognises, read=_read)
