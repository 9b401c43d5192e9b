"""Networks and files that change what lies outside them."""

import os

import numpy as np
import torch
from torch import nn

SEEN = []
TABLES = {}


class Records(nn.Module):
    """Notes what holds during its calls."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(8, 4, bias=False)

    def forward(self, x):
        SEEN.append((torch.get_num_threads(), torch.get_default_dtype()))
        return self.lin(x.to(self.lin.weight.dtype))


def default_dtype():
    torch.set_default_dtype(torch.float64)
    return Records(), torch.randn(1, 8)


def environment():
    os.environ["SOME_VARIABLE_OF_THE_MODEL"] = "1"
    return Records(), torch.randn(1, 8)


def folder():
    os.chdir("/")
    return Records(), torch.randn(1, 8)


def deterministic():
    torch.use_deterministic_algorithms(True)
    return Records(), torch.randn(1, 8)


class SetsThreads(Records):
    def forward(self, x):
        torch.set_num_threads(1)
        return super().forward(x)


def threads_in_its_calls():
    return SetsThreads(), torch.randn(1, 8)


class ThroughNumpy(nn.Module):
    def forward(self, x):
        rows = x.detach().numpy()
        np.multiply(rows, 3, out=rows)
        return x * 1


def through_numpy():
    return ThroughNumpy(), torch.rand(1, 8)


class Pops(nn.Module):
    def forward(self, batch):
        return batch.pop("x").mul_(3)


def pops():
    return Pops(), ({"x": torch.rand(1, 8)},)


class Tables(nn.Module):
    """Keeps a table in its file, and what autograd keeps of it."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(8, 8, bias=False)

    def forward(self, x):
        table = TABLES.setdefault(x.shape[1], torch.arange(x.shape[1]).float())
        return self.lin(x) * table


def tables():  # 64 MACs
    return Tables(), torch.randn(1, 8)
