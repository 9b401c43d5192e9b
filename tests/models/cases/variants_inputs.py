"""Inputs of every type for one linear layer of 8 * 4 = 32 MACs a sample."""

from collections import UserDict, namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

Named = namedtuple("Named", "x")  # noqa: PYI024 - the plain kind


class Takes(nn.Module):
    """Finds the rows in what it gets, wherever they are."""

    def __init__(self, find):
        super().__init__()
        self.find, self.lin = find, nn.Linear(8, 4, bias=False)

    def forward(self, *args, **kwargs):
        return self.lin(self.find(*args, **kwargs))


def _rows():
    return torch.randn(1, 8)


class Attributes(dict):
    """A mapping whose items are attributes too, as tokenizers give it."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def attributes():
    return Takes(lambda batch: batch.x), (Attributes(x=_rows()),)


def user_dict():
    return Takes(lambda batch: batch.data["x"]), (UserDict(x=_rows()),)


def named_tuple():
    return Takes(lambda batch: batch.x), (Named(_rows()),)


def nested():
    return Takes(lambda a, b: b["deep"][1][0].x), ([None, 1], {"deep": (0, [Named(_rows())])})


@dataclass
class Mesh:
    x: torch.Tensor
    name: str = "mesh"
    parts: list[Any] = field(default_factory=lambda: [None, 3.0])


class Subclass(Mesh):
    def rows(self):
        return self.x


def dataclass_with_more():
    return Takes(lambda mesh: mesh.rows()), (Subclass(_rows()),)


def namespace():
    return Takes(lambda batch: batch.x), (SimpleNamespace(x=_rows(), edges=None),)


def scalars():
    return Takes(lambda x, scale, name, none: x * scale), (_rows(), 2.0, "name", None)


def same_twice():
    """One tensor given twice stays one."""
    x = _rows()
    return Takes(lambda a, b: a if a is b else None), (x, x)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(8, 4, bias=False)

    def forward(self, packed):
        return packed._replace(data=self.lin(packed.data))


def packed():
    """Two sequences of 3 and 2 steps: 5 * 32 MACs; a batch of 4 of them 10 * 32, or refused."""
    return Tagger(), (pack_sequence([torch.randn(3, 8), torch.randn(2, 8)]),)


def opaque():
    """The rows lie in what a function closes over: no other batch can be made of them."""
    x = _rows()
    return Takes(lambda give: give()), (lambda: x,)


def iterator():
    """The rows lie in an object of a compiled type."""
    return Takes(lambda rows: torch.stack(rows.__reduce__()[1][0])), (iter([_rows()[0]]),)


def own_shapes(batch_size=3, input_size=8):
    """Makes its inputs of any shape itself."""
    return Takes(lambda batch: batch.x), (Mesh(torch.randn(batch_size, input_size)),)
