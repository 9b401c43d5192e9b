"""Quantise the linear layers of a module for eager mode, with torchao."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import torch

from inferometer.core.errors import MissingExtraError, WorkloadError

OTHER_LAYERS = (
    torch.nn.Conv1d,
    torch.nn.Conv2d,
    torch.nn.Conv3d,
    torch.nn.ConvTranspose1d,
    torch.nn.ConvTranspose2d,
    torch.nn.ConvTranspose3d,
    torch.nn.RNNBase,
    torch.nn.MultiheadAttention,
)
"""Layers with weights that eager int8 leaves alone."""


def check_torchao(what: str) -> None:
    """Refuse int8 where torchao is not installed.

    Raises:
        WorkloadError: (unsupported) it is not; the command that installs it.
    """
    if find_spec("torchao") is None:
        missing = MissingExtraError(f"{what} needs torchao, which", "torch-compile")
        raise WorkloadError("unsupported", str(missing))


def quantise(module: torch.nn.Module, *, weights_only: bool) -> str:
    """Quantise linear layers to int8 in place; which layers they are, in a sentence.

    Raises:
        WorkloadError: (unsupported) there is no linear layer, or no torchao.
    """
    check_torchao("int8 in eager torch")
    linear = [one for one in module.modules() if type(one) is torch.nn.Linear]
    others = sum(isinstance(one, OTHER_LAYERS) for one in module.modules())
    if not linear:
        raise WorkloadError(
            "unsupported",
            "eager torch quantises linear layers alone, and this model has none; convolutions run "
            "in int8 with --backends torch-compile",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torchao, about torch's own names
        from torchao.quantization import (
            Int8DynamicActivationInt8WeightConfig,
            Int8WeightOnlyConfig,
            quantize_,
        )

        config = Int8WeightOnlyConfig() if weights_only else Int8DynamicActivationInt8WeightConfig()
        quantize_(module, config)
    done = sum(type(one.weight) is not torch.nn.Parameter for one in linear)
    left = f"; {others} other layers with weights stay in fp32" if others else ""
    kind = "int8 weights" if weights_only else "int8"
    return f"{kind} in {done} of {len(linear)} linear layers{left}"
