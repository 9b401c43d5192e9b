"""Tell what a model file holds by looking at its content. Imports no runtime."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Literal

from inferometer.core.errors import ModelReferenceError, WorkloadError

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
            f"{path}: {FOREIGN[suffix]} files cannot be run; files that can: {READABLE}"
        )
    if path.is_dir():
        raise ModelReferenceError(f"{path} is a folder, not a model file")
    if not path.is_file():
        raise ModelReferenceError(f"{path}: there is no such file")


def file_kind(path: Path) -> FileKind:
    """What a file holds, by its content.

    Raises:
        WorkloadError: (bad_model) it is empty, cut short, unreadable, or nothing that we know.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER_LENGTH_BYTES + 1)
    except OSError as error:
        raise WorkloadError("bad_model", f"{path} cannot be read: {error.strerror}") from error
    if not start:
        raise WorkloadError("bad_model", f"{path} is empty")
    if start.startswith(b"PK"):
        return _zip_kind(path)
    if start.startswith(b"\x80"):
        return "pickle"
    if start[_HEADER_LENGTH_BYTES:] == b"{":
        return "safetensors"
    raise WorkloadError("bad_model", f"{path} is not a model file; files that can run: {READABLE}")


def _zip_kind(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {_inside(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError) as error:
        raise WorkloadError("bad_model", f"{path} is cut short or damaged: {error}") from error
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    if names & {"archive_format", "serialized_exported_program.json"}:
        return "exported"
    if "data.pkl" in names:
        return "pickle"
    raise WorkloadError(
        "bad_model", f"{path} is an archive without a model; files that can run: {READABLE}"
    )


def _inside(name: str) -> str:
    """A member's path without the archive's top folder, where it has one."""
    parts = PurePosixPath(name).parts
    return "/".join(parts[1:]) if len(parts) > 1 else name
