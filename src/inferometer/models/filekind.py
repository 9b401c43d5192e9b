"""Tell what a model file holds by looking at its content. Imports no runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.shown import shown
from inferometer.models.guards.archive import members, without_top
from inferometer.models.guards.exported import OLD_PROGRAM
from inferometer.models.guards.refusal import damaged
from inferometer.models.paths import require_file

FileKind = Literal["torchscript", "exported", "pickle", "safetensors"]
"""`pickle` is what `torch.save` writes: weights alone, or a whole module."""

READABLE = (
    "TorchScript (.pt, .ts), torch.export (.pt2), or weights of a catalogue model "
    "(.pt, .pth, .safetensors)"
)

FOREIGN = {
    ".onnx": "ONNX",
    ".tflite": "LiteRT",
    ".xml": "OpenVINO",
    ".pte": "ExecuTorch",
    ".engine": "TensorRT",
    ".plan": "TensorRT",
    ".h5": "Keras",
    ".keras": "Keras",
    ".pb": "TensorFlow",
    ".mlmodel": "Core ML",
    ".mlpackage": "Core ML",
    ".mnn": "MNN",
    ".param": "ncnn",
    ".gguf": "GGUF",
}
"""Suffixes of formats that no backend here runs."""

_HEADER_LENGTH_BYTES = 8


def check_file(path: Path) -> None:
    """Check that a model file is there, and that its suffix is not that of another runtime.

    Raises:
        ModelReferenceError: it is not so.
    """
    suffix = path.suffix.lower()
    if suffix in FOREIGN:
        raise ModelReferenceError(
            f"{shown(path)}: {FOREIGN[suffix]} files cannot be run; files that can: {READABLE}"
        )
    require_file(path)


def file_kind(path: Path) -> FileKind:
    """What a file holds, by its content.

    Raises:
        WorkloadError: (bad_model) it is empty, cut short, unreadable, or nothing that we know.
    """
    try:
        require_file(path)  # what is no file would be waited for
        with path.open("rb") as file:
            start = file.read(_HEADER_LENGTH_BYTES + 1)
    except (OSError, ModelReferenceError) as error:
        raise WorkloadError("bad_model", f"{shown(path)} cannot be read: {error}") from error
    if not start:
        raise damaged(path, "is empty")
    if start.startswith(b"PK"):
        return _zip_kind(path)
    if start.startswith(b"\x80"):
        return "pickle"
    if start[_HEADER_LENGTH_BYTES:] == b"{":
        return "safetensors"
    raise damaged(path, f"is not a model file; files that can run: {READABLE}")


def _zip_kind(path: Path) -> FileKind:
    names = {without_top(name) for name in members(path)}
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    if names & {"archive_format", OLD_PROGRAM}:
        return "exported"
    if "data.pkl" in names:
        return "pickle"
    raise damaged(path, f"is an archive without a model; files that can run: {READABLE}")
