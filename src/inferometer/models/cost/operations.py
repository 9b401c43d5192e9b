"""Count the operations of a torch module, operator by operator, without running it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.nested import leaves


def count_operations(
    network: Any,  # noqa: ANN401 - any torch module
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Cost:
    """Operations and bytes of one call, counted on the meta device: nothing is computed.

    Args:
        network: a `torch.nn.Module`, in evaluation mode; it is left as it was.
        args: positional arguments of the call.
        kwargs: keyword arguments.

    Raises:
        WorkloadError: (unsupported) what the network does depends on the values of its inputs.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    state = {
        name: value.to("meta")
        for name, value in [*network.named_parameters(), *network.named_buffers()]
    }
    counter = FlopCounterMode(display=False)
    moved = [value.to("meta") if isinstance(value, torch.Tensor) else value for value in args]
    named = {
        name: value.to("meta") if isinstance(value, torch.Tensor) else value
        for name, value in kwargs.items()
    }
    with torch.no_grad(), counter:
        output = torch.func.functional_call(network, state, tuple(moved), named)
    operators = tuple(
        OperatorCost(
            operator=str(operator),
            kind="matrix product",
            module="",
            calls=1,
            macs=flops // 2,
            elementwise_flops=0,
            bytes_read=0,
            bytes_written=0,
        )
        for operator, flops in counter.get_flop_counts()["Global"].items()
    )
    return Cost(
        operators=operators,
        input_bytes=_bytes([*args, *kwargs.values()]),
        output_bytes=_bytes(output),
        weight_bytes=_bytes(state),
        activation_bytes=0,
        activation_peak_bytes=0,
        method="meta device",
    )


def _bytes(values: object) -> int:
    return sum(int(getattr(leaf, "nbytes", 0)) for _, leaf in leaves(values))
