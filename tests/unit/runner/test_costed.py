"""What a cost is told with, and what has none."""

from __future__ import annotations

import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.workload import Shape, Variant
from inferometer.models.inputs import ExampleInputs
from inferometer.runner.workers.costed import OWN_BATCH, costing_of, costing_of_file
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.loading import watch_of

SHAPE = Shape(batch_size=2, input_size=None)
VARIANT = Variant(model="net", backend="torch", precision="fp32")


@pytest.fixture
def harness(tmp_path):
    """A harness around a network or a callable, read from a file of ten bytes."""
    (tmp_path / "net.pt").write_bytes(bytes(10))

    def make(network, session, example, *, files=True):
        model = LoadedModel(
            network=network,
            format=Format.TORCH_MODULE,
            inputs=ExampleInputs(args=(example,)),
            source="file",
            weights="file net.pt",
            notes=("a note",),
            files=(str(tmp_path / "net.pt"),) if files else (),
        )
        watch = watch_of(session, tmp_path, threads=1)
        return Harness(model, session, load_s=None, watch=watch)

    return make


@pytest.fixture
def torch_harness(harness):
    torch = pytest.importorskip("torch")
    from inferometer.backends.torch.session import TorchBackend

    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU()).eval()
    network[0].bias.requires_grad = False
    session, _ = TorchBackend().adopt(network)
    return harness(network, session, torch.zeros(1, 4))


def test_a_cost_says_whose_it_is(torch_harness):
    found = costing_of(torch_harness, VARIANT, SHAPE, may_run=False)
    assert found.cost.macs == 2 * 4 * 3
    assert (found.input_shape, found.batch_size) == ("2x4", 2)
    assert (found.source, found.weights, found.notes) == ("file", "file net.pt", ("a note",))
    assert found.parameters["frozen_parameters"] == 3
    assert [one.size_bytes for one in found.artifacts] == [10]
    assert found.safetensors_bytes > 15 * 4


@pytest.mark.parametrize(("batch", "rows"), [(OWN_BATCH, 2000), (3, 3)])
def test_where_no_batch_is_asked_for_it_is_the_examples_own(harness, batch, rows):
    torch = pytest.importorskip("torch")
    from inferometer.backends.torch.session import TorchBackend

    network = torch.nn.Linear(4, 3).eval()
    session, _ = TorchBackend().adopt(network)
    held = harness(network, session, torch.zeros(2000, 4))
    shape = Shape(batch_size=batch, input_size=None)
    found = costing_of(held, VARIANT, shape, may_run=False)
    assert (found.batch_size, found.cost.macs) == (rows, rows * 4 * 3)
    assert found.input_shape == f"{rows}x4"


@pytest.mark.parametrize(("axis", "own"), [(2, 2), ("N", 1)])
def test_where_no_batch_is_asked_for_it_is_the_files_own(tmp_path, axis, own):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
        [helper.make_tensor_value_info("x", 1, [axis, 4])],
        [helper.make_tensor_value_info("y", 1, None)],
        [helper.make_tensor("w", 1, [4, 8], [1.0] * 32)],
    )  # fmt: skip
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, ir_version=10), path)
    shape = Shape(batch_size=OWN_BATCH, input_size=None)
    found = costing_of_file("m", str(path), shape, precision=None)
    assert (found.batch_size, found.cost.macs) == (own, own * 4 * 8)


def test_the_files_are_in_the_facts_of_the_record(torch_harness, harness):
    from inferometer.backends.python.session import PythonSession

    assert torch_harness.facts["artifact_bytes"] == 10
    built = harness(len, PythonSession(len), [1.0], files=False)
    assert built.facts["artifact_bytes"] is None


def test_a_size_that_changes_nothing_is_refused(torch_harness):
    shape = Shape(batch_size=2, input_size=9)
    with pytest.raises(WorkloadError, match="input size 9 would change nothing") as caught:
        costing_of(torch_harness, VARIANT, shape, may_run=False)
    assert caught.value.kind == "unsupported"


def test_a_callable_cannot_be_looked_into(harness):
    from inferometer.backends.python.session import PythonSession

    with pytest.raises(WorkloadError, match="another callable") as caught:
        costing_of(harness(len, PythonSession(len), [1.0]), VARIANT, SHAPE, may_run=True)
    assert caught.value.kind == "unsupported"
