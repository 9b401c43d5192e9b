"""What every backend promises, tried on each that is installed, those of other packages too.

    pytest tests/backends/test_conformance.py -k NAME

A backend gets a network of a format that it accepts; docs/how-to/add-a-backend.md says how to run
this on a backend of your own.
"""

from __future__ import annotations

import math
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import BACKENDS, backend
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import (
    Backend,
    Session,
    SupportsDeviceMemory,
    SupportsErrorKinds,
    SupportsLiveModels,
    SupportsOutputs,
    SupportsSettings,
)
from inferometer.core.registry import lacking
from inferometer.core.workload import Variant
from inferometer.meters.memory import PeakMemory

EXAMPLE = [[1.0], [-3.0]]


class Spec:
    def make(self, *, batch_size, input_size, seed):
        raise AssertionError("a backend makes no inputs")


def as_torch(values, dtype="float32"):
    import torch

    return torch.as_tensor(values, dtype=getattr(torch, dtype))


def as_numpy(values, dtype="float32"):
    return np.asarray(values, dtype)


def torch_doubling():
    import torch

    class Double(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    return Double()


def onnx_doubling():
    helper = pytest.importorskip("onnx").helper
    x, y = (helper.make_tensor_value_info(name, 1, ["n", "m"]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", [x], [y])
    opsets = [helper.make_opsetid("", 17)]
    path = Path(tempfile.mkdtemp()) / "double.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    )
    return path


KITS = {
    Format.CALLABLE: (lambda: lambda x: 2 * x, as_numpy),
    Format.TORCH_MODULE: (torch_doubling, as_torch),
    Format.ONNX: (onnx_doubling, as_numpy),
}
"""Format → what makes a network that doubles its input, or the path of its file, and what makes an
array for it."""


def kit(name):
    """A format that a backend is tried with, and its tools."""
    for accepted, tools in KITS.items():
        if accepted in backend(name).accepts:
            return accepted, *tools
    pytest.skip(f"there is no network yet in a format that {name} accepts")


def inputs(name):
    return Inputs(args=(kit(name)[2](EXAMPLE),), shape="2x1")


def load(name, *, precision=None, device=None, network=None):
    used = backend(name)
    used.start(threads=1)
    accepted, network_of, _ = kit(name)
    made = network_of() if network is None else network
    parts = (
        {"network": None, "files": (str(made),)} if isinstance(made, Path) else {"network": made}
    )
    model = LoadedModel(**parts, format=accepted, inputs=Spec(), source="test", weights="none")
    variant = Variant(model="test", backend=name, precision=precision or used.precisions[0])
    return used.load(model, variant, device=device or used.devices[0])


def rows(session, output):
    """What a network gave for each of the rows of the example."""
    arrays = session.outputs(output) if isinstance(session, SupportsOutputs) else output
    return [float(row[0]) for row in arrays]


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """Files of networks go where the test's own do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


installed = [name for name in BACKENDS.names() if not BACKENDS.find(name).missing]
SLOW = {"torch-compile": [pytest.mark.runtimes]}
"""It compiles for each test; what it does is tested in `test_torch_compile` too."""
every_backend = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=SLOW.get(name, [])) for name in installed]
)


@every_backend
def test_it_has_all_that_the_protocol_asks_for(name):
    used = backend(name)
    assert lacking(used, Backend) == []
    assert used.accepts
    assert all(isinstance(one, Format) for one in used.accepts)
    for names in (used.precisions, used.devices):
        assert isinstance(names, tuple)
        assert names
        assert all(isinstance(one, str) and one for one in names)


@every_backend
def test_a_session_has_all_that_the_protocol_asks_for(name):
    session = load(name)
    assert lacking(session, Session) == []
    assert session.device == backend(name).devices[0]


@every_backend
def test_a_call_gives_the_output_of_the_network(name):
    session = load(name)
    call = session.bind(inputs(name))
    with session.running():
        for output in (call(), call()):
            assert rows(session, output) == [2.0, -6.0]
            assert session.non_finite(output) is None


@every_backend
def test_each_precision_loads_and_computes(name):
    precisions = backend(name).precisions
    for precision in precisions:
        try:
            session = load(name, precision=precision)
        except WorkloadError as error:
            if error.kind != "unsupported" or precision == precisions[0]:
                raise
            continue  # not every processor has it
        with session.running():
            output = session.bind(inputs(name))()
        assert rows(session, output) == [2.0, -6.0], precision


def load_in_last_precision(name):
    """Of those that the processor, and a network without weights, can have."""
    for precision in reversed(backend(name).precisions):
        with suppress(WorkloadError):
            return load(name, precision=precision)
    raise AssertionError("none loads")


@every_backend
def test_placed_inputs_are_the_sessions_own(name):
    session = load_in_last_precision(name)
    given = inputs(name)
    before = given.args[0].dtype
    placed = session.place(given)
    assert isinstance(placed, PlacedInputs)
    assert placed.shape == given.shape
    assert given.args[0].dtype == before
    with session.running():
        assert rows(session, session.bind(placed)()) == [2.0, -6.0]


@every_backend
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_found_wherever_it_is(name, bad):
    session, array = load(name), kit(name)[2]
    nested = {"a": [array(EXAMPLE), (array([[bad]]),)]}
    assert "output.a[1][0]" in session.non_finite(nested)
    assert "output.b" in session.non_finite({"b": bad})
    fine = {"a": array(EXAMPLE), "label": "cat", "n": 3, "none": None}
    assert session.non_finite(fine) is None


@every_backend
def test_minus_infinity_is_legal_and_told(name):
    session, array = load(name), kit(name)[2]
    nested = {"a": [array(EXAMPLE), (array([[-math.inf]]),)]}
    assert session.non_finite(nested) is None
    assert "output.a[1][0]" in session.minus_infinite(nested)
    assert session.minus_infinite({"a": array(EXAMPLE)}) is None


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_looking_at_an_output_takes_no_memory(name, dtype):
    """It is looked at while the peak of the workload is watched."""
    session, array = load(name), kit(name)[2]
    whole = array(np.ones((64 << 20) // np.dtype(dtype).itemsize, dtype), dtype)
    for output in (whole, whole[::2]):
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
    used = backend(name)
    if isinstance(used, SupportsErrorKinds):
        assert used.classify(RuntimeError("boom")) is None


@every_backend
def test_settings_are_read_without_a_change_to_them(name):
    used = backend(name)
    used.start(threads=1)
    if isinstance(used, SupportsSettings):
        before = dict(used.settings())
        assert all(isinstance(value, str | int | bool) for value in before.values())
        assert used.setting_changes(before) == []


@every_backend
def test_a_meter_of_device_memory_gives_the_field_and_its_counter(name):
    session = load(name)
    meter = session.device_memory() if isinstance(session, SupportsDeviceMemory) else None
    if meter is not None:
        meter.begin()
        assert meter.end().keys() == {"device_memory_bytes", "memory_counter"}


@every_backend
def test_a_live_model_is_taken_over_as_it_is(name):
    used, network = backend(name), kit(name)[1]()
    if not isinstance(used, SupportsLiveModels):
        return
    used.start(threads=1)
    assert not used.can_adopt("not a model")
    assert used.can_adopt(network)
    session, precision = used.adopt(network)
    assert lacking(session, Session) == []
    assert precision in used.precisions
    with session.running():
        assert rows(session, session.bind(inputs(name))()) == [2.0, -6.0]
