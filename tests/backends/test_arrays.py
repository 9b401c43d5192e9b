"""Inputs are described once, as arrays; a session makes of them what its models take."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.backends import backend
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.workload import Variant
from inferometer.models.inputs import images

torch = pytest.importorskip("torch")


def seen_by(name, network, form, spec):
    """What a network got in a call."""
    model = LoadedModel(network=network, format=form, inputs=spec, source="test", weights="none")
    variant = Variant(model="test", backend=name, precision="fp32")
    session = backend(name).load(model, variant, device="cpu")
    inputs = spec.make(batch_size=2, input_size=None, seed=0)
    return session.bind(inputs)(), inputs.args[0]


@pytest.mark.parametrize("name", ["torch", "python"])
def test_a_module_gets_tensors_in_the_same_memory(name):
    got, made = seen_by(name, torch.nn.Identity(), Format.TORCH_MODULE, images(size=8))
    assert isinstance(made, np.ndarray)
    assert isinstance(got, torch.Tensor)
    assert got.data_ptr() == made.ctypes.data


def test_a_list_of_arrays_becomes_one_of_tensors():
    spec = type(images())(tensors=images(size=8).tensors, as_list=True)
    got, _ = seen_by("torch", torch.nn.Identity(), Format.TORCH_MODULE, spec)
    assert [tuple(one.shape) for one in got] == [(3, 8, 8)] * 2
    assert all(isinstance(one, torch.Tensor) for one in got)


def test_a_function_gets_them_as_they_are():
    got, made = seen_by("python", lambda x: x, Format.CALLABLE, images(size=8))
    assert got is made
