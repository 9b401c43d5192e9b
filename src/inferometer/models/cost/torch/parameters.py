"""Count the parameters of a network. Knows `torch.nn.Module` by its methods only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from inferometer.core.model import ParameterCount
from inferometer.models.cost.torch.layouts import bytes_of, elements_of, parts_of, require_shapes

if TYPE_CHECKING:
    import torch


def count_parameters(module: Any) -> ParameterCount:  # noqa: ANN401 - modules and script modules
    """Parameters and buffers of a module, a shared one counted once.

    Two parameters are the same where they are one object, or fill the same stretch of memory (as
    an embedding that is tied to the output layer does). Of a sparse one the stored elements count,
    and its bytes are those of their values and places.

    Args:
        module: a `torch.nn.Module`. The weights of a frozen program are its parameters too.

    Raises:
        WorkloadError: (bad_model) some get their shape in a first call.
    """
    named = list(module.named_parameters(remove_duplicate=False))
    require_shapes([*module.parameters(), *module.buffers()])
    named += [(f"constant {n}", value) for n, value in enumerate(frozen_weights(module))]
    names: dict[Hashable, list[str]] = {}
    for name, value in named:
        names.setdefault(identity(value), []).append(name)
    distinct = _distinct(value for _, value in named)
    buffers = _distinct(value for _, value in module.named_buffers(remove_duplicate=False))
    parameters = _elements(distinct)
    trainable = _elements(value for value in distinct if value.requires_grad)
    kinds = {kind: [one for one in distinct if one.dtype == kind] for kind in _dtypes(distinct)}
    return ParameterCount(
        parameters=parameters,
        parameters_with_duplicates=_elements(value for _, value in named),
        trainable_parameters=trainable,
        frozen_parameters=parameters - trainable,
        buffers=_elements(buffers),
        parameter_bytes=_bytes(distinct),
        buffer_bytes=_bytes(buffers),
        parameters_by_dtype={_name(kind): _elements(of) for kind, of in kinds.items()},
        parameter_bytes_by_dtype={_name(kind): _bytes(of) for kind, of in kinds.items()},
        tied=tuple(tuple(group) for group in names.values() if len(group) > 1),
    )


def frozen_weights(module: Any) -> list[torch.Tensor]:  # noqa: ANN401 - modules and script modules
    """Weights that `torch.jit.freeze` made constants of a program, without names; else none."""
    if next(module.parameters(), None) is not None:
        return []
    graph = getattr(module, "inlined_graph", None)
    if graph is None:
        return []
    constants = [
        node.t("value")
        for node in graph.findAllNodes("prim::Constant")
        if node.hasAttribute("value") and node.kindOf("value") == "t"
    ]
    return [tensor for tensor in constants if tensor.is_floating_point() and tensor.dim()]


def _distinct(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    return list({identity(tensor): tensor for tensor in tensors}.values())


def identity(tensor: torch.Tensor) -> Hashable:
    """What two tensors have in common exactly where they are the same parameter.

    The offset and length are part of it because recurrent layers keep many weights in one storage.
    """
    values = parts_of(tensor)[-1]
    try:
        address = values.data_ptr()
    except RuntimeError:  # tensors without storage, such as opaque ones
        address = 0
    return (tensor.device, address, tensor.numel()) if address else id(tensor)


def _dtypes(tensors: Iterable[torch.Tensor]) -> list[torch.dtype]:
    return list(dict.fromkeys(tensor.dtype for tensor in tensors))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _elements(tensors: Iterable[torch.Tensor]) -> int:
    return sum(elements_of(tensor) for tensor in tensors)


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(bytes_of(tensor) for tensor in tensors)
