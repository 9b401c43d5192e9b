"""Arrays among inputs: tensors of torch and arrays of NumPy; neither is imported for a look."""

# ruff: noqa: ANN401 - a tensor or an array

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from inferometer.core.nested import leaves

IMAGE_AXES = 4
TOKEN_AXES = 2


def is_tensor(value: Any) -> TypeGuard[Any]:
    """Whether a value is a tensor of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: Any) -> TypeGuard[Any]:
    """Whether a value is a tensor of torch or an array of NumPy."""
    numpy = sys.modules.get("numpy")
    return is_tensor(value) or (numpy is not None and isinstance(value, numpy.ndarray))


def is_packed(value: object) -> bool:
    """Whether a value is torch's sequences of several lengths, which have no axis for the batch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.utils.rnn.PackedSequence)


def is_floating(array: Any) -> bool:
    """Whether the elements are floating."""
    return bool(array.is_floating_point()) if is_tensor(array) else array.dtype.kind == "f"


def is_whole(array: Any) -> bool:
    """Whether the elements are whole numbers or truth values."""
    if is_tensor(array):
        return not (array.is_floating_point() or array.is_complex())
    return array.dtype.kind in "iub"


def copied(leaf: Any) -> Any:
    """An array or packed sequences in memory of their own; anything else as it is."""
    if is_tensor(leaf):
        return leaf.detach().clone().requires_grad_(leaf.requires_grad)
    if is_array(leaf):
        return leaf.copy()
    if is_packed(leaf):
        return type(leaf)(*(copied(part) for part in leaf))
    return bytearray(leaf) if isinstance(leaf, bytearray) else leaf


def repeated(array: Any, batch_size: int) -> Any:
    """Rows of an array in turn, or the first of them, as many as the batch."""
    return array[[row % array.shape[0] for row in range(batch_size)]]


def repeated_packed(packed: Any, batch_size: int) -> Any:
    """Packed sequences in turn, or the first of them, as many as the batch."""
    from torch.nn.utils.rnn import pad_packed_sequence

    padded, lengths = pad_packed_sequence(packed, batch_first=True)
    rows = [row % len(lengths) for row in range(batch_size)]
    return packed_again(padded[rows], lengths[rows])


def packed_again(padded: Any, lengths: Any) -> Any:
    """Sequences of several lengths, packed."""
    from torch.nn.utils.rnn import pack_padded_sequence

    return pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)


def resized(array: Any, size: int) -> Any:
    """NxCxHxW → NxCxSxS, bilinear."""
    if tuple(array.shape[2:]) == (size, size):
        return array
    if is_tensor(array):
        import torch

        return torch.nn.functional.interpolate(
            array.detach(), size=(size, size), mode="bilinear", align_corners=False
        )
    return _interpolated(_interpolated(array, 2, size), 3, size)


def _interpolated(array: Any, axis: int, size: int) -> Any:
    """A NumPy array, linear along one axis between the centres of its elements."""
    import numpy as np

    length = array.shape[axis]
    place = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    below = place.astype(int)
    above = np.minimum(below + 1, length - 1)
    part = (place - below).reshape([-1 if other == axis else 1 for other in range(array.ndim)])
    low, high = array.take(below, axis), array.take(above, axis)
    return (low + (high - low) * part).astype(array.dtype)


def shape_text(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Shapes of all arrays in the arguments of a call, named where they have a name.

    `8x3x224x224`, or `input_ids=8x128, attention_mask=8x128`; `none` where there is no array.
    """
    return ", ".join(_parts(args, kwargs)) or "none"


def _parts(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[str]:
    for path, leaf in leaves((args, kwargs), ""):
        shape = getattr(leaf, "shape", None)
        if shape is None:
            continue
        # Paths look like `[0][1]` for the second positional, `[1].name` for a keyword.
        _, dot, name = path.partition(".")
        dimensions = "x".join(map(str, shape)) or "scalar"
        yield f"{name}={dimensions}" if dot else dimensions
