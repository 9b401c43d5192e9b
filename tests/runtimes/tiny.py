"""A network with what the larger ones have, small enough for tests that everybody runs."""

from __future__ import annotations

import torch
from torch import nn


class Tiny(nn.Module):
    """Down, up again, and beside what was carried across; scores come before features."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.down = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(16, 16, 2, stride=2)
        self.mix = nn.Sequential(nn.Conv2d(32, 8, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, 10)

    def forward(self, image):
        carried = self.stem(image)
        features = self.mix(torch.cat((self.up(self.down(carried)), carried), dim=1))
        return self.head(features.mean(dim=(2, 3))), features


def model():
    """Pictures differ in their colours, so that means over them do."""

    def pictures(batch_size=1, input_size=32):
        noise = torch.rand(batch_size, 3, input_size, input_size)
        return noise + torch.rand(batch_size, 3, 1, 1)

    return Tiny(), pictures
