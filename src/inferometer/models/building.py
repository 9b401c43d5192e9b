"""What all sources do around their builder: seed before it, set the network's mode after it."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.generators import seed_generators
from inferometer.core.model import InputSpec, LoadedModel
from inferometer.core.preprocessing import said_by
from inferometer.models.calibrating import NOTHING, calibrate
from inferometer.models.failures import building
from inferometer.models.inputs import GeneratedInputs, images, shaped
from inferometer.models.options import Options
from inferometer.models.state import load_weights

__all__ = [
    "checked_parameters",
    "evaluate",
    "format_in_memory",
    "image_inputs",
    "is_module",
    "seed_generators",
    "settled",
]


def is_module(value: object) -> bool:
    """Whether a value is a `torch.nn.Module`. Does not import torch: without it, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def format_in_memory(network: object) -> Format:
    """The format of a model that code made. Does not import torch."""
    if not is_module(network):
        return Format.CALLABLE
    is_script = isinstance(network, sys.modules["torch"].jit.ScriptModule)
    return Format.TORCHSCRIPT if is_script else Format.TORCH_MODULE


def evaluate(network: Any) -> None:  # noqa: ANN401 - any torch module
    """Put a network into evaluation mode; exported and frozen programs have no other."""
    if any(getattr(module, "training", False) for module in network.modules()):
        with suppress(NotImplementedError):  # what an exported program says to that
            network.eval()


def settled(
    network: Any,  # noqa: ANN401 - any torch module
    *,
    what: str,
    source: str,
    inputs: InputSpec,
    weights: str,
    options: Options,
    notes: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
) -> LoadedModel:
    """Load the weights file if one was given, and put the network on the CPU, ready to infer.

    Random weights are calibrated where that is wanted.

    Raises:
        WorkloadError: (bad_model) the file does not fit, or the network cannot be made ready.
    """
    if options.weights_file is not None:
        weights = load_weights(network, options.weights_file)
        files = (*files, str(options.weights_file))
    with building(what):
        network = network.eval().cpu()
        if options.calibrated and calibrate(network, inputs):
            weights = f"{weights}, batch norm calibrated"
        elif options.calibrated:
            notes = (*notes, NOTHING)
    return LoadedModel(
        network=network,
        format=format_in_memory(network),
        inputs=inputs,
        source=source,
        weights=weights,
        notes=(*notes, *checked_parameters(network, what)),
        files=files,
        preprocessing=said_by(network),
    )


def checked_parameters(network: Any, what: str) -> tuple[str, ...]:  # noqa: ANN401 - any module
    """Notes on the parameters.

    Raises:
        WorkloadError: (bad_model) some have no values yet.
    """
    import torch

    if any(torch.nn.parameter.is_lazy(value) for value in network.parameters()):
        raise WorkloadError(
            "bad_model", f"{what} has lazy parameters without values; call it once in its factory"
        )
    kinds = {value.dtype for value in network.parameters() if value.is_floating_point()}
    other = sorted(str(kind).removeprefix("torch.") for kind in kinds - {torch.float32})
    return (f"some parameters are {', '.join(other)} as loaded",) if other else ()


def image_inputs(network: Any, options: Options) -> tuple[GeneratedInputs, tuple[str, ...]]:  # noqa: ANN401 - any module
    """Inputs of a network that says nothing about them, and a note where they had to be assumed.

    As many channels as its first parameter takes where that is a convolution's, else three.
    """
    if options.input_shape is not None:
        return shaped(options.input_shape), ()
    from torch.nn.parameter import is_lazy

    ready = (value for value in network.parameters() if not is_lazy(value))
    shape = next((tuple(value.shape) for value in ready), ())
    is_convolution = len(shape) == 4  # noqa: PLR2004 - out, in, height, width
    assumed = images(channels=shape[1] if is_convolution else 3)
    text = "x".join(map(str, assumed.tensors[0].shape))
    return assumed, (f"its inputs are assumed to be images {text}; ?input= says otherwise",)
