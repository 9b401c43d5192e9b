"""Inputs of any kind as a description, from which arrays of NumPy are made without the model.

A process that runs an exported file has no code of the user's, no example and no torch. What it
needs to know of the inputs is found by making them at two batch sizes and two input sizes: the axes
that differ are the batch's and the size's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, InputSpec
from inferometer.core.nested import is_opaque, leaves
from inferometer.core.shown import shown
from inferometer.models.inputs.arrays import (
    is_array,
    is_floating,
    is_packed,
    is_tensor,
    is_whole,
)
from inferometer.models.inputs.examples import own_batch_size
from inferometer.models.inputs.factory import FactoryInputs
from inferometer.models.inputs.generated import GeneratedInputs, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_KEPT = 4096
"""Elements of an array that are kept as they are; of larger ones, their range."""

USUAL_SIZE = 64
"""An input size to try where nothing tells one."""

_NAMED = re.compile(r"\[1\]\.(.+)")
"""A path to a keyword argument, or to something in one, among positional and keyword ones."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """An array among the arguments of a call.

    Attributes:
        name: of its keyword argument; empty for a positional one, however nested.
        array: itself.
    """

    name: str
    array: Any


def named_arrays(inputs: Inputs) -> list[Named]:
    """The arrays among the arguments of a call, each once, positional ones first.

    Raises:
        WorkloadError: (unsupported) something among them may hold arrays that cannot be seen.
    """
    found: dict[int, Named] = {}
    for path, leaf in leaves((inputs.args, dict(inputs.kwargs)), "", whole=is_packed):
        if is_packed(leaf) or (not is_array(leaf) and is_opaque(leaf)):
            raise _no_array(path, f"is a {type(leaf).__name__}")
        if is_array(leaf):
            keyword = _NAMED.fullmatch(path)
            name = re.sub(r"\W+", "_", keyword[1]).strip("_") if keyword else ""
            found.setdefault(id(leaf), Named(name=name, array=leaf))
    return list(found.values())


def constants(inputs: Inputs) -> dict[str, object]:
    """What is no array among the arguments of a call, by paths; an exported file has it fixed."""
    parts = leaves((inputs.args, dict(inputs.kwargs)), "", whole=is_packed)
    return {
        re.sub(r"^\[0\]|^\[1\]\.", "", path): leaf
        for path, leaf in parts
        if isinstance(leaf, bool | int | float | complex | str)
    }


def described(spec: InputSpec, *, seed: int = 0) -> GeneratedInputs:
    """A description of what a spec makes; of generated inputs it is what they are.

    Small arrays keep the values of the example, repeated as an example is; of large ones, numbers
    are made between its least and its greatest value.

    Args:
        spec: makes the inputs of the model.
        seed: of the inputs that are looked at.

    Raises:
        WorkloadError: (unsupported) they have no form as arrays, or change with the batch or the
            size in a way that no description tells.
    """
    if isinstance(spec, GeneratedInputs):
        return spec
    own = own_batch_size(spec)
    by_batch = _made_at(spec, [(2, None), (3, None)], seed)
    samples = own if by_batch is None else max(own, 2)
    base = spec.make(batch_size=samples, input_size=None, seed=seed)
    batch_axes = [None] * len(named_arrays(base)) if by_batch is None else _batch_axes(by_batch)
    size = _own_size(spec, base)
    by_size = _made_at(spec, [(samples, size), (samples, 2 * size)], seed)
    if by_size is None or not by_size[0].size_applied:
        size_axes: list[tuple[int, ...]] = [() for _ in batch_axes]
    else:
        size_axes = _size_axes(by_size, size)
    return GeneratedInputs(
        tensors=tuple(
            _spec(one, batch, sizes)
            for one, batch, sizes in zip(named_arrays(base), batch_axes, size_axes, strict=True)
        ),
        only_batch=own if by_batch is None else None,
    )


def described_at(
    spec: InputSpec, *, batch_size: int, input_size: int | None, seed: int
) -> GeneratedInputs:
    """A description of what a spec makes for one shape, which takes no other.

    Raises:
        WorkloadError: (unsupported) it has no form as arrays.
    """
    made = spec.make(batch_size=batch_size, input_size=input_size, seed=seed)
    tensors = []
    for one in named_arrays(made):
        lengths = tuple(one.array.shape)
        sizes = tuple(axis for axis, length in enumerate(lengths) if length == input_size)
        tensors.append(_spec(one, None, sizes if made.size_applied else ()))
    return GeneratedInputs(
        tensors=tuple(tensors),
        fixed_because="the inputs were described for one size",
        only_batch=batch_size,
    )


def _made_at(
    spec: InputSpec, shapes: Sequence[tuple[int, int | None]], seed: int
) -> list[Inputs] | None:
    """Inputs at two shapes; None where the spec takes one alone."""
    try:
        return [spec.make(batch_size=batch, input_size=size, seed=seed) for batch, size in shapes]
    except WorkloadError:
        return None


def _own_size(spec: InputSpec, made: Inputs) -> int:
    """A size that a spec surely takes: its own, else the last axis of its first deep array."""
    if isinstance(spec, FactoryInputs) and spec.own_size:
        return spec.own_size
    deep = (one.array.shape[-1] for one in named_arrays(made) if len(one.array.shape) > 1)
    return next(deep, 0) or USUAL_SIZE


def _pairs(made: Sequence[Inputs], what: str) -> list[tuple[Named, Named]]:
    """The same arrays at two shapes.

    Raises:
        WorkloadError: (unsupported) the inputs differ in more than the lengths of axes.
    """
    first, second = (named_arrays(one) for one in made)
    alike = [one.name for one in first] == [one.name for one in second]
    same_depth = alike and all(
        len(one.array.shape) == len(other.array.shape)
        for one, other in zip(first, second, strict=True)
    )
    if not same_depth or constants(made[0]) != constants(made[1]):
        raise WorkloadError(
            "unsupported", f"with the {what}, more changes in the inputs than lengths of axes"
        )
    for one, other in zip(first, second, strict=True):
        numbers = {_same_number(one.array), _same_number(other.array)}
        if len(numbers - {None}) > 1:
            raise WorkloadError(
                "unsupported", f"the numbers in {_called(one)} change with the {what}"
            )
    return list(zip(first, second, strict=True))


def _batch_axes(made: Sequence[Inputs]) -> list[int | None]:
    """The axis of each array that is as long as the batch, which is 2 and 3."""
    found: list[int | None] = []
    for one, other in _pairs(made, "batch size"):
        axes = _differing(one, other, (2, 3), "batch size")
        if len(axes) > 1:
            raise WorkloadError("unsupported", f"{_called(one)} has two axes for the batch")
        found.append(axes[0] if axes else None)
    return found


def _size_axes(made: Sequence[Inputs], size: int) -> list[tuple[int, ...]]:
    """The axes of each array that are as long as the size, which doubles."""
    pairs = _pairs(made, "input size")
    return [_differing(one, other, (size, 2 * size), "input size") for one, other in pairs]


def _differing(one: Named, other: Named, expected: tuple[int, int], what: str) -> tuple[int, ...]:
    lengths = list(zip(one.array.shape, other.array.shape, strict=True))
    axes = tuple(axis for axis, (first, second) in enumerate(lengths) if first != second)
    for axis in axes:
        if lengths[axis] != expected:
            raise WorkloadError(
                "unsupported",
                f"axis {axis} of {_called(one)} is {lengths[axis][0]} long where the {what} is "
                f"{expected[0]}, and {lengths[axis][1]} where it is {expected[1]}",
            )
    return axes


def _spec(one: Named, batch_axis: int | None, size_axes: tuple[int, ...]) -> TensorSpec:
    """A description of an array.

    Raises:
        WorkloadError: (unsupported) it holds no numbers that NumPy has.
    """
    import numpy as np

    array = _as_numpy(one)
    samples = array[None] if batch_axis is None else np.moveaxis(array, batch_axis, 0)
    spec = TensorSpec(
        name=one.name,
        shape=samples.shape[1:],
        dtype=str(array.dtype),
        batch_axis=batch_axis,
        size_axes=tuple(
            axis if batch_axis is None or axis < batch_axis else axis - 1 for axis in size_axes
        ),
    )
    if not array.size:
        return replace(spec, fill="ones")
    if array.size <= MOST_KEPT:
        numbers = samples.astype(int) if samples.dtype == bool else samples
        return replace(spec, fill="kept", values=tuple(numbers.ravel().tolist()))
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if not finite.size:
        raise _no_array(one.name, "holds no finite number")
    low, high = (float(end) for end in (finite.min(), finite.max()))
    return replace(spec, fill="uniform", low=low, high=high)


def _as_numpy(one: Named) -> NDArray[Any]:
    """An array as NumPy has it; floating ones in single precision, as sessions take them."""
    import numpy as np

    array: NDArray[Any] = one.array
    if is_tensor(one.array):
        plain = one.array.detach().cpu()
        array = (plain.float() if is_floating(plain) else plain.resolve_conj()).numpy()
    if array.dtype.kind not in "biuf":
        raise _no_array(one.name, f"is of the type {array.dtype}")
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _same_number(array: Any) -> object:  # noqa: ANN401 - a tensor or an array
    """The whole number that all elements are; None where they differ, or are none."""
    if not is_whole(array) or 0 in tuple(array.shape):
        return None
    low, high = array.min(), array.max()
    return low.item() if bool(low == high) else None


def _called(one: Named) -> str:
    return f"input {shown(one.name)}" if one.name else "a positional input"


def _no_array(path: str, problem: str) -> WorkloadError:
    what = shown(re.sub(r"^\[0\]|^\[1\]\.", "", path)) or "one of them"
    return WorkloadError(
        "unsupported", f"its inputs cannot be described as arrays: {what} {problem}"
    )
