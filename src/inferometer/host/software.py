"""Which versions are installed, by their metadata alone: nothing is imported."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "inferometer",
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "numpy",
    "scipy",
    "onnx",
    "onnxruntime",
    "openvino",
    "executorch",
    "ai-edge-litert",
    "ncnn",
    "MNN",
)
"""Distributions whose versions bear on a figure."""


def versions() -> dict[str, str]:
    """Version of Python and of each installed package of `PACKAGES`, by name."""
    installed = {name: installed_version(name) for name in PACKAGES}
    return {
        "python": platform.python_version(),
        **{name: found for name, found in installed.items() if found is not None},
    }


def installed_version(distribution: str) -> str | None:
    """Version of a distribution; None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
