"""Inputs of an ExecuTorch file: a flatbuffer, after its program.fbs."""

from __future__ import annotations

from pathlib import Path

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.models.files.flatbuffer import Flatbuffer, opened
from inferometer.models.inputs.axes import Declared

_METHOD = "forward"
_PLANS = 1
_NAME, _VALUES, _INPUTS = 0, 2, 3
_TENSOR = 5
_DTYPES = {
    0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64", 5: "float16", 6: "float32",
    7: "float64", 11: "bool", 15: "bfloat16", 27: "uint16", 28: "uint32", 29: "uint64",
}  # fmt: skip


def inputs_of(path: Path) -> list[Declared]:
    """Inputs of the method `forward`; the file has no names, and of open axes their largest length.

    Raises:
        EOFError: the file is damaged.
        WorkloadError: (unsupported) it has no such method, or one that takes more than tensors.
    """
    with opened(path) as found:
        plans = found.tables(found.target(0), _PLANS)
        plan = next((one for one in plans if found.text(one, _NAME) == _METHOD), None)
        if plan is None:
            raise WorkloadError("unsupported", f"{shown(path)} has no method called {_METHOD}")
        values = found.tables(plan, _VALUES)
        return [
            _declared(found, values[at], f"input{number}", path)
            for number, at in enumerate(found.wholes(plan, _INPUTS))
        ]


def _declared(found: Flatbuffer, value: int, name: str, path: Path) -> Declared:
    tensor = found.table(value, 1)
    if tensor is None or found.whole(value, 0, "B") != _TENSOR:
        raise WorkloadError(
            "unsupported", f"{shown(path)} takes an input that is not a tensor: {name}"
        )
    kind = found.whole(tensor, 0, "b")
    return Declared(
        name=name, axes=found.wholes(tensor, 2), dtype=_DTYPES.get(kind, f"type {kind}")
    )
