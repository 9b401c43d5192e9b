"""Which mode without gradients a model bears, by what its calls show."""

from __future__ import annotations

import functools
import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inferometer.backends.torch.session import TorchSession  # noqa: E402
from inferometer.core.model import Inputs  # noqa: E402
from inferometer.core.nested import mapped  # noqa: E402
from inferometer.runner.workers.calls import Manner  # noqa: E402
from inferometer.runner.workers.first_calls import FirstCalls  # noqa: E402

nn = torch.nn


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 4)

    def forward(self, x):
        return {"logits": self.lin(x)}


class Forces(Plain):
    """Differentiates inside, as models of molecules do."""

    def forward(self, x):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.lin(x).sum(), x)
        return slope


class SilentlyOther(Plain):
    """Gives zeros where no gradient can be had."""

    def forward(self, x):
        with torch.enable_grad():
            y = self.lin(x.detach().requires_grad_())
        return y if y.requires_grad else torch.zeros_like(y)


class Keeps(Plain):
    table = None

    def forward(self, x):
        if self.table is None:
            self.table = torch.cos(x)
        return self.lin(x) * self.table


@functools.lru_cache
def cached(length):
    return torch.arange(length).float()


class KeepsElsewhere(Plain):
    def forward(self, x):
        return self.lin(x) + cached(x.shape[1])


class Random(Plain):
    def forward(self, x):
        noise = torch.rand_like(x) + random.random() + np.random.rand()  # noqa: NPY002
        return self.lin(x) + noise


class Counts(Plain):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return self.lin(x) * self.calls


def settled(module, **extra):
    """The mode that a module gets, and the note about it."""
    torch.manual_seed(0)
    session = TorchSession(module().eval() if isinstance(module, type) else module, device="cpu", dtype=torch.float32)  # fmt: skip
    inputs = Inputs(args=(torch.randn(2, 4),), shape="2x4", **extra)

    def placed():
        args = mapped(inputs.args, lambda leaf: leaf.clone())
        return session.place(Inputs(args=args, shape="2x4"))

    first = FirstCalls(session, placed(), Manner(), placed)
    assert first.make() > 0
    return session.gradient_mode, " ".join(map(str, first.variant_notes))


@pytest.mark.parametrize("module", [Plain, Random])
def test_inference_mode_where_it_gives_the_same(module):
    assert settled(module) == ("inference_mode", "")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Forces, "under inference_mode it fails"),
        (SilentlyOther, "under inference_mode its output differs"),
        (Keeps, "keeps tensors"),
        (KeepsElsewhere, "keeps tensors"),
        (Counts, "differs from call to call"),
    ],
)
def test_no_grad_where_it_does_not_and_why(module, reason):
    cached.cache_clear()
    mode, note = settled(module)
    assert mode == "no_grad"
    assert reason in note


def test_a_module_without_gradients_anywhere_is_in_the_mode_that_was_chosen():
    session = TorchSession(Plain(), device="cpu", dtype=torch.float32)
    for mode, inference in (("inference_mode", True), ("no_grad", False)):
        session.settle_gradient_mode(mode)
        assert session.gradient_trial() is None
        with session.running():
            assert torch.is_inference_mode_enabled() is inference
            assert not torch.is_grad_enabled()


def test_a_compiled_module_is_compiled_once():
    compiled = []

    def backend(graph, _):
        compiled.append(graph)
        return graph.forward

    mode, note = settled(torch.compile(Plain().eval(), backend=backend))
    assert (mode, len(compiled)) == ("no_grad", 1)
    assert "compiled" in note


def test_a_shape_that_inference_mode_does_not_bear_is_called_without_it():
    class Sometimes(Forces):
        def forward(self, x):
            return super().forward(x) if len(x) > 2 else self.lin(x)

    session = TorchSession(Sometimes().eval(), device="cpu", dtype=torch.float32)
    for rows, mode in ((2, "inference_mode"), (4, "no_grad")):

        def placed(rows=rows):
            return session.place(Inputs(args=(torch.ones(rows, 4),), shape=""))

        first = FirstCalls(session, placed(), Manner(), placed)
        first.make()
        assert session.gradient_mode == mode
    assert "under inference_mode a shape fails" in str(first.variant_notes[0])
