"""What files of models say of their inputs; read without their runtimes. Nothing in them is run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from inferometer.core.format import Format
from inferometer.models.guards.refusal import blaming
from inferometer.models.inputs.axes import Declared

_READERS = {
    Format.TFLITE: "tflite",
    Format.EXECUTORCH: "executorch",
    Format.OPENVINO_IR: "openvino",
    Format.MNN: "mnn",
    Format.NCNN: "ncnn",
}


def inputs_in(path: Path, kind: Format) -> list[Declared]:
    """The inputs that a file declares; none where nothing reads such files.

    Raises:
        WorkloadError: (bad_model) it is damaged; (unsupported) nothing can be told of it.
    """
    if kind not in _READERS:
        return []
    module = import_module(f"{__name__}.{_READERS[kind]}")
    read: Callable[[Path], list[Declared]] = module.inputs_of
    with blaming(path, "is damaged"):
        return read(path)
