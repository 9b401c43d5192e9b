"""What every backend promises, tried on each that is installed."""

from __future__ import annotations

import math
import sys

import pytest

from inferometer.backends import BACKENDS
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.workload import Variant
from inferometer.meters.memory import PeakMemory


class Spec:
    def make(self, *, batch_size, input_size, seed):
        raise AssertionError("a backend makes no inputs")


def doubling(backend):
    """A network that doubles its input, and one input of two rows, for a backend."""
    if backend == "python":
        return (lambda x: [2 * value for value in x]), [1.0, -3.0]
    import torch

    class Double(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    return Double(), torch.tensor([[1.0], [-3.0]])


def load(name, *, precision="fp32", device="cpu", network=None):
    backend = BACKENDS.get(name)()
    backend.start(threads=1)
    model = LoadedModel(
        network=doubling(name)[0] if network is None else network,
        inputs=Spec(), source="test", weights="none",
    )  # fmt: skip
    variant = Variant(model="test", backend=name, precision=precision)
    return backend.load(model, variant, device=device)


installed = [name for name, plugin in BACKENDS.plugins().items() if not plugin.missing]
every_backend = pytest.mark.parametrize("name", installed)


@every_backend
def test_a_call_gives_the_output_of_the_network(name):
    session = load(name)
    call = session.bind(Inputs(args=(doubling(name)[1],), shape="2x1"))
    with session.running():
        output = call()
    assert [float(value) for value in output] == [2.0, -6.0]
    assert session.non_finite(output) is None


@every_backend
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_found_wherever_it_is(name, bad):
    session = load(name)
    _, example = doubling(name)
    value = bad if isinstance(example, list) else example.clone().fill_(bad)
    nested = {"a": [example, (value,)]}
    assert "output.a[1][0]" in session.non_finite(nested)
    assert session.non_finite({"a": example, "label": "cat", "n": 3, "none": None}) is None


@every_backend
def test_minus_infinity_is_legal_and_told(name):
    session = load(name)
    _, example = doubling(name)
    masked = -math.inf if isinstance(example, list) else example.clone().fill_(-math.inf)
    nested = {"a": [example, (masked,)]}
    assert session.non_finite(nested) is None
    assert "output.a[1][0]" in session.minus_infinite(nested)
    assert session.minus_infinite({"a": example}) is None


def outputs(name, dtype):
    """64 MiB of ones, as a network of this backend would give them; whole, and every second."""
    if name == "python":
        import numpy as np

        whole = np.ones((64 << 20) // np.dtype(dtype).itemsize, dtype)
    else:
        import torch

        dtype = getattr(torch, dtype)
        whole = torch.ones((64 << 20) // dtype.itemsize, dtype=dtype)
    return whole, whole[::2]


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_looking_at_an_output_takes_no_memory(name, dtype):
    """It is looked at while the peak of the workload is watched."""
    session = load(name)
    for output in outputs(name, dtype):
        session.non_finite(output)
        meter = PeakMemory()
        meter.begin()
        assert session.non_finite(output) is None
        assert meter.end().rise < 4 << 20
        output[-1] = math.nan
        assert "1 of" in session.non_finite(output)
        output[-1] = 1


@every_backend
def test_unknown_precisions_and_devices_are_unsupported_not_ignored(name):
    for wrong in ({"precision": "int3"}, {"device": "abacus"}):
        with pytest.raises(WorkloadError) as caught:
            load(name, **wrong)
        assert caught.value.kind == "unsupported"


@every_backend
def test_what_is_not_a_model_is_refused(name):
    with pytest.raises(WorkloadError) as caught:
        load(name, network="not a model")
    assert caught.value.kind == "bad_model"


@every_backend
def test_an_error_without_a_meaning_has_no_kind(name):
    assert BACKENDS.get(name)().classify(RuntimeError("boom")) is None
