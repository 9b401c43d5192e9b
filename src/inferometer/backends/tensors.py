"""Inputs that come as arrays of NumPy, for models that take tensors of torch."""

from __future__ import annotations

import sys
from typing import Any

_NUMBERS = "biufc"
"""Kinds of elements that both libraries have."""


def is_numpy(leaf: object) -> bool:
    """Whether a value is an array of numbers of NumPy, which is not imported for a look."""
    numpy = sys.modules.get("numpy")
    is_array = numpy is not None and isinstance(leaf, numpy.ndarray)
    return is_array and leaf.dtype.kind in _NUMBERS  # type: ignore[attr-defined]


def as_tensor(leaf: Any) -> Any:  # noqa: ANN401 - inputs nest as they like
    """An array of NumPy as a tensor, in the same memory if that may be written to.

    Anything else stays as it is.
    """
    if not is_numpy(leaf):
        return leaf
    import numpy as np
    import torch

    return torch.from_numpy(np.require(leaf, requirements="W"))


def as_numpy(leaf: Any) -> Any:  # noqa: ANN401 - any leaf of an output
    """A tensor as an array in the processor's memory, bf16 in single precision; others as is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(leaf, torch.Tensor):
        return leaf
    leaf = leaf.detach()
    return (leaf.float() if leaf.dtype == torch.bfloat16 else leaf).cpu().numpy()
