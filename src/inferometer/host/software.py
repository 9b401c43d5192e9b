"""Which versions are installed, by their metadata alone: nothing is imported."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from importlib.metadata import distributions

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


def versions(path: Sequence[str] | None = None) -> dict[str, str]:
    """Version of Python and of each installed package of `PACKAGES`, by name.

    Args:
        path: folders to look in, of another Python; None for those of this one.
    """
    installed = {name: installed_version(name, path) for name in PACKAGES}
    return {
        "python": platform.python_version(),
        **{name: found for name, found in installed.items() if found is not None},
    }


def installed_version(distribution: str, path: Sequence[str] | None = None) -> str | None:
    """Version of a distribution; None where it is not installed.

    Args:
        distribution: its name.
        path: folders to look in; None for those of this Python.
    """
    where = sys.path if path is None else list(path)
    found = next(iter(distributions(name=distribution, path=where)), None)
    return None if found is None else found.version
