"""Inputs made from an example: its rows repeated to the batch, its sizes changed where possible.

Works on torch tensors and NumPy arrays, and imports neither before it has met one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, InputSpec
from inferometer.core.nested import leaves, mapped
from inferometer.models.inputs.arrays import copied, is_array, is_packed, is_tensor, shape_text
from inferometer.models.inputs.fitting import Rows, Sizes, batch_size_of


@dataclass(frozen=True, kw_only=True)
class ExampleInputs:
    """Inputs like an example; fits `core.model.InputSpec`.

    Attributes:
        args: positional arguments of a call; the first dimension of each array is the batch.
        kwargs: keyword arguments, likewise.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def batch_size(self) -> int:
        """Samples in the example."""
        return batch_size_of((self.args, self.kwargs))

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, in memory that nobody else holds.

        Rows are repeated in turn, or cut, to the batch size, in every array of the example, however
        nested. Where an input size is given, floating NxCxHxW arrays are resized to it, and
        whole-number NxL arrays, with masks of their shape, are repeated or cut along L. Everything
        else stays as it is.

        Args:
            batch_size: rows wanted.
            input_size: height and width of images, or length of sequences; None is the example's.
            seed: without effect: an example is what it is.

        Raises:
            WorkloadError: (unsupported) how the example grows with the batch cannot be told.
        """
        del seed
        nested = (self.args, dict(self.kwargs))
        rows, sizes, size_applied = Rows(nested, batch_size), Sizes(nested, input_size), False

        def fitted(leaf: Any) -> Any:  # noqa: ANN401 - any leaf
            nonlocal size_applied
            other = rows.of(leaf)
            if sizes.apply_to(other):
                other, size_applied = sizes.of(other), True
            return copied(other) if other is leaf else other

        rows.check()
        args, kwargs = mapped(nested, fitted, whole=is_packed)
        return Inputs(
            args=args,
            kwargs=kwargs,
            shape=shape_text(args, kwargs),
            size_applied=input_size is None or size_applied,
            batch_applied=rows.apply,
        )


def example_inputs(network: Any, inputs: Any) -> InputSpec:  # noqa: ANN401 - any callable and its inputs
    """An input spec from what a user gives beside a network.

    A tensor is the one positional argument. A tuple or list holds positional arguments, unless the
    network takes one argument and not so many; a named tuple is the one argument where the network
    takes one. A mapping holds keyword arguments where the network takes them, else it is the one
    argument, as any other object is. An input spec is taken as it is. For a torch module, NumPy
    arrays become tensors.

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
        inputs = mapped(inputs, _as_tensor)
    for path, leaf in leaves(inputs, "input"):
        if is_array(leaf) and tuple(leaf.shape)[:1] == (0,):
            raise WorkloadError("bad_model", f"the example {path} has no rows: its batch is 0")
    if isinstance(inputs, Mapping):
        return _from_mapping(network, inputs)
    return ExampleInputs(args=tuple(inputs) if _are_arguments(network, inputs) else (inputs,))


def _as_tensor(leaf: Any) -> Any:  # noqa: ANN401 - any leaf
    """An array of NumPy as a tensor on the processor, whatever device is the default."""
    if not is_array(leaf) or is_tensor(leaf):
        return leaf
    return sys.modules["torch"].as_tensor(leaf, device="cpu")


def _are_arguments(network: Any, inputs: Any) -> bool:  # noqa: ANN401 - any callable and its inputs
    """Whether an example holds the arguments of a call, and is not the one argument itself."""
    if not isinstance(inputs, tuple | list) or is_packed(inputs):
        return False
    one = _takes(network, inputs)
    return not one if hasattr(inputs, "_fields") else not one or _takes(network, *inputs)


def own_batch_size(inputs: InputSpec) -> int:
    """Samples in a call where no batch size is asked for; a user's own spec need not tell."""
    return int(getattr(inputs, "batch_size", 1))


def _from_mapping(network: Any, inputs: Mapping[Any, Any]) -> ExampleInputs:  # noqa: ANN401 - any callable
    if all(isinstance(name, str) for name in inputs) and _takes(network, **inputs):
        return ExampleInputs(kwargs=dict(inputs))
    return ExampleInputs(args=(inputs,))


def _takes(network: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 - any callable
    """Whether a network can be called with such arguments, as far as its signature tells."""
    try:
        inspect.signature(getattr(network, "forward", network)).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return False
    return True
