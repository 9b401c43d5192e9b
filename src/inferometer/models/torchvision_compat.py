"""Import torchvision even where its compiled operators do not load.

The torchvision of a package index is built for CUDA; beside a CPU build of torch its library does
not load, and the import then fails on operators that the models do not need.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")

_kept: list[Any] = []
"""The library that holds the schemas: torch forgets them when it is collected."""


def import_torchvision() -> ModuleType:
    """Import torchvision; where its operators are missing, declare the two that its import needs.

    Raises:
        ImportError: torchvision is not installed, or cannot be imported for another reason;
            whatever else its import raises is passed on too.
    """
    try:
        return import_module("torchvision")
    except RuntimeError as error:
        if not _lacks_operators(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    return import_module("torchvision")


def import_torchvision_if_installed() -> None:
    """For packages that import torchvision themselves where they find it."""
    if find_spec("torchvision") is not None:
        import_torchvision()


def operators_missing() -> bool:
    """Whether the operators had to be declared: they can be named then, but not called."""
    return bool(_kept)


def _lacks_operators(error: RuntimeError) -> bool:
    return any(f"operator torchvision::{name} does not exist" in str(error) for name in _OPERATORS)


def _declare_operators() -> None:
    import torch

    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in _OPERATORS:
        library.define(name + _SIGNATURE)
    _kept.append(library)
