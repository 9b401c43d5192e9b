"""Inputs made from an example: its rows repeated to the batch, its sizes changed where possible.

Works on torch tensors and NumPy arrays, and imports neither before it has met one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard, cast

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, InputSpec
from inferometer.core.nested import leaves
from inferometer.models.inputs.describe import shape_text

_IMAGE_AXES = 4
_TOKEN_AXES = 2


@dataclass(frozen=True, kw_only=True)
class ExampleInputs:
    """Inputs like an example; fits `core.model.InputSpec`.

    Attributes:
        args: positional arguments of a call; the first dimension of each array is the batch.
        kwargs: keyword arguments, likewise.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call.

        Rows are repeated in turn, or cut, to the batch size. Where an input size is given,
        floating NxCxHxW arrays are resized to it, and whole-number NxL arrays, with masks of
        their shape, are repeated or cut along L. Everything else stays as it is.

        Args:
            batch_size: rows wanted.
            input_size: height and width of images, or length of sequences; None is the example's.
            seed: without effect: an example is what it is.
        """
        del seed
        shapes = _token_shapes((self.args, self.kwargs))
        applied = False

        def fitted(array: Any) -> Any:  # noqa: ANN401 - a tensor or an array
            nonlocal applied
            array = _repeated(array, batch_size)
            if input_size is None:
                return array
            if _is_floating(array) and len(array.shape) == _IMAGE_AXES:
                applied = True
                return _resized(array, input_size)
            if tuple(array.shape[1:]) in shapes:
                applied = True
                return array[:, [place % array.shape[1] for place in range(input_size)]]
            return array

        args = tuple(_mapped(value, fitted) for value in self.args)
        kwargs = {name: _mapped(value, fitted) for name, value in self.kwargs.items()}
        return Inputs(
            args=args,
            kwargs=kwargs,
            shape=shape_text(args, kwargs),
            size_applied=input_size is None or applied,
        )


def example_inputs(network: Any, inputs: Any) -> InputSpec:  # noqa: ANN401 - any callable and its inputs
    """An input spec from what a user gives beside a network.

    A tensor is the one positional argument; a tuple or list holds positional arguments; a mapping
    holds keyword arguments where the network takes them, else it is the one argument. An input
    spec is taken as it is. For a torch module, NumPy arrays become tensors.

    Args:
        network: the network, or any callable.
        inputs: an example.

    Raises:
        WorkloadError: (bad_model) an array in the example has no rows.
    """
    if callable(getattr(inputs, "make", None)):
        return cast("InputSpec", inputs)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(network, torch.nn.Module):
        inputs = _mapped(inputs, torch.as_tensor)
    for path, leaf in leaves(inputs, "input"):
        if _is_array(leaf) and tuple(leaf.shape)[:1] == (0,):
            raise WorkloadError("bad_model", f"the example {path} has no rows: its batch is 0")
    if isinstance(inputs, Mapping):
        return _from_mapping(network, inputs)
    args = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    return ExampleInputs(args=args)


def batch_size_of(inputs: object) -> int:
    """First dimension of the first array in an example; 1 where no array has one."""
    shapes = (tuple(leaf.shape) for _, leaf in leaves(inputs) if _is_array(leaf))
    return next((int(shape[0]) for shape in shapes if shape), 1)


def _from_mapping(network: Any, inputs: Mapping[Any, Any]) -> ExampleInputs:  # noqa: ANN401 - any callable
    forward = getattr(network, "forward", network)
    try:
        inspect.signature(forward).bind(**inputs)
    except (TypeError, ValueError):
        return ExampleInputs(args=(inputs,))
    return ExampleInputs(kwargs=dict(inputs))


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - nests as it likes
    """The value with every array in it changed; all else is passed on."""
    if _is_array(value):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _mapped(part, change) for name, part in value.items()}
    if isinstance(value, tuple | list):
        parts = [_mapped(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _is_array(value: Any) -> TypeGuard[Any]:  # noqa: ANN401 - any value
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    return (torch is not None and isinstance(value, torch.Tensor)) or (
        numpy is not None and isinstance(value, numpy.ndarray)
    )


def _is_tensor(array: Any) -> bool:  # noqa: ANN401 - a tensor or an array
    return not hasattr(array, "__array_interface__")


def _is_floating(array: Any) -> bool:  # noqa: ANN401 - a tensor or an array
    return bool(array.is_floating_point()) if _is_tensor(array) else array.dtype.kind == "f"


def _is_whole(array: Any) -> bool:  # noqa: ANN401 - a tensor or an array
    if _is_tensor(array):
        return not (array.is_floating_point() or array.is_complex())
    return array.dtype.kind in "iub"


def _token_shapes(inputs: object) -> set[tuple[int, ...]]:
    """Shapes, without the batch, of the sequences of token ids in the inputs."""
    return {
        tuple(leaf.shape[1:])
        for _, leaf in leaves(inputs)
        if _is_array(leaf) and len(leaf.shape) == _TOKEN_AXES and leaf.shape[1] and _is_whole(leaf)
    }


def _repeated(array: Any, batch_size: int) -> Any:  # noqa: ANN401 - a tensor or an array
    if len(array.shape) == 0 or array.shape[0] == batch_size:
        return array
    return array[[row % array.shape[0] for row in range(batch_size)]]


def _resized(array: Any, size: int) -> Any:  # noqa: ANN401 - a tensor or an array
    """NxCxHxW → NxCxSxS, bilinear."""
    if tuple(array.shape[2:]) == (size, size):
        return array
    if _is_tensor(array):
        import torch

        return torch.nn.functional.interpolate(
            array.detach(), size=(size, size), mode="bilinear", align_corners=False
        )
    return _interpolated(_interpolated(array, 2, size), 3, size)


def _interpolated(array: Any, axis: int, size: int) -> Any:  # noqa: ANN401 - a NumPy array
    """A NumPy array, linear along one axis between the centres of its elements."""
    import numpy as np

    length = array.shape[axis]
    place = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    below = place.astype(int)
    above = np.minimum(below + 1, length - 1)
    part = (place - below).reshape([-1 if other == axis else 1 for other in range(array.ndim)])
    low, high = array.take(below, axis), array.take(above, axis)
    return (low + (high - low) * part).astype(array.dtype)
