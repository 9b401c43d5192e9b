"""The backend `onnxruntime`: sessions of files, their inputs, threads, and refusals."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

import numpy as np  # noqa: E402 - after the skips
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.backends.onnxruntime.session import OnnxRuntimeBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.model import Inputs  # noqa: E402
from inferometer.core.protocols import (  # noqa: E402
    SupportsErrorKinds,
    SupportsOutputs,
    SupportsSettings,
)
from inferometer.core.workload import Variant  # noqa: E402
from inferometer.models import load as load_model  # noqa: E402

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(6, 4)).astype("float32")
node = helper.make_node


@pytest.fixture
def saved(tmp_path):
    """Save a model; gives its path."""

    def save(nodes, inputs, outputs=("y",), weights=(), *, name="m.onnx", **made):
        graph = helper.make_graph(
            nodes, "g",
            [helper.make_tensor_value_info(name, *what) for name, what in inputs.items()],
            [helper.make_tensor_value_info(name, made.pop("gives", FLOAT), None) for name in outputs],
            [numpy_helper.from_array(array, name) for name, array in dict(weights).items()],
        )  # fmt: skip
        opsets = [helper.make_opsetid("", made.pop("opset", 17)), helper.make_opsetid("acme", 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / name)
        return tmp_path / name

    return save


@pytest.fixture
def dense(saved):
    """A layer of 6 features and 4 results, with an open batch."""
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Relu", ["h"], ["y"])]
    return saved(nodes, {"x": (FLOAT, ["batch", 6])}, weights={"w": WEIGHTS})


def session_of(model, *, backend=None, threads=1, precision="fp32", device="cpu"):
    backend = backend or OnnxRuntimeBackend()
    backend.start(threads=threads)
    variant = Variant(model="m.onnx", backend="onnxruntime", precision=precision)
    return backend.load(model, variant, device=device)


def loaded(path, **how):
    """The model and its session, as a worker makes them."""
    model = load_model(str(path), seed=0)
    return model, session_of(model, **how)


def called(session, inputs):
    with session.running():
        return session.outputs(session.bind(inputs)())


def refusal(path, **how):
    with pytest.raises(WorkloadError) as caught:
        loaded(path, **how)
    assert "\n" not in str(caught.value)
    assert "/onnxruntime_src/" not in str(caught.value)
    return caught.value.kind, str(caught.value)


def given(*args, **kwargs):
    return Inputs(args=args, kwargs=kwargs, shape="")


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_outputs_are_those_of_the_same_computation(dense, batch):
    model, session = loaded(dense)
    inputs = model.inputs.make(batch_size=batch, input_size=None, seed=3)
    expected = np.maximum(inputs.kwargs["x"] @ WEIGHTS, 0)
    np.testing.assert_allclose(called(session, inputs), expected, rtol=1e-5, atol=1e-6)
    assert inputs.shape == f"x={batch}x6"


def test_outputs_equal_those_of_torch(saved):
    torch = pytest.importorskip("torch")
    kernel = RANDOM.normal(size=(5, 3, 3, 3)).astype("float32")
    path = saved(
        [node("Conv", ["x", "w"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1])],
        {"x": (FLOAT, ["n", 3, "height", "width"])}, weights={"w": kernel},
    )  # fmt: skip
    model, session = loaded(path)
    for size in (16, 33):
        inputs = model.inputs.make(batch_size=2, input_size=size, seed=0)
        pictures = torch.from_numpy(inputs.kwargs["x"])
        expected = torch.nn.functional.conv2d(pictures, torch.from_numpy(kernel), None, 2, 1)
        np.testing.assert_allclose(called(session, inputs), expected, rtol=1e-4, atol=1e-5)


def test_several_inputs_and_outputs_by_their_names(saved):
    path = saved(
        [node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["difference"])],
        {"a": (FLOAT, ["n", 2]), "b": (FLOAT, ["n", 2])}, ("sum", "difference"),
    )  # fmt: skip
    _, session = loaded(path)
    a, b = np.ones((1, 2), "float32"), np.full((1, 2), 3, "float32")
    for inputs in (given(a, b), given(b=b, a=a), given(a, b=b)):
        found = called(session, inputs)
        assert list(found) == ["sum", "difference"]
        assert found["difference"].tolist() == [[-2, -2]]


def test_whole_numbers_flags_and_single_numbers(saved):
    table = RANDOM.normal(size=(30, 4)).astype("float32")
    nodes = [
        node("Gather", ["table", "ids"], ["rows"]),
        node("Where", ["flag", "rows", "scale"], ["y"]),
    ]
    inputs = {"ids": (INT64, ["batch"]), "flag": (BOOL, ["batch", 1]), "scale": (FLOAT, [])}
    model, session = loaded(saved(nodes, inputs, weights={"table": table}))
    made = model.inputs.make(batch_size=5, input_size=None, seed=0)
    expected = np.where(made.kwargs["flag"], table[made.kwargs["ids"]], made.kwargs["scale"])
    np.testing.assert_array_equal(called(session, made), expected)
    assert session.place(made).kwargs["scale"].shape == ()


def test_weights_that_are_listed_among_the_inputs_are_none(saved):
    inputs = {"x": (FLOAT, ["n", 6]), "w": (FLOAT, [6, 4])}
    model, session = loaded(
        saved([node("MatMul", ["x", "w"], ["y"])], inputs, weights={"w": WEIGHTS})
    )
    assert called(session, model.inputs.make(batch_size=2, input_size=None, seed=0)).shape == (2, 4)


@pytest.mark.parametrize(("batch", "size"), [(2, None), (1, 16)])
def test_a_fixed_shape_is_the_only_one(saved, batch, size):
    model, session = loaded(saved([node("Relu", ["x"], ["y"])], {"x": (FLOAT, [1, 3, 8, 8])}))
    assert model.inputs.batch_size == 1
    own = model.inputs.make(batch_size=1, input_size=8, seed=0)
    assert called(session, own).shape == (1, 3, 8, 8)
    with pytest.raises(WorkloadError, match="was made for") as caught:
        model.inputs.make(batch_size=batch, input_size=size, seed=0)
    assert caught.value.kind == "unsupported"


class TestPlacing:
    """Arrays become what the file takes, or are refused."""

    def test_types_and_order_of_memory_are_the_files(self, dense):
        _, session = loaded(dense)
        array = np.asfortranarray(np.arange(12.0).reshape(2, 6))
        found = session.place(given(array)).kwargs["x"]
        assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
        np.testing.assert_array_equal(found, array)
        assert array.dtype == np.float64

    def test_tensors_of_torch(self, dense):
        torch = pytest.importorskip("torch")
        _, session = loaded(dense)
        tensor = torch.ones(1, 6, dtype=torch.bfloat16)
        np.testing.assert_array_equal(session.place(given(tensor)).kwargs["x"], np.ones((1, 6)))

    @pytest.mark.parametrize(
        ("inputs", "said"),
        [
            (given(z=np.ones((1, 6))), "takes the inputs x; given: z"),
            (given(np.ones((1, 6)), np.ones(1)), "given: 2 without a name"),
            (given(np.ones((1, 6)), x=np.ones((1, 6))), "given: 1 without a name and x"),
            (given(), "given: none"),
            (given(np.ones((1, 6), complex)), "input x takes float32, and was given complex128"),
        ],
    )
    def test_others_are_refused(self, dense, inputs, said):
        _, session = loaded(dense)
        with pytest.raises(WorkloadError, match=said) as caught:
            session.place(inputs)
        assert caught.value.kind == "unsupported"

    def test_types_that_numpy_does_not_have(self, saved):
        path = saved([node("Cast", ["x"], ["y"], to=FLOAT)], {"x": (TensorProto.BFLOAT16, ["n"])})
        model, session = loaded(path)
        with pytest.raises(WorkloadError, match="is a bfloat16") as caught:
            session.place(model.inputs.make(batch_size=1, input_size=None, seed=0))
        assert caught.value.kind == "unsupported"

    def test_numbers_are_not_cut_to_whole_ones(self, saved):
        path = saved([node("Cast", ["x"], ["y"], to=FLOAT)], {"x": (TensorProto.UINT8, ["n", 2])})
        _, session = loaded(path)
        with pytest.raises(WorkloadError, match="takes uint8, and was given float32"):
            session.place(given(np.full((1, 2), 0.5, "float32")))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_so_many_threads_as_were_asked_for(dense, threads):
    backend, model = OnnxRuntimeBackend(), load_model(str(dense), seed=0)
    gc.collect()  # sessions of earlier tests have threads too
    before = len(list(Path("/proc/self/task").iterdir()))
    session = session_of(model, backend=backend, threads=threads)
    called(session, given(np.ones((8, 6), "float32")))
    assert len(list(Path("/proc/self/task").iterdir())) - before == threads - 1
    assert backend.settings() == {"threads": threads}


def test_what_only_some_backends_can_do(dense):
    backend = OnnxRuntimeBackend()
    assert isinstance(backend, SupportsErrorKinds)
    assert isinstance(backend, SupportsSettings)
    assert isinstance(loaded(dense)[1], SupportsOutputs)


class TestRefusals:
    """Files that do not load, and why."""

    @pytest.mark.parametrize("kept", [0.3, 0.9])
    def test_files_that_became_shorter_after_they_were_looked_at(self, dense, kept):
        model, content = load_model(str(dense), seed=0), dense.read_bytes()
        dense.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(WorkloadError, match="does not load in onnxruntime") as caught:
            session_of(model)
        assert caught.value.kind == "bad_model"

    def test_no_file(self, dense):
        model = replace(load_model(str(dense), seed=0), files=())
        with pytest.raises(WorkloadError, match="got none") as caught:
            session_of(model)
        assert caught.value.kind == "bad_model"

    def test_a_graph_that_does_not_hang_together(self, saved):
        path = saved([node("Relu", ["nowhere"], ["y"])], {"x": (FLOAT, ["n", 6])})
        kind, said = refusal(path)
        assert kind == "bad_model"
        assert f"does not load in onnxruntime {onnxruntime.__version__}: Invalid model" in said

    @pytest.mark.parametrize(
        ("nodes", "made", "said"),
        [
            (node("Frobnicate", ["x"], ["y"]), {}, "Frobnicate"),
            (node("Gelu", ["x"], ["y"], domain="acme"), {}, "acme:Gelu"),
            (node("Relu", ["x"], ["y"]), {"opset": 99}, "Opset 99"),
        ],
    )
    def test_operators_and_opsets_that_the_runtime_does_not_have(self, saved, nodes, made, said):
        kind, message = refusal(saved([nodes], {"x": (FLOAT, ["n", 6])}, **made))
        assert kind == "unsupported"
        assert said in message

    def test_a_type_without_an_implementation(self, saved):
        bf16 = TensorProto.BFLOAT16
        path = saved([node("Relu", ["x"], ["y"])], {"x": (bf16, ["n", 6])}, gives=bf16)
        assert refusal(path)[0] == "unsupported"

    def test_other_precisions_and_devices(self, dense):
        kind, said = refusal(dense, precision="bf16")
        assert kind == "unsupported"
        assert "compute nothing in bf16" in said
        kind, said = refusal(dense, device="xpu")
        assert kind == "unsupported"
        assert "runs on cpu, cuda, mps, not xpu" in said

    def test_weights_outside_of_the_folder_are_never_read(self, saved, dense, tmp_path):
        model = onnx.load(dense)
        folder = tmp_path / "inner"
        folder.mkdir()
        onnx.save(
            model, folder / "m.onnx", save_as_external_data=True, size_threshold=0, location="w"
        )
        assert called(loaded(folder / "m.onnx")[1], given(np.ones((1, 6)))).shape == (1, 4)
        moved = onnx.load(folder / "m.onnx", load_external_data=False)
        (folder / "w").rename(tmp_path / "w")
        moved.graph.initializer[0].external_data[0].value = "../w"
        (folder / "m.onnx").write_bytes(moved.SerializeToString())
        kind, said = refusal(folder / "m.onnx")
        assert kind == "bad_model"
        assert "from outside of its folder" in said


class TestErrorsOfCalls:
    """What the runtime raises in a call has a kind, and nothing else has."""

    @pytest.mark.parametrize("shape", [(1, 7), (1, 6, 1)])
    def test_shapes(self, dense, shape):
        _, session = loaded(dense)
        with pytest.raises(Exception, match="ONNXRuntimeError") as caught:
            called(session, given(np.ones(shape)))
        assert OnnxRuntimeBackend().classify(caught.value) == "unsupported"

    def test_memory(self, saved):
        path = saved([node("Expand", ["x", "to"], ["y"])], {"x": (FLOAT, [1]), "to": (INT64, [1])})
        _, session = loaded(path)
        with pytest.raises(Exception, match="allocate") as caught:
            called(session, given(np.ones(1), np.array([10**13])))
        assert OnnxRuntimeBackend().classify(caught.value) == "out_of_memory"

    def test_errors_of_others(self):
        assert OnnxRuntimeBackend().classify(RuntimeError("shape mismatch")) is None


@pytest.mark.parametrize(
    ("dtype", "note"),
    [
        ("float32", ()),
        ("float16", ("its weights are stored as 100% fp16: the file runs as it is",)),
        ("int8", ("its weights are stored as 100% int8: the file runs as it is",)),
        ("int64", ()),
    ],
)
def test_the_precision_of_weights_is_told(saved, dtype, note):
    nodes = [node("Cast", ["w"], ["f"], to=FLOAT), node("MatMul", ["x", "f"], ["y"])]
    path = saved(nodes, {"x": (FLOAT, ["n", 6])}, weights={"w": WEIGHTS.astype(dtype)})
    model, session = loaded(path)
    assert model.notes == note
    assert called(session, given(np.ones((1, 6)))).shape == (1, 4)
