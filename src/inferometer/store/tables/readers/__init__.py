"""Readers of the output of benchmark tools: one file each, which defines `READER`.

The first that recognises a file reads it, in the order of `_MODULES`; `--as NAME` names one. What
a reader gives are rows whose columns are called as on the left of `--map` (`latency_ms`, `model`,
`batch_size`); other names become axes where they tell rows apart.
"""

from __future__ import annotations

from importlib import import_module

from inferometer.store.tables.table import Reader

_MODULES = (
    "benchmark_model",
    "benchncnn",
    "loadgen",
    "benchmark_app",
    "trtexec",
    "pytest_benchmark",
    "optimum_benchmark",
    "nvbenjo",
    "timm",
)


def _reader(module: str) -> Reader:
    found: Reader = import_module(f"{__name__}.{module}").READER
    return found


READERS: tuple[Reader, ...] = tuple(map(_reader, _MODULES))
"""All of them, those first whose files are the least like others."""
