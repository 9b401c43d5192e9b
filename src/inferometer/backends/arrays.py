"""Inputs as a runtime takes them that reads arrays by the names in its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inferometer.backends.tensors import as_numpy
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, PlacedInputs
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = frozenset({"float32", "float64", "float16", "bool", "complex64", "complex128"}) | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
"""Types of elements that NumPy has under these names."""


def placed(inputs: Inputs, dtypes: Mapping[str, str]) -> PlacedInputs:
    """Contiguous arrays by the names of a file, in its types; positional ones in its order.

    Args:
        inputs: arguments of a call: arrays, tensors or numbers.
        dtypes: the type of each input's elements by its name, in the order of the file.

    Raises:
        WorkloadError: (unsupported) they are not those that the file takes.
    """
    given = {**dict(zip(dtypes, inputs.args, strict=False)), **inputs.kwargs}
    if len(given) != len(inputs.args) + len(inputs.kwargs) or given.keys() != dtypes.keys():
        raise WorkloadError("unsupported", _misfit(inputs, dtypes))
    feed = {name: as_array(name, given[name], dtype) for name, dtype in dtypes.items()}
    return PlacedInputs(**{**vars(inputs), "args": (), "kwargs": feed})


def as_array(name: str, value: object, dtype: str) -> NDArray[Any]:
    """A value as the runtime takes it.

    Args:
        name: of the input.
        value: an array, a tensor, or a number.
        dtype: what the runtime asks for, as NumPy names it where it has it.

    Raises:
        WorkloadError: (unsupported) NumPy has no such type, or the numbers would lose what they
            mean.
    """
    import numpy as np

    if dtype not in NUMBERS:
        raise WorkloadError(
            "unsupported", f"input {shown(name)} is a {shown(dtype)}, which no array of NumPy is"
        )
    array: NDArray[Any] = np.asarray(as_numpy(value))
    if not np.can_cast(array.dtype, dtype, "same_kind"):  # to another width, but not to integers
        raise WorkloadError(
            "unsupported", f"input {shown(name)} takes {dtype}, and was given {array.dtype}"
        )
    return np.asarray(array, dtype=dtype, order="C")


def _misfit(inputs: Inputs, dtypes: Mapping[str, str]) -> str:
    """What is the matter with inputs whose names or number differ from the file's."""
    named = ", ".join(map(shown, inputs.kwargs))
    without = f"{len(inputs.args)} without a name" if inputs.args else ""
    given = " and ".join(filter(None, (without, named))) or "none"
    return f"the file takes the inputs {', '.join(map(shown, dtypes))}; given: {given}"
