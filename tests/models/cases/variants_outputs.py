"""Outputs of every type, and exceptions of the model's own code. Each factory gives one network."""

from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import nn

Pair = namedtuple("Pair", "logits scores")  # noqa: PYI024 - the plain kind


class Plain:
    def __init__(self, logits):
        self.logits = logits


class Slots:
    __slots__ = ("logits",)

    def __init__(self, logits):
        self.logits = logits


@dataclass(frozen=True)
class Frozen:
    parts: tuple


class Gives(nn.Module):
    def __init__(self, wrap, value):
        super().__init__()
        self.lin, self.wrap, self.value = nn.Linear(8, 16), wrap, value

    def forward(self, x):
        logits = self.lin(x)
        logits[:, 0] = self.value
        return self.wrap(logits)


def _gives(wrap, value=float("nan")):
    return Gives(wrap, value), torch.randn(1, 8)


def named_tuple():
    return _gives(lambda logits: Pair(logits.sum().isnan(), logits))


def plain():
    return _gives(Plain)


def slots():
    return _gives(Slots)


def frozen():
    return _gives(lambda logits: Frozen(({"deep": [Plain(logits)]},)))


def namespace():
    return _gives(lambda logits: SimpleNamespace(scores=None, logits=logits))


def half():
    return _gives(lambda logits: Pair(1, logits.half()))


def infinite():
    return _gives(Plain, float("inf"))


def masked_in_a_tuple():
    return _gives(lambda logits: Pair(None, logits), float("-inf"))


class OwnIndex(nn.Module):
    def forward(self, x):
        return x + [][0]  # noqa: PLE0643 - that is the point


def own_index():
    return OwnIndex(), torch.randn(1, 8)


class OwnRange(nn.Module):
    def forward(self, x):
        return x + range(3)[5]


def own_range():
    return OwnRange(), torch.randn(1, 8)


class OwnValue(nn.Module):
    def forward(self, x):
        return x + int("shape")


def own_value():
    return OwnValue(), torch.randn(1, 8)
