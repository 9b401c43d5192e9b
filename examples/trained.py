"""Networks with the weights that `train_small.py` made, as factories.

    inferometer run --models examples/trained.py:resnet18_digits --size own --data digits

Each takes `?seed=` of its training, and `?folder=` where its weights are not in the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from recipes import RECIPES, cache_folder, require
from safetensors.torch import load_file
from torch import nn

Made = tuple[nn.Module, Callable[..., torch.Tensor]]


def resnet18_digits(seed: int = 0, folder: str = "") -> Made:
    """ResNet-18 that reads digits of 8 x 8 pixels."""
    return _made("resnet18_digits", seed, folder)


def squeezenet1_0_digits(seed: int = 0, folder: str = "") -> Made:
    """SqueezeNet that reads digits of 8 x 8 pixels."""
    return _made("squeezenet1_0_digits", seed, folder)


def mobilenet_v3_small_digits(seed: int = 0, folder: str = "") -> Made:
    """MobileNetV3-small that reads digits of 8 x 8 pixels."""
    return _made("mobilenet_v3_small_digits", seed, folder)


def resnet18_mnist_5k(seed: int = 0, folder: str = "") -> Made:
    """ResNet-18 that reads digits of 28 x 28 pixels."""
    return _made("resnet18_mnist_5k", seed, folder)


def squeezenet1_0_mnist_5k(seed: int = 0, folder: str = "") -> Made:
    """SqueezeNet that reads digits of 28 x 28 pixels."""
    return _made("squeezenet1_0_mnist_5k", seed, folder)


def mobilenet_v3_small_mnist_5k(seed: int = 0, folder: str = "") -> Made:
    """MobileNetV3-small that reads digits of 28 x 28 pixels."""
    return _made("mobilenet_v3_small_mnist_5k", seed, folder)


def unet_cells(seed: int = 0, folder: str = "") -> Made:
    """The U-Net that finds nuclei in simulated microscopy."""
    return _made("unet_cells", seed, folder)


def _made(name: str, seed: int, folder: str) -> Made:
    """The network with its weights and its preprocessing, and what makes its inputs."""
    recipe = RECIPES[name]
    place = Path(folder).expanduser() if folder else cache_folder()
    weights = require(name, seed, place)
    network = recipe.network(seed)
    network.load_state_dict(load_file(weights.file))
    if recipe.preprocessing is not None:
        network.preprocessing = recipe.preprocessing  # type: ignore[assignment]

    def inputs(batch_size: int = 1, input_size: int = recipe.size) -> torch.Tensor:
        return torch.randn(batch_size, recipe.channels, input_size, input_size)

    return network, inputs
