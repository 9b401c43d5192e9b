"""Looks at the values of a constant tensor for whether it is a mask, and remembers that in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inferometer.models.cost.onnx.tensor import Tensor, kind_name

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import TensorProto

HIDING = -100.0
"""What is added to a score to hide it is this or less: Swin takes -100, others minus infinity."""

MARK = "inferometer: its values hide and show"
"""Written into the description of a tensor, which copies keep when its values are dropped."""

LARGEST_BYTES = 2**26
"""Of a tensor that is looked at: a mask of 4,096 positions; to look at one is to copy it."""

_SAMPLE = 64
"""Elements that are looked at before all of them are."""

_TYPES = {"FLOAT": "<f4", "DOUBLE": "<f8", "FLOAT16": "<f2"}


def mark(tensor: TensorProto) -> None:
    """Remember of a tensor of floating numbers whether it is a mask.

    It is one where all its values are 0 or hide what they are added to, or are 0 and 1.

    Args:
        tensor: with its values; its description is written.
    """
    tensor.doc_string = ""
    if _hides(_values(tensor, _SAMPLE), whole=False) and _hides(_values(tensor)):
        tensor.doc_string = MARK


def is_marked(tensor: TensorProto) -> bool:
    """Whether it was found to be a mask."""
    return bool(tensor.doc_string == MARK)


def _values(tensor: TensorProto, most: int | None = None) -> NDArray[Any]:
    """Its values in one row, or the first of them; none of other types or places, or too many."""
    import numpy as np

    none = np.empty(0, dtype=np.float32)
    name = kind_name(tensor.data_type)
    known = Tensor(tensor.data_type, tuple(tensor.dims))
    elsewhere = tensor.data_location == tensor.EXTERNAL
    if name not in _TYPES or elsewhere or known.size_bytes > LARGEST_BYTES:
        return none
    if tensor.HasField("raw_data"):
        raw = tensor.raw_data
        whole = len(raw) == known.size_bytes
        return np.frombuffer(raw, dtype=_TYPES[name])[:most] if whole else none
    kept = tensor.double_data if name == "DOUBLE" else tensor.float_data
    return np.array(kept[:most]) if len(kept) == known.elements else none


def _hides(values: NDArray[Any], *, whole: bool = True) -> bool:
    """Whether numbers are those of a mask; of a part of them, whether they may be."""
    if values.size == 0:
        return False
    hidden, shown, chosen = values <= HIDING, values == 0, values == 1
    added = bool((hidden | shown).all()) and (bool(hidden.any()) or not whole)
    multiplied = bool((chosen | shown).all())
    return added or (multiplied and (not whole or bool(chosen.any() and shown.any())))
