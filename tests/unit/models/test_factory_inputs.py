"""Factories that make inputs for the batch size and the input size that are asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inferometer.core.errors import WorkloadError
from inferometer.models import load

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

NET = """
import torch
from torch import nn
CALLS = []

class Net(nn.Module):
    def forward(self, x, *more):
        return x.sum()
"""


@pytest.fixture
def loaded(tmp_path):
    """Load a file with a function `build`, or another one."""

    def load_it(text, options="", factory="build"):
        (tmp_path / "net.py").write_text(NET + text)
        return load(f"{tmp_path / 'net.py'}:{factory}{options}", seed=0)

    return load_it


def made(model, batch_size, input_size=None, seed=0):
    return model.inputs.make(batch_size=batch_size, input_size=input_size, seed=seed)


IMAGES = """
def build(batch_size=1, input_size=224):
    CALLS.append((batch_size, input_size))
    return Net(), torch.randn(batch_size, 3, input_size, input_size)
"""


class TestBothAxes:
    def test_the_factory_is_asked_for_each_shape(self, loaded):
        model = loaded(IMAGES)
        assert made(model, 1).shape == "1x3x224x224"
        assert made(model, 4).shape == "4x3x224x224"
        sized = made(model, 4, 32)
        assert (sized.shape, sized.size_applied) == ("4x3x32x32", True)
        assert tuple(sized.args[0].shape) == (4, 3, 32, 32)
        assert model.inputs.batch_size == 1
        assert model.notes == ()

    def test_the_default_is_the_own_batch_size(self, loaded):
        model = loaded(IMAGES.replace("batch_size=1", "batch_size=6"))
        assert model.inputs.batch_size == 6
        assert made(model, 6).shape == "6x3x224x224"

    def test_the_seed_decides(self, loaded):
        model = loaded(IMAGES)
        first, same, other = (made(model, 1, 8, seed).args[0] for seed in (1, 1, 2))
        assert torch.equal(first, same)
        assert not torch.equal(first, other)

    def test_making_them_disturbs_no_generator(self, loaded):
        model = loaded(IMAGES)
        torch.manual_seed(5)
        first = torch.rand(1)
        torch.manual_seed(5)
        made(model, 2, 8)
        assert torch.equal(torch.rand(1), first)

    def test_a_model_is_not_built_for_each_round(self, loaded):
        model = loaded(IMAGES)
        calls = model.network.forward.__globals__["CALLS"]
        for _ in range(5):
            made(model, 1)
            made(model, 2)
        assert calls == [(1, 224), (1, 224), (2, 224)]  # loaded; then one for each shape

    def test_nobody_else_holds_what_is_given(self, loaded):
        model = loaded(
            "def build(batch_size=1):\n"
            "    x = torch.ones(batch_size, 2)\n"
            "    return Net(), {'x': x, 'more': [x, {'y': x.numpy()}]}\n"
        )
        first = made(model, 2)
        (given,) = first.args
        assert given["x"] is given["more"][0]  # what is one stays one
        given["x"].zero_()
        given["more"][1]["y"][:] = 7
        (again,) = made(model, 2).args
        assert again["x"].tolist() == again["more"][1]["y"].tolist() == [[1, 1], [1, 1]]

    def test_large_inputs_are_not_held_twice(self, loaded, monkeypatch):
        from inferometer.models.inputs import factory

        monkeypatch.setattr(factory, "KEPT_BYTES", 100)
        model = loaded(IMAGES)
        calls = model.network.forward.__globals__["CALLS"]
        before = len(calls)
        one, two = made(model, 1, 8), made(model, 1, 8)
        assert len(calls) == before + 2
        assert torch.equal(one.args[0], two.args[0])

    def test_gradients_of_inputs_stay_asked_for(self, loaded):
        model = loaded(
            "def build(batch_size=1):\n"
            "    return Net(), torch.ones(batch_size, 3, requires_grad=True)\n"
        )
        assert made(model, 2).args[0].requires_grad

    def test_the_mode_of_the_calls_does_not_reach_the_factory(self, loaded):
        model = loaded(
            "def build(batch_size=1):\n"
            "    x = torch.ones(batch_size, 3, requires_grad=True)\n"
            "    return Net(), torch.autograd.grad((x ** 3).sum(), x)\n"
        )
        with torch.inference_mode():
            assert made(model, 2).args[0].tolist() == [[3.0] * 3] * 2

    def test_keyword_arguments_and_objects(self, loaded):
        model = loaded(
            "from dataclasses import dataclass\n"
            "@dataclass\nclass Graph:\n    x: torch.Tensor\n    edges: torch.Tensor\n"
            "def build(*, batch_size=2):\n"
            "    nodes = 10 * batch_size\n"
            "    return Net(), Graph(torch.randn(nodes, 4), torch.zeros(2, 3 * nodes).long())\n"
        )
        inputs = made(model, 64)
        assert inputs.args[0].x.shape == (640, 4)
        assert inputs.args[0].edges.shape == (2, 1920)
        assert model.inputs.batch_size == 2

    def test_callables_without_torch(self, tmp_path):
        (tmp_path / "plain.py").write_text(
            "import numpy as np\ndef build(batch_size=1):\n    return np.sum, np.ones((batch_size, 2))\n"
        )
        model = load(f"{tmp_path / 'plain.py'}:build", seed=0)
        assert made(model, 3).args[0].shape == (3, 2)

    def test_the_network_is_the_first_one(self, loaded):
        model = loaded(
            "def build(batch_size=1):\n    return nn.Linear(3, 2), torch.ones(batch_size, 3)\n"
        )
        weight = model.network.weight.clone()
        made(model, 2)
        assert torch.equal(model.network.weight, weight)


class TestOneAxis:
    def test_rows_of_a_factory_that_takes_the_size(self, loaded):
        model = loaded(
            "def build(input_size=16):\n    return Net(), torch.randn(2, 3, input_size, input_size)\n"
        )
        assert model.inputs.batch_size == 2
        assert made(model, 5, 8).shape == "5x3x8x8"

    def test_the_size_of_a_factory_that_takes_the_batch(self, loaded):
        model = loaded(
            "def build(batch_size=1):\n    return Net(), torch.randn(batch_size, 3, 16, 16)\n"
        )
        assert made(model, 5, 8).shape == "5x3x8x8"
        assert made(model, 5).shape == "5x3x16x16"

    def test_rows_are_the_factorys_where_it_takes_the_batch(self, loaded):
        model = loaded(
            "def build(batch_size=1):\n"
            "    return Net(), (torch.randn(9, batch_size, 4), torch.ones(7, 7))\n"
        )
        assert made(model, 3).shape == "9x3x4, 7x7"

    def test_options_of_the_reference_are_no_axes(self, loaded):
        model = loaded(IMAGES, "?batch_size=3")
        assert model.inputs.batch_size == 3  # rows of an example, which are repeated or cut
        assert made(model, 2, 8).shape == "2x3x8x8"
        assert made(loaded(IMAGES, "?input_size=8"), 2).shape == "2x3x8x8"

    def test_without_a_default(self, loaded):
        model = loaded("def build(batch_size):\n    return Net(), torch.ones(batch_size, 3)\n")
        assert (model.inputs.batch_size, made(model, 4).shape) == (1, "4x3")
        with pytest.raises(
            WorkloadError, match=r"takes input_size without a default; give it"
        ) as caught:
            loaded("def build(input_size):\n    return Net(), torch.ones(1, input_size)\n")
        assert caught.value.kind == "unsupported"

    def test_a_model_alone_gets_images(self, loaded):
        model = loaded("def build(batch_size=1, input_size=32):\n    return nn.Conv2d(4, 1, 1)\n")
        assert made(model, 2, 16).shape == "2x4x16x16"
        assert "assumed" in model.notes[0]

    def test_the_input_option_wins(self, loaded):
        assert made(loaded(IMAGES, "?input=5"), 2).shape == "2x5"


class TestFunctionsThatMakeInputs:
    def test_it_takes_both(self, loaded):
        model = loaded(
            "def inputs(batch_size=2, input_size=8):\n"
            "    return {'x': torch.ones(batch_size, input_size)}\n"
            "def build():\n    CALLS.append(1)\n    return Net(), inputs\n"
        )
        assert model.inputs.batch_size == 2
        assert made(model, 3).kwargs["x"].shape == (3, 8)
        assert made(model, 3, 5).kwargs["x"].shape == (3, 5)
        assert model.network.forward.__globals__["CALLS"] == [1]

    def test_it_needs_a_size(self, loaded):
        model = loaded(
            "def build():\n    return Net(), lambda input_size: torch.ones(2, 3, input_size, 4)\n"
        )
        assert made(model, 3, 5).shape == "3x3x5x4"
        with pytest.raises(WorkloadError, match="has no default for input_size: ask for") as caught:
            made(model, 3)
        assert caught.value.kind == "unsupported"

    def test_other_functions_are_arguments(self, loaded):
        model = loaded("def build():\n    return Net(), (torch.ones(1, 2), torch.relu)\n")
        assert made(model, 2).args[1] is torch.relu


class TestWhatIsNotBelieved:
    @pytest.mark.parametrize("inputs", ["torch.ones(1, 512)", "(torch.ones(1, 5), torch.ones(3))"])
    def test_inputs_that_stay_the_same(self, loaded, inputs):
        model = loaded(f"def build(batch_size=1):\n    return Net(), {inputs}\n")
        said = r"^batch size 64: .*:build made inputs like those for batch size 1 \(1x"
        with pytest.raises(WorkloadError, match=said) as caught:
            made(model, 64)
        assert caught.value.kind == "unsupported"

    def test_inputs_that_stop_growing(self, loaded):
        model = loaded(
            "def build(batch_size=1):\n    return Net(), torch.ones(min(batch_size, 4), 2)\n"
        )
        assert made(model, 8).shape == "4x2"
        with pytest.raises(WorkloadError, match=r"^batch size 64: .* batch size 8 \(4x2\)"):
            made(model, 64)

    def test_at_a_size_that_no_other_batch_was_made_for(self, loaded):
        model = loaded(IMAGES.replace("randn(batch_size", "randn(1"))
        with pytest.raises(WorkloadError, match=r"batch size 8: .* batch size 1 "):
            made(model, 8, 32)

    @pytest.mark.parametrize(
        "inputs",
        [
            "(torch.ones(batch_size, 5), torch.ones(7, 7))",
            "[[torch.ones(3)] * batch_size]",
            "(torch.ones(3), batch_size)",
            "[['a text'] * batch_size]",
            "nn.utils.rnn.pack_sequence([torch.ones(3, 2)] * batch_size)",
        ],
    )
    def test_inputs_of_which_a_part_grows(self, loaded, inputs):
        model = loaded(f"def build(batch_size=1):\n    return Net(), {inputs}\n")
        made(model, 64)

    def test_a_size_without_effect_is_told(self, loaded):
        model = loaded(IMAGES.replace("input_size, input_size)", "8, 8)"))
        assert not made(model, 1, 32).size_applied
        assert not made(model, 2, 32).size_applied
        assert made(model, 2, 224).size_applied  # the default is what it would be
        assert made(loaded(IMAGES), 2, 32).size_applied


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("if batch_size > 1: raise ValueError('no')", r"net.py:build: ValueError: no$"),
        ("if batch_size > 1: return Net()", "gave no inputs for batch size 2, but before"),
        ("if batch_size > 1: import sys; sys.exit()", "SystemExit"),
    ],
)
def test_what_goes_wrong_is_a_bad_model(loaded, body, problem):
    model = loaded(
        f"def build(batch_size=1):\n    {body}\n    return Net(), torch.ones(batch_size, 2)\n"
    )
    with pytest.raises(WorkloadError, match=problem) as caught:
        made(model, 2)
    assert caught.value.kind == "bad_model"


DOCUMENTED = Path(__file__).parents[3] / "docs/how-to/own-models.md"


@pytest.mark.parametrize(
    ("number", "shape", "sized"), [(0, "3x10", None), (1, "128x3x16", 32), (2, "3x3x224x224", 32)]
)
def test_the_documented_examples(tmp_path, number, shape, sized, run_once):
    example = re.findall(r"```python\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)[number]
    (tmp_path / "net.py").write_text(example)
    model = load(f"{tmp_path / 'net.py'}:build", seed=0)
    assert made(model, 3).shape == shape
    assert run_once(model, batch_size=3).isfinite().all()
    assert sized is None or str(sized) in made(model, 3, sized).shape
