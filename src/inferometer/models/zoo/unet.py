"""The U-Net for brain MRI of Buda, Saha and Mazurowski.

Published 2019, doi:10.1016/j.compbiomed.2019.05.002.

The submodules carry the names of the published code (github.com/mateuszbuda/
brain-segmentation-pytorch), in its order, so that its published weights load.
"""

from __future__ import annotations

import torch
from torch import nn

DEPTH = 4


class UNet(nn.Module):
    """Four levels down, four up, with the features of each level carried across.

    Args:
        in_channels: channels of the image.
        out_channels: channels of the mask.
        init_features: channels at full resolution; each level down doubles them.
    """

    def __init__(
        self, in_channels: int = 3, out_channels: int = 1, init_features: int = 32
    ) -> None:
        super().__init__()
        widths = [init_features * 2**level for level in range(DEPTH + 1)]
        channels = in_channels
        for level, width in enumerate(widths[:-1], start=1):
            self.add_module(f"encoder{level}", _block(f"enc{level}", channels, width))
            self.add_module(f"pool{level}", nn.MaxPool2d(kernel_size=2, stride=2))
            channels = width
        self.bottleneck = _block("bottleneck", channels, widths[-1])
        for level in range(DEPTH, 0, -1):
            width = widths[level - 1]
            up = nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2)
            self.add_module(f"upconv{level}", up)
            self.add_module(f"decoder{level}", _block(f"dec{level}", 2 * width, width))
        self.conv = nn.Conv2d(init_features, out_channels, kernel_size=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Segment.

        Args:
            image: N x in_channels x H x W; H and W are multiples of 16.

        Returns:
            Probabilities, N x out_channels x H x W.
        """
        carried = []
        features = image
        for level in range(1, DEPTH + 1):
            features = getattr(self, f"encoder{level}")(features)
            carried.append(features)
            features = getattr(self, f"pool{level}")(features)
        features = self.bottleneck(features)
        for level in range(DEPTH, 0, -1):
            features = getattr(self, f"upconv{level}")(features)
            features = torch.cat((features, carried.pop()), dim=1)
            features = getattr(self, f"decoder{level}")(features)
        return torch.sigmoid(self.conv(features))


def _block(prefix: str, in_channels: int, out_channels: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch normalisation and ReLU."""
    block = nn.Sequential()
    for index in (1, 2):
        convolution = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False)
        block.add_module(f"{prefix}conv{index}", convolution)
        block.add_module(f"{prefix}norm{index}", nn.BatchNorm2d(out_channels))
        block.add_module(f"{prefix}relu{index}", nn.ReLU(inplace=True))
        in_channels = out_channels
    return block
