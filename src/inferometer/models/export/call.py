"""How a network is called in a file: arrays come in by names, in an order, and arrays come out."""

# ruff: noqa: ANN401 - inputs and outputs nest as they like

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.core.nested import leaves, mapped
from inferometer.models.inputs import GeneratedInputs, TensorSpec, named_arrays
from inferometer.models.inputs.arrays import is_array, is_packed, is_tensor

if TYPE_CHECKING:
    import torch

BATCH, SIZE = "batch", "size"
"""Names of open axes."""


@dataclass(frozen=True)
class _Slot:
    """Stands for an array among the arguments."""

    index: int


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a network is called.

    Attributes:
        names: of the arrays among its arguments, in the order in which a file takes them.
        positional: how many of them have no name of the network's own.
        nested: the arguments, with slots in the place of arrays.
    """

    names: tuple[str, ...]
    positional: int
    nested: tuple[tuple[Any, ...], dict[str, Any]]

    @classmethod
    def like(cls, inputs: Inputs) -> Call:
        """A call with such inputs.

        Raises:
            WorkloadError: (unsupported) there is no array among them, or one that cannot be seen.
        """
        arrays = named_arrays(inputs)
        if not arrays:
            raise WorkloadError("unsupported", "its inputs hold no array that a file could take")
        positional = sum(not one.name for one in arrays)
        places = {id(one.array): _Slot(index) for index, one in enumerate(arrays)}
        nested = mapped(
            (inputs.args, dict(inputs.kwargs)),
            lambda leaf: places[id(leaf)] if is_array(leaf) else leaf,
            whole=is_packed,
        )
        return cls(
            names=tuple(one.name or f"input{index}" for index, one in enumerate(arrays)),
            positional=positional,
            nested=nested,
        )

    def tensors(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        """The arrays of inputs as tensors, in the order of the names, floating ones in fp32."""
        import torch

        made = (torch.as_tensor(one.array).detach() for one in named_arrays(inputs))
        return tuple(one.float() if one.is_floating_point() else one for one in made)

    def of(self, network: Any, tensors: Sequence[torch.Tensor]) -> Any:
        """What a network gives for these arrays."""
        args, kwargs = mapped(
            self.nested,
            lambda leaf: tensors[leaf.index] if isinstance(leaf, _Slot) else leaf,
            whole=lambda value: isinstance(value, _Slot),
        )
        return network(*args, **kwargs)

    def split(
        self, tensors: Sequence[torch.Tensor]
    ) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
        """Positional and keyword arguments of the flat network."""
        named = zip(self.names[self.positional :], tensors[self.positional :], strict=True)
        return tuple(tensors[: self.positional]), dict(named)


def flat(network: Any, call: Call) -> Any:
    """A module that takes the arrays of a call by their names, and gives the tensors in the output.

    It shares everything with the network. As a rule it is a copy of the module object itself, so
    that submodules and weights keep their names; what is called through more than its `forward`
    is put into another module.
    """
    import torch

    is_plain = not isinstance(network, torch.jit.ScriptModule | torch.fx.GraphModule)
    hooks = network._forward_hooks or network._forward_pre_hooks  # noqa: SLF001 - no public name
    if is_plain and not hooks:
        outer, inner = copy.copy(network), network.forward
    else:
        outer, inner = torch.nn.Module(), network
        outer.network = network
        outer.training = False  # `eval` would ask the network, which may have no other mode

    def forward(*args: torch.Tensor, **kwargs: torch.Tensor) -> Any:
        named = [kwargs[name] for name in call.names[len(args) :]]
        return outputs_of(call.of(inner, [*args, *named]))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    arguments = [inspect.Parameter(name, kind) for name in call.names]
    forward.__signature__ = inspect.Signature(arguments)  # type: ignore[attr-defined]
    outer.forward = forward
    return outer


def outputs_of(output: Any) -> Any:
    """The only tensor in an output, or a tuple of several, in their order.

    Raises:
        WorkloadError: (unsupported) there is none.
    """
    found = tuple(leaf for _, leaf in leaves(output) if is_tensor(leaf))
    if not found:
        raise WorkloadError("unsupported", "it gives no tensor, so that no file can hold it")
    return found[0] if len(found) == 1 else found


def open_axes(inputs: GeneratedInputs, call: Call) -> dict[str, dict[int, str]]:
    """The axes of each array that are the batch's or the size's, by its name."""
    ordered = sorted(inputs.tensors, key=lambda one: bool(one.name))  # stable: positional first
    return {name: _axes(spec) for name, spec in zip(call.names, ordered, strict=True)}


def _axes(spec: TensorSpec) -> dict[int, str]:
    batch = spec.batch_axis
    shift = len(spec.shape) + 1 if batch is None else batch
    found = {axis + (axis >= shift): SIZE for axis in spec.size_axes}
    return found if batch is None else {batch: BATCH, **found}
