"""Small models that benchmarks measure, by reference: benchmarks/networks.py:small_cnn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def small_cnn() -> tuple[Any, Any]:
    """Three convolutions and a linear layer, with one image of 64 by 64: about 0.2 ms."""
    import torch
    from torch import nn

    network = nn.Sequential(
        *(nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )
    return network, torch.rand(1, 3, 64, 64)


def hashing(blocks: int = 100) -> tuple[Callable[[Any], None], Any]:
    """Hash so many blocks of 16 KiB for each element: the work is known, about 1 ms for 100."""
    from hashlib import sha256

    import numpy as np

    block = bytes(1 << 14)

    def call(batch: Any) -> None:  # noqa: ANN401 - an array
        for _ in range(blocks * len(batch)):
            sha256(block)

    return call, np.zeros((1, 1))


def cnn(depth: int = 4, width: int = 32) -> tuple[Any, Any]:
    """So many convolutions of so many channels, with one image of 32 by 32: about a millisecond."""
    import torch
    from torch import nn

    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers), torch.rand(1, 3, 32, 32)


def hashing_module(blocks: int = 100) -> tuple[Any, Any]:
    """The same hashing as a module, to be measured beside networks by one backend."""
    import torch
    from torch import nn

    call, _ = hashing(blocks)

    class Hashing(nn.Module):
        def forward(self, batch: Any) -> Any:  # noqa: ANN401 - a tensor
            call(batch)
            return batch

    return Hashing(), torch.zeros(1, 1)
