"""The CSV of timm's `benchmark.py` and `validate.py`.

A step is a batch, in milliseconds; parameters are in millions, operations in GMACs; accuracies in
percent. What it says of training is another thing, and left out.
"""

from __future__ import annotations

from dataclasses import replace

from inferometer.store.tables.delimited import read_delimited
from inferometer.store.tables.objects import read_objects
from inferometer.store.tables.table import Reader, Source, Table

_MEANS = {
    "infer_step_time": "latency_ms",
    "infer_samples_per_sec": "throughput",
    "infer_batch_size": "batch_size",
    "infer_img_size": "input_size",
    "img_size": "input_size",
    "param_count": "params (M)",
    "infer_gmacs": "gmacs",
    "top1": "top1 (%)",
}
"""Those that come first go before those that mean the same."""


def _recognises(source: Source) -> bool:
    header = source.text[:2000]
    return "infer_samples_per_sec" in header or (
        "param_count" in header and ("infer_step_time" in header or "top1_err" in header)
    )


def _read(source: Source) -> Table:
    if source.data is not None:
        table = read_objects(source.path, source.data)
    else:
        table = read_delimited(source.path, source.text)
    return replace(table, means=_MEANS, format="a table of timm")


READER = Reader(
    name="timm", title="results of timm's benchmark.py", recognises=_recognises, read=_read
)
