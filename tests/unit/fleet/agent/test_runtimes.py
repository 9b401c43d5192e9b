"""The agent's sessions: what each runtime is given, and what is refused."""

from __future__ import annotations

import inspect
import sys
import types

import numpy as np
import pytest

from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.fleet.light import runtimes
from inferometer.fleet.light.networks import Model, Refused, asked_example, open_model, parse
from inferometer.fleet.light.runtimes import bad_numbers, session_of, why_not
from inferometer.models.inputs.examples import example_inputs


def workload(backend, precision="fp32", device="cpu", **options):
    variant = Variant(
        model="m", backend=backend, precision=precision, options=tuple(sorted(options.items()))
    )
    target, shape = Target(device=device, threads=1), Shape(batch_size=2, input_size=8)
    return Workload(variant=variant, target=target, shape=shape).to_json()


@pytest.fixture
def onnx_file(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    value, make = onnx.helper.make_tensor_value_info, onnx.helper
    axes, kind = ["batch", 3, "height", "width"], onnx.TensorProto.FLOAT
    graph = make.make_graph(
        [make.make_node("Relu", ["x"], ["y"])],
        "relu",
        [value("x", kind, axes)],
        [value("y", kind, axes)],
    )
    path = tmp_path / "relu.onnx"
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_an_onnx_file(onnx_file):
    model = open_model(str(onnx_file), 0, {}, [""])
    session = session_of(model, workload("onnxruntime"))
    inputs = session.inputs(2, 8, seed=0)
    assert inputs["x"].shape == (2, 3, 8, 8)
    (output,) = session.bind(session.place(inputs))()
    assert (output == np.maximum(inputs["x"], 0)).all()
    with pytest.raises(Refused, match="open along height; give a size"):
        session.inputs(2, None, seed=0)


class FakeInterpreter:
    """As `tflite_runtime` has it, for a file with a fixed batch of pictures."""

    def __init__(self, model_path, num_threads):
        self.made = (model_path, num_threads)
        self.fed = None

    def allocate_tensors(self):
        pass

    def get_input_details(self):
        return [{"index": 0, "name": "in", "shape": np.array([1, 8, 8, 3]), "dtype": np.uint8}]

    def get_output_details(self):
        return [{"index": 1}]

    def set_tensor(self, index, value):
        self.fed = value

    def invoke(self):
        pass

    def get_tensor(self, index):
        return self.fed.astype(np.float32)


@pytest.fixture
def tflite(monkeypatch):
    module = types.ModuleType("tflite_runtime.interpreter")
    module.Interpreter = FakeInterpreter
    for name in ("ai_edge_litert.interpreter", "tensorflow.lite"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "tflite_runtime", types.ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", module)


def test_a_tflite_file_in_whatever_interpreter_is_there(tflite):
    model = Model("tflite", None, "m.tflite", "file", "as in the file")
    session = session_of(model, workload("litert"))
    (array,) = session.inputs(1, 8, seed=0)
    assert (array.shape, array.dtype) == ((1, 8, 8, 3), np.uint8)
    assert array.max() > 1
    (output,) = session.bind(session.place([array]))()
    assert (output == array).all()
    with pytest.raises(Refused, match="made for batch 1"):
        session.inputs(2, 8, seed=0)
    with pytest.raises(Refused, match="made for input size 8"):
        session.inputs(1, 16, seed=0)


def test_a_board_without_an_interpreter(monkeypatch):
    for name in runtimes.LITERT:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Refused, match="no TFLite interpreter can be imported"):
        runtimes.start("litert", 1)


def test_a_module_of_torch_in_all_its_ways():
    pytest.importorskip("torch")
    model = open_model("unet?init_features=2", 0, {}, [])
    for options in ({}, {"memory_format": "channels_last"}):
        session = session_of(model, workload("torch", **options))
        placed = session.place(session.inputs(2, 16, seed=0))
        with session.running():
            output = session.bind(placed)()
        assert tuple(output.shape) == (2, 1, 16, 16)
        session.after_first(placed)
        assert session.mode == "inference_mode"
    with pytest.raises(Refused, match="does not run torch on mps"):
        session_of(model, workload("torch", device="mps"))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("how", ["off", "freeze"])
def test_torchscript_is_made_at_the_first_call(how):
    torch = pytest.importorskip("torch")
    model = open_model("unet?init_features=2", 0, {}, [])
    session = session_of(model, workload("torchscript", optimize=how))
    placed = session.place(session.inputs(1, 16, seed=0))
    with session.running():
        output = session.bind(placed)()
    assert isinstance(session.module, torch.jit.ScriptModule)
    with torch.no_grad():
        assert torch.allclose(output, model.network(*placed), atol=1e-5)


def test_inputs_are_those_of_the_full_instrument():
    from inferometer.models.inputs import images

    full = images().make(batch_size=2, input_size=32, seed=3).args[0]
    light = runtimes.filled((2, 3, 32, 32), "float32", 3)
    assert light.shape == full.shape
    assert light.std(axis=(-2, -1)) == pytest.approx(full.std(axis=(-2, -1)), rel=1e-3)


def total(x, y=(1.0,)):
    return sum(x) + sum(y)


@pytest.mark.parametrize(
    ("example", "args"),
    [
        ({"x": [1.0, 2.0]}, ([1.0, 2.0],)),
        ({"y": [3.0], "x": [1.0]}, ([1.0], [3.0])),
        ([1.0, 2.0, 3.0], ([1.0, 2.0, 3.0],)),
        (([1.0], [2.0]), ([1.0], [2.0])),
        ({1: 2}, ({1: 2},)),
    ],
)
@pytest.mark.parametrize("is_maker", [True, False])
def test_an_example_is_read_as_the_full_instrument_reads_it(example, args, is_maker):
    model = Model("callable", total, "nets.py", "python", "none")
    model.example = (lambda: example) if is_maker else example
    assert asked_example(model, 1, None) == args
    full = example_inputs(total, example)
    given = inspect.signature(total).bind(*full.args, **full.kwargs)
    assert given.args == args


def test_inputs_that_have_no_place_are_refused():
    model = Model("callable", lambda *, x: x, "nets.py", "python", "none")
    model.example = {"x": 1.0}
    with pytest.raises(Refused, match="let the factory give a tuple"):
        asked_example(model, 1, None)


@pytest.mark.parametrize(
    ("kind", "asked", "words"),
    [
        ("module", workload("onnxruntime"), "converts nothing"),
        ("onnx", workload("onnxruntime", precision="int8"), "does not convert it to int8"),
        ("module", workload("torch", precision="int8"), "has no int8"),
        ("module", workload("torch", autocast="on"), "does not serve the option torch.autocast=on"),
        ("module", workload("mnn"), "has no backend mnn"),
    ],
)
def test_what_the_agent_does_not_serve(kind, asked, words):
    assert words in (why_not(kind, asked) or "")


@pytest.mark.parametrize(
    ("output", "bad"),
    [
        (1.0, False),
        (float("nan"), True),
        ([1.0, {"a": (2.0, float("inf"))}], True),
        (np.ones(3, np.float32), False),
        (np.array([1.0, np.nan], np.float32), True),
        (np.array([1, 2]), False),
        ("text", False),
    ],
)
def test_numbers_that_are_none(output, bad):
    assert bool(bad_numbers(output)) is bad


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("resnet18", ("torchvision", "resnet18", {})),
        ("torchvision:vit_b_16?image_size=64", ("torchvision", "vit_b_16", {"image_size": 64})),
        ("a/b.onnx?input=3x8x8", ("onnx", "a/b.onnx", {"input": "3x8x8"})),
        ("x.py:make?a=true&b=0.5", ("factory", "x.py:make", {"a": True, "b": 0.5})),
        ("builtin:control-v1", ("builtin", "control-v1", {})),
    ],
)
def test_references(reference, wanted):
    assert parse(reference) == wanted
