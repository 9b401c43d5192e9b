"""One tensor as it was: where it lies, what is in it, and its gradient's place."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import torch

COPIED_BYTES = 1 << 30
"""The content of larger tensors is not copied, and so not put back."""


class TensorState:
    """A tensor as it is now.

    Args:
        tensor: of any kind; what of it cannot be read is not put back.
    """

    def __init__(self, tensor: torch.Tensor) -> None:
        self._tensor = tensor
        self._requires_grad = tensor.requires_grad
        self._grad = tensor.grad if tensor.is_leaf else None
        self._data = tensor.data
        self._version = _version(tensor)
        self._attributes = dict(vars(tensor))
        self._copy: torch.Tensor | None = None
        small = tensor.numel() * tensor.element_size() <= COPIED_BYTES
        if small and not tensor.is_meta and not tensor.is_inference():
            with torch.no_grad(), suppress(RuntimeError, NotImplementedError):
                self._copy = tensor.data.clone()

    def restore(self) -> None:
        """Put it back."""
        tensor = self._tensor
        self._restore_place()
        self._restore_content()
        if tensor.is_leaf:
            if tensor.grad is not self._grad:
                tensor.grad = self._grad
            if tensor.requires_grad != self._requires_grad:
                tensor.requires_grad_(self._requires_grad)
        if _differ(vars(tensor), self._attributes):
            vars(tensor).clear()
            vars(tensor).update(self._attributes)

    def _restore_place(self) -> None:
        """Where `.data` was replaced."""
        with suppress(RuntimeError, NotImplementedError):
            if (
                self._tensor.data_ptr() != self._data.data_ptr()
                or self._tensor.shape != self._data.shape
            ):
                self._tensor.data = self._data

    def _restore_content(self) -> None:
        """Where it was written into; never otherwise: it may lie in memory that is only read."""
        copy: Any = self._copy
        if copy is None:
            return
        with torch.no_grad(), suppress(NotImplementedError):
            same = _version(self._tensor) == self._version and _same(self._tensor.data, copy)
            if not same:
                self._tensor.data.copy_(copy)


def _version(tensor: torch.Tensor) -> int | None:
    return None if tensor.is_inference() else tensor._version  # noqa: SLF001 - no public one


def _same(one: torch.Tensor, two: torch.Tensor) -> bool:
    """Whether two tensors hold the same; NaN is NaN."""
    if one.layout != torch.strided or one.is_quantized:
        return False
    if torch.equal(one, two):
        return True
    if not (one.is_floating_point() or one.is_complex()):
        return False
    return bool(((one == two) | (one.isnan() & two.isnan())).all())


def _differ(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two mappings hold other objects; comparing tensors would compare their elements."""
    return one.keys() != two.keys() or any(one[name] is not two[name] for name in two)
