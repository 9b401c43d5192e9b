"""Count the parameters of a network. Knows `torch.nn.Module` by its methods only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from inferometer.core.model import ParameterCount

if TYPE_CHECKING:
    import torch


def count_parameters(module: Any) -> ParameterCount:  # noqa: ANN401 - modules and script modules
    """Parameters and buffers of a module, a shared one counted once.

    Two parameters are the same where they are one object, or fill the same stretch of memory (as
    an embedding that is tied to the output layer does).

    Args:
        module: a `torch.nn.Module`.
    """
    uses = [value for _, value in module.named_parameters(remove_duplicate=False)]
    distinct = _distinct(uses)
    buffers = _distinct(value for _, value in module.named_buffers(remove_duplicate=False))
    return ParameterCount(
        parameters=sum(value.numel() for value in distinct),
        parameters_with_duplicates=sum(value.numel() for value in uses),
        trainable_parameters=sum(value.numel() for value in distinct if value.requires_grad),
        parameter_bytes=_bytes(distinct),
        buffer_bytes=_bytes(buffers),
    )


def _distinct(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    return list({_identity(tensor): tensor for tensor in tensors}.values())


def _identity(tensor: torch.Tensor) -> Hashable:
    """What two tensors have in common exactly where they are the same parameter.

    The offset and length are part of it because recurrent layers keep many weights in one storage.
    """
    try:
        address = tensor.data_ptr()
    except RuntimeError:  # tensors without storage, such as those of tensor subclasses
        address = 0
    return (tensor.device, address, tensor.numel()) if address else id(tensor)


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
