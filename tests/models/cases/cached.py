"""Tensors kept outside the module: an lru_cache, and a plain object that the module holds."""

import functools

import torch
from torch import nn


@functools.cache
def sincos(length, width):
    pos = torch.arange(length, dtype=torch.float32)[:, None]
    freq = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-9.21 / width))
    return torch.cat([torch.sin(pos * freq), torch.cos(pos * freq)], dim=1)


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(64, 64, bias=False)

    def forward(self, x):
        return self.proj(x + sincos(x.shape[1], 64))


class Memory:
    last = None


class Stream(nn.Module):
    def __init__(self):
        super().__init__()
        self.memory, self.conv = Memory(), nn.Conv1d(8, 8, 3, bias=False)

    def forward(self, x):
        past = torch.zeros(x.shape[0], 8, 2) if self.memory.last is None else self.memory.last
        x = torch.cat([past, x], 2)
        self.memory.last = x[:, :, -2:].clone()
        return self.conv(x)


def positions():  # 16 * 64 * 64 = 65,536 MACs
    return Positions(), torch.randn(1, 16, 64)


def stream():  # 16 * 8 * 24 = 3,072 MACs
    return Stream(), torch.randn(1, 8, 16)
