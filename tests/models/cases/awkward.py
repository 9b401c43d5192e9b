"""Parts of networks that are hard to leave as they were: each takes and gives a batch of rows.

`Awkward` chains parts by their names in `PARTS`. Networks of equal names and seed are twins.
"""

from __future__ import annotations

import functools
import random
import warnings
import weakref
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

WIDTH = 8
TABLES = {}


@functools.cache
def table(width):
    return torch.cos(torch.arange(width).float())


class OwnCache(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = None

    def forward(self, x):
        if self.table is None:
            self.table = torch.sin(torch.arange(x.shape[1]).float())
        return x * self.table


class CacheByShape(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = {}

    def forward(self, x):
        if x.shape not in self.tables:
            self.tables[x.shape] = torch.full(x.shape, 0.5)
        return x * self.tables[x.shape]


class CacheOfTheFile(nn.Module):
    def forward(self, x):
        if x.shape[1] not in TABLES:
            TABLES[x.shape[1]] = torch.linspace(0.5, 1, x.shape[1])
        return x * TABLES[x.shape[1]]


class CacheOfAFunction(nn.Module):
    def forward(self, x):
        return x * table(x.shape[1])


class CacheOfADefault(nn.Module):
    @staticmethod
    def scale(width, known={}):  # noqa: B006 - that is the point
        if width not in known:
            known[width] = torch.full((width,), 0.9)
        return known[width]

    def forward(self, x):
        return x * self.scale(x.shape[1])


class CacheOfTheClass(nn.Module):
    mask = None

    def forward(self, x):
        if CacheOfTheClass.mask is None:
            CacheOfTheClass.mask = torch.arange(x.shape[1]).float()
        return x * CacheOfTheClass.mask


class CachedProperty(nn.Module):
    @functools.cached_property
    def scale(self):
        return torch.full((WIDTH,), 1.1)

    def forward(self, x):
        return x * self.scale


class LateParameter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_parameter("scale", None)

    def forward(self, x):
        if self.scale is None:
            self.scale = nn.Parameter(torch.ones(x.shape[1]))
        return x * self.scale


class LateModule(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = None

    def forward(self, x):
        if self.inner is None:
            self.inner = nn.Linear(x.shape[1], x.shape[1])
        return self.inner(x)


class CountsInABuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(WIDTH))

    def forward(self, x):
        self.calls.add_(1)
        self.mean.mul_(0.9).add_(x.detach().mean(0), alpha=0.1)
        return x - self.mean.clone()


class ReplacesABuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("state", torch.zeros(WIDTH), persistent=False)

    def forward(self, x):
        self.state = 0.5 * self.state + x.detach().mean(0)
        return x + self.state


class ChangesItsWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(WIDTH))

    def forward(self, x):
        with torch.no_grad():
            self.weight.data.clamp_(-1, 1).mul_(0.99)
        return x * self.weight


class ChangesItsInput(nn.Module):
    def forward(self, x):
        return x + 0.5 if x.requires_grad else x.add_(0.5).mul_(2)


class ChangesItThroughNumpy(nn.Module):
    def forward(self, x):
        if not x.requires_grad:
            rows = x.numpy()
            rows *= 0.5
        return x * 1


class Hooked(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin, self.log, self.calls = nn.Linear(WIDTH, WIDTH), [], 0
        self.lin.register_forward_pre_hook(lambda module, args: self.log.append(args[0].sum()))
        self.lin.register_forward_hook(self.count)

    def count(self, module, args, output):
        self.calls += 1
        return output * 2

    def forward(self, x):
        return self.lin(x)


class HooksInForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        if len(self.lin._forward_hooks) < 3:
            self.lin.register_forward_hook(lambda module, args, output: output * 0.9)
        return self.lin(x)


class GlobalRandom(nn.Module):
    def forward(self, x):
        x = functional.dropout(x, 0.3, training=True)
        return x + random.random() + np.random.rand() + torch.rand(1)  # noqa: NPY002 - global


class HeldRandom(nn.Module):
    def __init__(self):
        super().__init__()
        self.torch = torch.Generator().manual_seed(3)
        self.numpy, self.python = np.random.default_rng(3), random.Random(3)

    def forward(self, x):
        noise = torch.rand(x.shape, generator=self.torch)
        return x + noise + float(self.numpy.random()) + self.python.random()


@dataclass
class Held:
    last: torch.Tensor | None = None
    calls: int = 0


class Slots:
    __slots__ = ("calls", "last")

    def __init__(self):
        self.last, self.calls = None, 0


class HoldsObjects(nn.Module):
    def __init__(self):
        super().__init__()
        self.held, self.slots = Held(), Slots()
        self.nested = {"deep": [Held(), (Held(),)]}

    def forward(self, x):
        found = x.detach()
        for one in (self.held, self.slots, self.nested["deep"][0], self.nested["deep"][1][0]):
            x = x if one.last is None else x + one.last.mean()
            one.last, one.calls = found.clone(), one.calls + 1
        return x


class Collections(nn.Module):
    def __init__(self):
        super().__init__()
        self.recent, self.seen, self.order = deque(maxlen=3), set(), OrderedDict()
        self.log, self.by_shape = [torch.zeros(1)], defaultdict(int)
        self.array, self.bytes = np.zeros(3), bytearray(2)

    def forward(self, x):
        self.recent.appendleft(x.detach().mean())
        self.seen.add(len(self.log))
        self.order[len(self.order)] = len(self.seen)
        self.log.append(x.detach()[0])
        self.log[0] += 1
        self.by_shape[x.shape] += 1
        self.array += 1
        self.bytes[0] = (self.bytes[0] + 1) % 256
        return x * (1 + 0.01 * len(self.log)) + sum(self.recent) + float(self.log[0])


class Remembers(nn.Module):
    """Its state lies in what a function closes over."""

    def __init__(self):
        super().__init__()
        calls, known = 0, {}

        def remember(x):
            nonlocal calls
            calls += 1
            known[calls % 3] = x.detach().mean()
            return x + calls * 0.01 + sum(known.values())

        self.remember = remember
        self.known = lambda: (calls, dict(known))

    def forward(self, x):
        return self.remember(x)


class Streams(nn.Module):
    """Cuts its state off when it is told to forget; holds itself in a ring."""

    def __init__(self):
        super().__init__()
        self.state, self.ring = None, []
        self.ring.append(self.ring)
        object.__setattr__(self, "parent", weakref.ref(self))

    def forward(self, x):
        self.state = x.detach() if self.state is None else 0.5 * (self.state + x.detach())
        return x + self.state.roll(1, 0)


class TiedWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.b.weight = self.a.weight
        self.again = self.a

    def forward(self, x):
        return self.again(self.b(self.a(x)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.hidden = nn.GRU(WIDTH, WIDTH, batch_first=True), None

    def forward(self, x):
        output, hidden = self.cell(x[:, None], self.hidden)
        self.hidden = hidden.detach()
        return output[:, 0]


def old_weight_norm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(nn.Linear(WIDTH, WIDTH))


class NormInTraining(nn.Module):
    """Updates its statistics, whatever the mode."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(WIDTH)

    def forward(self, x):
        return self.norm.train()(x)


PARTS = {
    part.__name__: part
    for part in (
        *(OwnCache, CacheByShape, CacheOfTheFile, CacheOfAFunction, CacheOfADefault),
        *(CacheOfTheClass, CachedProperty, LateParameter, LateModule, CountsInABuffer),
        *(ReplacesABuffer, ChangesItsWeight, ChangesItsInput, ChangesItThroughNumpy, Hooked),
        *(HooksInForward, GlobalRandom, HeldRandom, HoldsObjects, Collections, Remembers),
        *(Streams, TiedWeights, Recurrent, NormInTraining),
    )
} | {
    "dropout": lambda: nn.Dropout(0.5),
    "frozen": lambda: nn.Linear(WIDTH, WIDTH).requires_grad_(False),
    "batch_norm": lambda: nn.BatchNorm1d(WIDTH),
    "spectral_norm": lambda: parametrizations.spectral_norm(nn.Linear(WIDTH, WIDTH)),
    "weight_norm": lambda: parametrizations.weight_norm(nn.Linear(WIDTH, WIDTH)),
    "old_weight_norm": old_weight_norm,
}


@dataclass
class Batch:
    rows: torch.Tensor
    name: str = "batch"
    none: None = None


class Named(NamedTuple):
    rows: torch.Tensor
    scale: float = 1.0


class Attributes(dict):
    """A mapping whose items are attributes too, as tokenizers give it."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


INPUTS = {
    "tensor": lambda rows: rows,
    "dict": lambda rows: {"batch": {"rows": rows, "lengths": [1, 2]}},
    "one dict": lambda rows: {"rows": rows, "nothing": None},
    "attributes": lambda rows: (Attributes(rows=rows),),
    "dataclass": lambda rows: (Batch(rows),),
    "named tuple": lambda rows: (Named(rows),),
    "list": lambda rows: ([rows, "text"],),
}


class Awkward(nn.Module):
    """Parts one after the other, between two layers that have weights."""

    def __init__(self, names, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Linear(WIDTH, WIDTH)
        self.parts = nn.ModuleList(PARTS[name]() for name in names)
        self.last = nn.Linear(WIDTH, WIDTH)

    def forward(self, batch):
        if isinstance(batch, list):
            x = batch[0]
        elif isinstance(batch, dict):
            x = batch["rows"]
        else:
            x = getattr(batch, "rows", batch)
        for part in self.parts:
            x = part(x)
        return self.last(torch.tanh(self.first(x)))


def forget():
    """Empty the caches that outlive a network."""
    TABLES.clear()
    table.cache_clear()
    CacheOfADefault.scale.__defaults__[0].clear()
    CacheOfTheClass.mask = None
