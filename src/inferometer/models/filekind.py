"""Tell what a model file holds by looking at its content. Imports no runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.format import Format
from inferometer.core.shown import shown
from inferometer.models.foreign import foreign_format
from inferometer.models.guards.archive import members, without_top
from inferometer.models.guards.exported import OLD_PROGRAM
from inferometer.models.guards.refusal import damaged
from inferometer.models.paths import is_file, is_folder, require_file

FileKind = Format | Literal["pickle", "safetensors"]
"""A format, or what holds tensors; `pickle` is what `torch.save` writes: weights, or a module."""

READABLE = (
    "TorchScript (.pt, .ts), torch.export (.pt2), ONNX, TFLite, ExecuTorch, OpenVINO IR, ncnn, "
    "MNN, or weights of a catalogue model (.pt, .pth, .safetensors)"
)

MEANT = {
    ".onnx": Format.ONNX,
    ".tflite": Format.TFLITE,
    ".xml": Format.OPENVINO_IR,
    ".pte": Format.EXECUTORCH,
    ".engine": Format.TENSORRT,
    ".plan": Format.TENSORRT,
    ".h5": Format.KERAS,
    ".keras": Format.KERAS,
    ".pb": Format.TENSORFLOW,
    ".mlmodel": Format.COREML,
    ".mlpackage": Format.COREML,
    ".mnn": Format.MNN,
    ".param": Format.NCNN,
    ".gguf": Format.GGUF,
}
"""What the name of a file says that it holds: only for messages about one that does not."""

OPENED_WITH = {
    Format.TORCH_MODULE: "torch",
    Format.TORCHSCRIPT: "torch",
    Format.EXPORTED_PROGRAM: "torch",
    Format.ONNX: "onnx",
}
"""The package that a file of a format is opened with, which is an extra of the same name too."""

_FOLDERS = {
    "Data/com.apple.CoreML/model.mlmodel": Format.COREML,
    "saved_model.pb": Format.TENSORFLOW,
}
"""A file in a folder that is a model → its format."""

_HEADER_LENGTH_BYTES = 8


def format_with(kind: FileKind) -> Format:
    """The format of the model that is made of what a file holds."""
    return kind if isinstance(kind, Format) else Format.TORCH_MODULE


def file_format(path: Path) -> Format:
    """The format of the model that a file holds.

    Raises:
        WorkloadError: as `file_kind`.
    """
    return format_with(file_kind(path))


def file_kind(path: Path) -> FileKind:
    """What a file holds, by its content.

    Raises:
        WorkloadError: (bad_model) it is empty, cut short, unreadable, or nothing that we know.
    """
    for inside, kind in _FOLDERS.items():
        if is_folder(path) and is_file(path / inside):
            return kind
    try:
        require_file(path)  # what is no file would be waited for
        with path.open("rb") as file:
            start = file.read(_HEADER_LENGTH_BYTES + 1)
        found = _kind(path, start)
    except (OSError, ModelReferenceError) as error:
        raise WorkloadError("bad_model", f"{shown(path)} cannot be read: {error}") from error
    if found is not None:
        return found
    meant = MEANT.get(path.suffix.lower())
    if meant is not None:
        raise damaged(
            path, f"is no {meant.value} file, nor one of another model, or it is cut short"
        )
    raise damaged(path, f"is not a model file; files that can run: {READABLE}")


def _kind(path: Path, start: bytes) -> FileKind | None:
    if not start:
        raise damaged(path, "is empty")
    if start.startswith(b"PK"):
        return _zip_kind(path)
    if start.startswith(b"\x80"):
        return "pickle"
    found = foreign_format(path)
    is_json = start[_HEADER_LENGTH_BYTES:] == b"{"  # which no other format has at this place
    return "safetensors" if found is None and is_json else found


def _zip_kind(path: Path) -> FileKind:
    names = {without_top(name) for name in members(path)}
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return Format.TORCHSCRIPT
    if names & {"archive_format", OLD_PROGRAM}:
        return Format.EXPORTED_PROGRAM
    if "data.pkl" in names:
        return "pickle"
    if {"config.json", "model.weights.h5"} <= names:
        return Format.KERAS
    raise damaged(path, f"is an archive without a model; files that can run: {READABLE}")
