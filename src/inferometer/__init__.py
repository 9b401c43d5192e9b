"""Measures what a neural network's inference costs on the device in front of you.

import inferometer as im

record = im.measure(module, inputs)
costing = im.cost("resnet18", batch=8)
result = im.run_study("lab", store="inferometer.db")
im.compare("latest", by="model")
result = im.read_run("latest")
store = im.open_store("inferometer.db")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferometer.api import compare, cost, measure, open_store, read_run, run_study
    from inferometer.core.costing import Costing
    from inferometer.core.procedure import Procedure
    from inferometer.core.record import Record
    from inferometer.core.result import StudyResult
    from inferometer.core.sweep import Block, Study, Sweep

__version__ = "0.1.0"

_HOMES = {
    "compare": "inferometer.api",
    "cost": "inferometer.api",
    "measure": "inferometer.api",
    "open_store": "inferometer.api",
    "read_run": "inferometer.api",
    "run_study": "inferometer.api",
    "Costing": "inferometer.core.costing",
    "Procedure": "inferometer.core.procedure",
    "Record": "inferometer.core.record",
    "StudyResult": "inferometer.core.result",
    "Block": "inferometer.core.sweep",
    "Study": "inferometer.core.sweep",
    "Sweep": "inferometer.core.sweep",
}

__all__ = [
    "Block",
    "Costing",
    "Procedure",
    "Record",
    "Study",
    "StudyResult",
    "Sweep",
    "__version__",
    "compare",
    "cost",
    "measure",
    "open_store",
    "read_run",
    "run_study",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has that name
    """Import public names when they are first used: the command line must start at once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'inferometer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
