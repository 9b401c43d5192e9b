"""Errors of the model's own code are told from what torch refuses."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inferometer.backends.torch.refusals import classify  # noqa: E402

nn = torch.nn


def own_words():
    raise ValueError("the shape of my configuration is out of range")


def own_index():
    empty: list[int] = []
    return empty[0]


def not_written():
    raise NotImplementedError


def asserted():
    assert torch.ones(2).shape == (3,), "expected another shape: must match"


@pytest.mark.parametrize(
    "fault",
    [
        own_words,
        own_index,
        not_written,
        asserted,
        lambda: tuple(range(2))[5],
        lambda: "text"[9],
        lambda: {}["shape"],
        lambda: dt.date(2020, 2, 31),  # "day is out of range for month"
        lambda: nn.Module()(1),  # misses its forward
        lambda: 1 / 0,
    ],
)
def test_an_error_of_the_models_own_code_is_no_shape(fault):
    with pytest.raises(Exception) as caught:
        fault()
    assert classify(caught.value) is None


@pytest.mark.parametrize(
    "refused",
    [
        lambda: nn.Linear(3, 4)(torch.ones(2, 5)),
        lambda: nn.Embedding(3, 2)(torch.tensor([5])),
        lambda: torch.embedding(torch.ones(2, 2), torch.tensor([9])),
        lambda: torch.ones(3)[5],
        lambda: torch.ones(3)[torch.tensor([9])],
        lambda: torch.ones(3).sum(4),
        lambda: nn.Conv2d(3, 4, 9)(torch.ones(1, 3, 4, 4)),
        lambda: nn.BatchNorm1d(3).train()(torch.ones(1, 3)),  # raised in torch's own Python
        lambda: torch.cat([torch.ones(2, 3), torch.ones(2, 4)], 0),
        lambda: torch.ones(6).view(4),
        lambda: np.ones(3)[7],
    ],
)
def test_what_torch_refuses_is_unsupported(refused):
    with pytest.raises(Exception) as caught:
        refused()
    assert classify(caught.value) == "unsupported"


def test_memory_that_cannot_be_had():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert classify(caught.value) == "out_of_memory"
