"""The backend `openvino`: what it makes of files, their sessions, threads, and refusals."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec

import pytest

onnx = pytest.importorskip("onnx")
openvino = pytest.importorskip("openvino")
if find_spec("nncf") is None:  # importing it takes seconds
    pytest.skip("nncf is not installed", allow_module_level=True)

import numpy as np  # noqa: E402 - after the skips
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.backends.openvino import session as session_module  # noqa: E402
from inferometer.backends.openvino.options import properties  # noqa: E402
from inferometer.backends.openvino.session import OpenVinoBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.core.model import Inputs, LoadedModel  # noqa: E402
from inferometer.core.protocols import (  # noqa: E402
    SupportsErrorKinds,
    SupportsOptions,
    SupportsOutputs,
    SupportsPreparation,
    SupportsSettings,
)
from inferometer.core.workload import Variant  # noqa: E402
from inferometer.meters.memory import give_back, held  # noqa: E402
from inferometer.models import load as load_model  # noqa: E402

FLOAT, BFLOAT16, INT64, BOOL = (
    getattr(TensorProto, name) for name in ("FLOAT", "BFLOAT16", "INT64", "BOOL")
)
RANDOM = np.random.default_rng(0)
node = helper.make_node


def weights(*shape):
    return (RANDOM.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype("float32")


NET = {"w1": weights(16, 3, 3, 3), "w2": weights(16, 1, 3, 3), "w3": weights(32, 16, 3, 3), "w4": weights(32, 10)}  # fmt: skip
DENSE = weights(6, 4)


@pytest.fixture
def saved(tmp_path):
    """Save a model; gives its path."""

    def save(nodes, inputs, outputs=("y",), weights=(), *, gives=FLOAT, name="m.onnx"):
        graph = helper.make_graph(
            nodes, "g",
            [helper.make_tensor_value_info(name, *what) for name, what in inputs.items()],
            [helper.make_tensor_value_info(name, gives, None) for name in outputs],
            [numpy_helper.from_array(array, name) for name, array in dict(weights).items()],
        )  # fmt: skip
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / name)
        return tmp_path / name

    return save


@pytest.fixture
def net(saved):
    """Convolutions, one of them depthwise, and a dense layer, with all axes of pictures open."""
    nodes = [
        node("Conv", ["x", "w1"], ["a"], pads=[1] * 4), node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "w2"], ["c"], pads=[1] * 4, group=16), node("Relu", ["c"], ["d"]),
        node("Conv", ["d", "w3"], ["e"], strides=[2, 2]), node("Relu", ["e"], ["f"]),
        node("GlobalAveragePool", ["f"], ["p"]), node("Flatten", ["p"], ["q"]),
        node("MatMul", ["q", "w4"], ["y"]),
    ]  # fmt: skip
    return saved(nodes, {"x": (FLOAT, ["n", 3, "height", "width"])}, weights=NET)


@pytest.fixture
def dense(saved):
    """A layer of 6 features and 4 results, with an open batch."""
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Relu", ["h"], ["y"])]
    return saved(nodes, {"x": (FLOAT, ["batch", 6])}, weights={"w": DENSE})


def expected(pictures):
    """What torch gives for the net."""
    torch = pytest.importorskip("torch")
    w1, w2, w3, w4 = map(torch.from_numpy, NET.values())
    conv = torch.nn.functional.conv2d
    hidden = conv(torch.from_numpy(pictures), w1, padding=1).relu()
    hidden = conv(conv(hidden, w2, padding=1, groups=16).relu(), w3, stride=2).relu()
    return (hidden.mean((2, 3)) @ w4).numpy()


def pictures(batch=1, size=24, seed=3):
    return np.random.default_rng(seed).normal(size=(batch, 3, size, size)).astype("float32")


def given(*args, **kwargs):
    return Inputs(args=args, kwargs=kwargs, shape="some shape")


def variant(precision="fp32", **options):
    return Variant(
        model="m", backend="openvino", precision=precision, options=tuple(sorted(options.items()))
    )


def session_of(model, precision="fp32", *, backend=None, threads=1, device="cpu", **options):
    backend = backend or OpenVinoBackend()
    backend.start(threads=threads)
    return backend.load(model, variant(precision, **options), device=device)


def loaded(path, precision="fp32", **how):
    """The model and its session, as a worker makes them."""
    model = load_model(str(path), seed=0)
    return model, session_of(model, precision, **how)


def called(session, inputs):
    with session.running():
        return session.outputs(session.bind(inputs)())


def prepared(path, into, precision, samples=(), **options):
    """What the backend makes of an ONNX file, and a session of that."""
    backend, model = OpenVinoBackend(), load_model(str(path), seed=0)
    backend.start(threads=1)
    artifact = backend.prepare(model, variant(precision, **options), samples=samples, into=into)
    made = replace(model, format=artifact.format, files=artifact.files)
    return artifact, session_of(made, precision, **options)


def refusal(path, *args, **how):
    with pytest.raises(WorkloadError) as caught:
        loaded(path, *args, **how)
    said = str(caught.value)
    assert "\n" not in said
    assert ".cpp" not in said
    return caught.value.kind, said


def able(precision):
    wanted = {"bf16": "BF16", "fp16": "FP16"}[precision]
    return wanted in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def cosine(one, other):
    return np.sum(one * other) / np.linalg.norm(one) / np.linalg.norm(other)


class TestOutputs:
    """What a call gives, at all shapes."""

    @pytest.mark.parametrize("shapes", ["static", "dynamic"])
    def test_they_equal_those_of_torch_at_every_batch_and_size(self, net, shapes):
        """Within what fp32 leaves: bf16, which the runtime would choose, is far off."""
        _, session = loaded(net, shapes=shapes)
        for batch, size in [(1, 24), (2, 24), (1, 33), (1, 24)]:
            x = pictures(batch, size)
            np.testing.assert_allclose(called(session, given(x)), expected(x), 1e-4, 1e-6)

    def test_of_more_shapes_than_are_kept(self, dense, monkeypatch):
        monkeypatch.setattr(session_module, "MOST_SHAPES", 2)
        _, session = loaded(dense)
        for batch in (1, 2, 3, 1):
            x = np.full((batch, 6), batch, "float32")
            np.testing.assert_allclose(called(session, given(x)), np.maximum(x @ DENSE, 0), 1e-5)
        assert len(session._by_shape) == 2

    def test_several_inputs_and_outputs_by_their_names(self, saved):
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

    def test_whole_numbers_flags_and_single_numbers(self, saved):
        table = weights(30, 4)
        nodes = [
            node("Gather", ["table", "ids"], ["rows"]),
            node("Where", ["flag", "rows", "scale"], ["y"]),
        ]
        inputs = {"ids": (INT64, ["batch"]), "flag": (BOOL, ["batch", 1]), "scale": (FLOAT, [])}
        model, session = loaded(saved(nodes, inputs, weights={"table": table}))
        made = model.inputs.make(batch_size=5, input_size=None, seed=0)
        wanted = np.where(made.kwargs["flag"], table[made.kwargs["ids"]], made.kwargs["scale"])
        np.testing.assert_array_equal(called(session, made), wanted)

    def test_those_in_bf16_are_numbers(self, saved):
        path = saved(
            [node("Cast", ["x"], ["y"], to=BFLOAT16)], {"x": (FLOAT, ["n"])}, gives=BFLOAT16
        )
        assert called(loaded(path)[1], given(np.array([1.0, -2.5]))).tolist() == [1.0, -2.5]

    def test_calls_leave_inputs_and_earlier_outputs_alone(self, dense):
        _, session = loaded(dense)
        x = np.ones((1, 6), "float32")
        x.flags.writeable = False
        first = called(session, given(x))
        kept = first.copy()
        assert not np.array_equal(called(session, given(-x)), kept)
        np.testing.assert_array_equal(first, kept)

    def test_a_state_is_the_same_in_each_call(self, tmp_path):
        from openvino import opset13 as ops

        x = ops.parameter([1, 2], np.float32, name="x")
        state = ops.read_value(ops.constant(np.zeros((1, 2), "float32")), "v", np.float32, [1, 2])
        total = ops.add(state, x)
        model = openvino.Model([ops.result(total)], [ops.assign(total, "v")], [x], "m")
        openvino.save_model(model, tmp_path / "m.xml")
        _, session = loaded(f"{tmp_path / 'm.xml'}?input=2")
        call = session.bind(given(np.ones((1, 2), "float32")))
        assert [call()[0].tolist() for _ in range(3)] == [[[1, 1]]] * 3

    def test_inputs_that_are_not_the_files_are_refused(self, dense):
        _, session = loaded(dense)
        for inputs, said in [
            (given(z=np.ones((1, 6))), "takes the inputs x; given: z"),
            (given(np.ones((1, 6), complex)), "input x takes float32"),
            (given(np.ones((1, 7))), "does not take inputs of some shape"),
            (given(np.ones((1, 6, 1))), "does not take inputs of some shape"),
        ]:
            with pytest.raises(WorkloadError, match=said) as caught:
                session.place(inputs)
            assert caught.value.kind == "unsupported"
        assert called(session, given(np.ones((1, 6)))).shape == (1, 4)


class TestPreparation:
    """What is made of which format, and what comes out."""

    @pytest.mark.parametrize(
        ("form", "precision", "wants"),
        [
            (Format.TORCH_MODULE, "fp32", Format.ONNX),
            (Format.EXPORTED_PROGRAM, "bf16", Format.ONNX),
            (Format.TORCH_MODULE, "int8", Format.ONNX),
            (Format.OPENVINO_IR, "int8", Format.OPENVINO_IR),
            (Format.ONNX, "int8", Format.ONNX),
        ],
    )
    def test_of_which_format(self, form, precision, wants):
        found = OpenVinoBackend().preparation(form, variant(precision))
        assert (found.wants, found.stays) == (wants, False)
        assert found.calibrates == (precision == "int8")

    @pytest.mark.parametrize("form", [Format.ONNX, Format.OPENVINO_IR, Format.TFLITE])
    def test_none_is_needed_for_files_as_they_are(self, form):
        assert OpenVinoBackend().preparation(form, variant()) is None

    @pytest.mark.parametrize("how", ["dynamic", "weights"])
    def test_only_static_quantisation_calibrates(self, how):
        found = OpenVinoBackend().preparation(Format.ONNX, variant("int8", quantization=how))
        assert not found.calibrates

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (variant("int3"), "no precision int3"),
            (variant("fp32", quantization="weights"), "quantization is for int8"),
            (variant("int8", quantization="weights", preset="mixed"), "quantization=static"),
        ],
    )
    def test_what_would_do_nothing_is_refused(self, wrong, said):
        with pytest.raises(WorkloadError, match=said) as caught:
            OpenVinoBackend().preparation(Format.ONNX, wrong)
        assert caught.value.kind == "unsupported"

    def test_fp32_stays_fp32(self, net, tmp_path):
        artifact, session = prepared(net, tmp_path, "fp32")
        assert artifact.format is Format.OPENVINO_IR
        assert artifact.notes == ()
        size = sum(array.nbytes for array in NET.values())
        assert os.path.getsize(artifact.files[1]) >= size  # noqa: PTH202 - a path as text
        np.testing.assert_allclose(called(session, given(pictures())), expected(pictures()), 1e-4)

    @pytest.mark.parametrize("precision", ["bf16", "fp16"])
    def test_half_precision_is_so_or_is_refused(self, net, tmp_path, precision):
        if not able(precision):
            with pytest.raises(WorkloadError, match=f"nothing in {precision} on this processor"):
                prepared(net, tmp_path, precision)
            assert refusal(net, precision)[0] == "unsupported"
            return
        artifact, session = prepared(net, tmp_path, precision)
        found = called(session, given(pictures()))
        assert 0 < np.abs(found - expected(pictures())).max() < 0.05
        assert artifact.notes == ()

    def test_static_int8(self, net, tmp_path):
        samples = [given(pictures(seed=seed)) for seed in range(4)]
        artifact, session = prepared(net, tmp_path, "int8", samples)
        assert not any("convolutions" in note for note in artifact.notes)
        for batch in (1, 2):
            x = pictures(batch)
            found = called(session, given(x))
            assert cosine(found, expected(x)) > 0.98
            assert not np.allclose(found, expected(x), 1e-4)

    def test_weights_alone_and_dynamic_int8(self, net, tmp_path):
        for how, note in (("weights", "weights alone"), ("dynamic", "3 of 3 convolutions stay")):
            into = tmp_path / how
            into.mkdir()
            artifact, session = prepared(net, into, "int8", quantization=how)
            assert note in artifact.notes[0]
            assert cosine(called(session, given(pictures())), expected(pictures())) > 0.98

    def test_int8_in_which_nothing_would_be(self, saved, tmp_path):
        path = saved([node("Sigmoid", ["x"], ["y"])], {"x": (FLOAT, ["n", 6])})
        samples = [given(np.ones((1, 6)))]
        with pytest.raises(
            WorkloadError, match="nothing in it would be computed in int8"
        ) as caught:
            prepared(path, tmp_path, "int8", samples)
        assert caught.value.kind == "unsupported"


class TestSettings:
    """Threads and other settings are those that were asked for, and are told."""

    @pytest.mark.parametrize("threads", [1, os.cpu_count() or 1])
    def test_so_many_threads_as_were_asked_for(self, net, threads):
        backend = OpenVinoBackend()
        _, session = loaded(net, backend=backend, threads=threads)
        call = session.bind(given(pictures(8, 96)))
        call()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(10):
            call()
        assert time.process_time() - cpu < 1.2 * threads * (time.perf_counter() - wall)
        assert backend.settings()["threads"] == threads

    def test_options_reach_the_runtime(self, dense):
        backend = OpenVinoBackend()
        loaded(dense, backend=backend, shapes="dynamic", streams="1", pinning="off")
        found = backend.settings()
        assert (found["streams"], found["pinning"]) == (1, False)
        assert backend.setting_changes(found) == []

    def test_each_value_of_an_option_is_taken(self, dense):
        model = load_model(str(dense), seed=0)
        for name, option in OpenVinoBackend.options.items():
            for value in option.values or ("1",):
                precision = "int8" if name == "quantization" else "fp32"
                if name not in ("preset", "bias_correction", "model_type"):
                    found = session_of(model, precision, **{name: value})
                    assert called(found, given(np.ones((1, 6)))).shape == (1, 4)

    def test_nothing_is_left_to_the_runtimes_idea_of_fp32(self):
        found = properties(variant(), 3)
        assert found["INFERENCE_PRECISION_HINT"] == "f32"
        assert found["EXECUTION_MODE_HINT"] == "ACCURACY"
        assert found["INFERENCE_NUM_THREADS"] == 3

    @pytest.mark.runtimes
    def test_nothing_is_sent_to_anybody_or_left_in_the_users_home(self, net, tmp_path):
        home, into = tmp_path / "home", tmp_path / "into"
        home.mkdir()
        into.mkdir()
        code = (
            "import sys; from pathlib import Path; from inferometer.models import load\n"
            "from inferometer.core.workload import Variant\n"
            "from inferometer.backends.openvino.session import OpenVinoBackend as B\n"
            "b = B(); b.start(threads=1); m = load(sys.argv[1], seed=0)\n"
            "s = m.inputs.make(batch_size=1, input_size=24, seed=0)\n"
            "v = Variant(model='m', backend='openvino', precision='int8')\n"
            "b.prepare(m, v, samples=[s], into=Path(sys.argv[2]))\n"
            "assert sys.modules['openvino_telemetry'] is None\n"
            "assert not any(name.startswith('openvino_telemetry.') for name in sys.modules)"
        )
        env = {**os.environ, "HOME": str(home)}
        subprocess.run([sys.executable, "-c", code, str(net), str(into)], env=env, check=True)
        assert (into / "model.bin").exists()
        assert list(home.iterdir()) == []


def test_what_only_some_backends_can_do(dense):
    backend = OpenVinoBackend()
    for one in (SupportsErrorKinds, SupportsSettings, SupportsPreparation, SupportsOptions):
        assert isinstance(backend, one)
    assert isinstance(loaded(dense)[1], SupportsOutputs)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_given_back(saved):
    path = saved(
        [node("MatMul", ["x", "w"], ["y"])], {"x": (FLOAT, ["n", 4096])},
        weights={"w": np.ones((4096, 4096), "float32")},
    )  # fmt: skip
    called(loaded(path)[1], given(np.ones((1, 4096))))
    gc.collect()
    give_back()
    before = held().resident
    _, session = loaded(path)
    called(session, given(np.ones((1, 4096))))
    assert held().resident - before > 60 << 20
    del session, _
    gc.collect()
    give_back()
    assert held().resident - before < 30 << 20


class TestRefusals:
    """Files that do not load, and why."""

    @pytest.mark.parametrize("kept", [0.3, 0.9])
    def test_files_that_became_shorter_after_they_were_looked_at(self, dense, kept):
        model, content = load_model(str(dense), seed=0), dense.read_bytes()
        dense.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(WorkloadError, match="does not load in openvino 2") as caught:
            session_of(model)
        assert caught.value.kind == "bad_model"

    @pytest.mark.parametrize(("ending", "kept"), [("xml", 0.6), ("bin", 0.1)])
    def test_damaged_files_of_its_own(self, net, tmp_path, ending, kept):
        artifact, _ = prepared(net, tmp_path, "fp32")
        damaged = tmp_path / f"model.{ending}"
        damaged.write_bytes(damaged.read_bytes()[: int(damaged.stat().st_size * kept)])
        model = replace(load_model(str(net), seed=0), files=artifact.files)
        with pytest.raises(WorkloadError, match="does not load") as caught:
            session_of(model)
        assert caught.value.kind == "bad_model"

    def test_no_file(self, dense):
        model: LoadedModel = replace(load_model(str(dense), seed=0), files=())
        with pytest.raises(WorkloadError, match="got none") as caught:
            session_of(model)
        assert caught.value.kind == "bad_model"

    @pytest.mark.parametrize(
        ("unknown", "said"),
        [
            (node("Frobnicate", ["x"], ["y"]), "Frobnicate"),
            (node("Gelu", ["x"], ["y"], domain="acme"), "acme.Gelu"),
        ],
    )
    def test_operators_that_the_runtime_does_not_have(self, saved, unknown, said):
        kind, message = refusal(saved([unknown], {"x": (FLOAT, ["n", 6])}))
        assert kind == "unsupported"
        assert said in message

    def test_a_graph_that_does_not_hang_together(self, saved):
        kind, _ = refusal(saved([node("Relu", ["nowhere"], ["y"])], {"x": (FLOAT, ["n", 6])}))
        assert kind == "bad_model"

    def test_other_devices(self, dense):
        assert refusal(dense, device="gpu") == (
            "unsupported", "the backend openvino runs on cpu, not gpu"
        )  # fmt: skip

    def test_errors_of_calls(self, dense):
        """Where one compiled model serves all shapes, a wrong one shows in the call."""
        _, session = loaded(dense, shapes="dynamic")
        with pytest.raises(RuntimeError) as caught:
            session.bind(given(np.ones((1, 7))))()
        assert OpenVinoBackend().classify(caught.value) == "unsupported"

    def test_errors_of_others(self):
        assert OpenVinoBackend().classify(RuntimeError("shape mismatch")) is None
        assert OpenVinoBackend().classify(MemoryError()) == "out_of_memory"
