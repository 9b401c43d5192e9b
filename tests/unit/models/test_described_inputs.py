"""Inputs of any kind as a description from which arrays are made without the model."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.models.inputs import ExampleInputs, described, images
from inferometer.models.inputs.described import described_at
from inferometer.runner.workers.codec import decode, encode


class Made:
    """Inputs from a function of the shape, as a user's own spec makes them."""

    batch_size = 1

    def __init__(self, make):
        self._make = make

    def make(self, *, batch_size, input_size, seed):
        kwargs = self._make(batch_size, input_size or 8, np.random.default_rng(seed))
        return Inputs(args=(), kwargs=kwargs, shape="")


def test_generated_inputs_are_described_by_themselves():
    spec = images(size=32)
    assert described(spec) is spec


def test_an_example_keeps_its_names_types_and_values_at_any_batch():
    tokens = np.array([[5, 7, 9, 2], [1, 2, 3, 4]], dtype=np.int32)
    example = ExampleInputs(
        args=(tokens,), kwargs={"rate": np.array(16000), "mask": np.ones((2, 4), bool)}
    )
    spec = described(example)
    assert decode(encode(spec), type(spec)) == spec  # survives as JSON
    made = spec.make(batch_size=3, input_size=None, seed=0)
    assert made.args[0].dtype == np.int32
    np.testing.assert_array_equal(made.args[0], tokens[[0, 1, 0]])
    assert made.kwargs["rate"] == 16000
    assert made.kwargs["mask"].dtype == bool
    longer = spec.make(batch_size=1, input_size=6, seed=0)
    np.testing.assert_array_equal(longer.args[0], [[5, 7, 9, 2, 5, 7]])
    assert longer.kwargs["mask"].shape == (1, 6)


def test_large_arrays_keep_their_range():
    values = np.random.default_rng(0).integers(3, 200, (2, 3, 64, 64), dtype=np.uint8)
    floats = np.linspace(0.25, 0.75, 3 * 64 * 64, dtype=np.float64).reshape(1, 3, 64, 64)
    spec = described(ExampleInputs(kwargs={"pixels": values, "floats": np.repeat(floats, 2, 0)}))
    made = spec.make(batch_size=4, input_size=32, seed=0).kwargs
    assert made["pixels"].dtype == np.uint8
    assert made["pixels"].min() >= 3
    assert made["floats"].shape == (4, 3, 32, 32)
    assert made["floats"].dtype == np.float32
    assert 0.25 <= made["floats"].min() < made["floats"].max() <= 0.75


def test_axes_are_found_wherever_they_are():
    def make(batch, size, random):
        return {
            "frames": random.standard_normal((size, batch, 80)),
            "table": np.arange(5),
            "flags": np.zeros(batch, dtype=bool),
        }

    made = described(Made(make)).make(batch_size=4, input_size=16, seed=0).kwargs
    assert {name: array.shape for name, array in made.items()} == {
        "frames": (16, 4, 80),
        "table": (5,),
        "flags": (4,),
    }


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda batch, size, _: {"x": np.ones((batch, size // 2))},
            "axis 1 of input x is 2 long where",
        ),
        (lambda batch, size, _: {"x": np.ones((batch, size)), "n": size}, "more changes"),
        (lambda batch, size, _: {"n": np.full(batch, size)}, "the numbers in input n change"),
        (lambda batch, size, _: {"x": np.array(["a"] * batch)}, "x is of the type"),
        (lambda batch, size, _: {"x": np.ones((batch, size), complex)}, "complex128"),
    ],
)
def test_what_no_description_tells_is_refused(make, said):
    with pytest.raises(WorkloadError, match=said) as caught:
        described(Made(make))
    assert caught.value.kind == "unsupported"


def test_one_shape_can_be_described_where_others_cannot():
    spec = Made(
        lambda batch, size, _: {"x": np.ones((batch, size // 2)), "n": np.full(batch, size)}
    )
    found = described_at(spec, batch_size=2, input_size=10, seed=0)
    made = found.make(batch_size=2, input_size=10, seed=0).kwargs
    assert made["x"].shape == (2, 5)
    np.testing.assert_array_equal(made["n"], [10, 10])
    with pytest.raises(WorkloadError, match="the model takes 2 alone"):
        found.make(batch_size=3, input_size=10, seed=0)
