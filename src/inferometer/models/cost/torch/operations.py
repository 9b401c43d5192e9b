"""Count the operations of a torch module, operator by operator, most often without running it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError, in_one_line
from inferometer.models.building import evaluate
from inferometer.models.cost.torch.parameters import frozen_weights

if TYPE_CHECKING:
    import torch

    from inferometer.models.cost.torch.storages import Storages

Method = Literal["simulated", "run"]

SIMULATED = "torch operators on the meta device, nothing computed"
RUN = "torch operators of one real call"


def count_operations(
    network: Any,  # noqa: ANN401 - any torch module
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    method: Method = "simulated",
) -> Cost:
    """Operations and bytes of one call.

    Simulated, they are counted on the meta device: shapes are followed, nothing is computed but
    what follows from integer inputs and constants alone. The network and all that it can reach may
    be changed by that: count in a copy of the process (`runner.apart`).

    Args:
        network: a `torch.nn.Module`; it is put into evaluation mode.
        args: positional arguments of the call.
        kwargs: keyword arguments.
        method: `run` makes a real call and counts it, where simulation does not do.

    Raises:
        WorkloadError: (unsupported) no module; or it cannot be counted without running it, as
            where what it does depends on the values of its inputs.
        Exception: whatever a real call raises.
    """
    import torch

    if not isinstance(network, torch.nn.Module):
        raise WorkloadError(
            "unsupported",
            f"operations of a {type(network).__name__} cannot be counted; "
            "those of a torch.nn.Module can",
        )
    evaluate(network)
    if method == "run":
        return _counted(network, args, kwargs, simulated=False)
    try:
        return _counted(network, args, kwargs, simulated=True)
    except WorkloadError:
        raise
    except Exception as error:
        raise WorkloadError(
            "unsupported",
            f"its operations cannot be counted without running it: {in_one_line(error)}",
        ) from error


def import_counter() -> None:
    """Import what counting takes; some of it torch imports with the first operator that it follows.

    That is a second and some 60 MB, once in a process.
    """
    import torch

    weightless = torch.nn.Linear(1, 1, device="meta")  # draws no random numbers
    count_operations(weightless, (torch.ones(1, 1),), {})


def _counted(
    network: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, simulated: bool
) -> Cost:
    import torch

    from inferometer.models.cost.torch import guard, kernels
    from inferometer.models.cost.torch.counting import Counter
    from inferometer.models.cost.torch.storages import Storages, distinct_bytes, tensors_in

    storages = Storages()
    storages.own([*network.parameters(), *network.buffers()], "weight", known=not simulated)
    storages.own(frozen_weights(network), "weight", known=True)  # nothing takes their place
    storages.own(tensors_in([args, kwargs]), "input", known=True)
    counter = Counter(storages, simulated=simulated)
    with ExitStack() as stack:
        stack.enter_context(guard.left_as_it_was(network))
        if "torch._dynamo" in sys.modules:  # operators do not show in compiled code
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(guard.in_parts())
        stack.enter_context(guard.watched(network, counter.enter))
        stack.enter_context(torch.inference_mode(mode=False))  # it hides operators in others
        stack.enter_context(torch.no_grad())
        given, named = args, dict(kwargs)
        if simulated:
            given, named = _without_values(storages, args, kwargs)
            guard.replace_weights(network, storages.twin)
            stack.enter_context(kernels.fused())
        stack.enter_context(counter)
        output = network(*given, **named)
    return Cost(
        operators=counter.operators(),
        input_bytes=distinct_bytes([args, kwargs]),
        output_bytes=distinct_bytes(output),
        weight_bytes=storages.weight_bytes(),
        activation_bytes=sum(one.bytes_written for one in counter.operators()),
        activation_peak_bytes=storages.peak_bytes,
        method=SIMULATED if simulated else RUN,
    )


def _without_values(
    storages: Storages, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Inputs on the meta device, but for integers: they choose, and may decide what is done.

    One tensor that is given twice stays one: attention looks at that.
    """
    import torch
    from torch.utils._pytree import tree_map_only

    @cache
    def moved(tensor: torch.Tensor) -> torch.Tensor:
        return storages.twin(tensor) if tensor.is_floating_point() else tensor

    given, named = tree_map_only(torch.Tensor, moved, (args, dict(kwargs)))
    return given, named
