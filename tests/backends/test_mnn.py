"""The backend `mnn`: what its tools make, sessions, precisions, and refusals."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys

import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("MNN")

import numpy as np  # noqa: E402 - after the skips
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.backends.mnn.session import MnnBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.core.model import Inputs, LoadedModel  # noqa: E402
from inferometer.core.protocols import (  # noqa: E402
    Backend,
    SupportsErrorKinds,
    SupportsOptions,
    SupportsOutputs,
    SupportsPreparation,
    SupportsSettings,
)
from inferometer.core.workload import Variant  # noqa: E402
from inferometer.meters.memory import give_back, held  # noqa: E402

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
RANDOM = np.random.default_rng(0)
node = helper.make_node


def weights(*shape):
    return (RANDOM.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype("float32")


NET = {"w1": weights(16, 3, 3, 3), "w2": weights(16, 16, 3, 3), "w3": weights(16, 10)}


def save(path, nodes, inputs, outputs, weights=()):
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(name, *what) for name, what in inputs.items()],
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in dict(weights).items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """An ONNX file: convolutions, one of them with a sum behind it, and a dense layer."""
    nodes = [
        node("Conv", ["picture", "w1"], ["a"], pads=[1] * 4), node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "w2"], ["c"], pads=[1] * 4), node("Add", ["b", "c"], ["d"]),
        node("GlobalAveragePool", ["d"], ["e"]), node("Flatten", ["e"], ["f"]),
        node("MatMul", ["f", "w3"], ["scores"]),
    ]  # fmt: skip
    return save(
        tmp_path_factory.mktemp("net") / "m.onnx", nodes,
        {"picture": (FLOAT, ["n", 3, "h", "w"])}, {"scores": ["n", 10]}, NET,
    )  # fmt: skip


@pytest.fixture(scope="module")
def net(source):
    """The same as a file of MNN."""
    return converted(source, source.parent / "made")


def expected(pictures):
    """What torch gives for the network."""
    torch = pytest.importorskip("torch")
    w1, w2, w3 = map(torch.from_numpy, NET.values())
    conv = torch.nn.functional.conv2d
    hidden = conv(torch.from_numpy(pictures), w1, padding=1).relu()
    return ((hidden + conv(hidden, w2, padding=1)).mean((2, 3)) @ w3).numpy()


def pictures(batch=1, size=24, seed=3):
    return np.random.default_rng(seed).normal(size=(batch, 3, size, size)).astype("float32")


def given(*args, **kwargs):
    return Inputs(args=args, kwargs=kwargs, shape="some shape")


def variant(precision="fp32", **options):
    return Variant(
        model="m", backend="mnn", precision=precision, options=tuple(sorted(options.items()))
    )


def model(*files, form=Format.MNN):
    return LoadedModel(
        network=None, format=form, inputs=None, source="file", weights="?", files=tuple(map(str, files))
    )  # fmt: skip


def converted(source, into, precision="fp32", samples=(), *, form=Format.ONNX, **options):
    into.mkdir()
    backend = MnnBackend()
    backend.start(threads=1)
    return backend.prepare(
        model(source, form=form), variant(precision, **options), samples=samples, into=into
    )


def session_of(files, precision="fp32", *, threads=1, device="cpu", **options):
    backend = MnnBackend()
    backend.start(threads=threads)
    return backend.load(model(*files), variant(precision, **options), device=device)


def called(session, inputs):
    with session.running():
        return session.outputs(session.bind(inputs)())


def refusal(call, *args, **how):
    with pytest.raises(WorkloadError) as caught:
        call(*args, **how)
    said = str(caught.value)
    assert "\n" not in said
    return caught.value.kind, said


def cosine(one, other):
    return np.sum(one * other) / np.linalg.norm(one) / np.linalg.norm(other)


def error(found, wanted):
    return np.abs(found - wanted).max() / np.abs(wanted).max()


class TestOutputs:
    """What a call gives, at all shapes."""

    def test_they_equal_those_of_torch_at_every_batch_and_size(self, net):
        session = session_of(net.files)
        for batch, size in [(1, 24), (3, 24), (1, 33), (1, 24)]:
            x = pictures(batch, size)
            np.testing.assert_allclose(called(session, given(x)), expected(x), 1e-4, 1e-5)
            np.testing.assert_allclose(called(session, given(picture=x)), expected(x), 1e-4, 1e-5)

    def test_smaller_blocks_of_winograd_are_as_exact_as_fp32(self, net):
        x = pictures(size=64)
        found = called(session_of(net.files, winograd="2"), given(x))
        assert error(found, expected(x)) < 2e-6

    def test_calls_of_several_shapes_in_turn(self, net):
        session = session_of(net.files)
        calls = {size: session.bind(given(pictures(size=size))) for size in (24, 33)}
        for size in (33, 24, 33):
            found = session.outputs(calls[size]())
            np.testing.assert_allclose(found, expected(pictures(size=size)), 1e-4, 1e-5)

    def test_several_inputs_in_the_order_of_the_file_and_whole_numbers(self, tmp_path):
        table = weights(20, 4)
        source = save(
            tmp_path / "m.onnx",
            [
                node("Gather", ["table", "z_ids"], ["rows"]),
                node("Relu", ["a_pictures"], ["second"]), node("Identity", ["rows"], ["first"]),
            ],
            {"z_ids": (INT64, ["n"]), "a_pictures": (FLOAT, ["n", 2, 5, 5])},
            {"first": ["n", 4], "second": ["n", 2, 5, 5]}, {"table": table},
        )  # fmt: skip
        session = session_of(converted(source, tmp_path / "made").files)
        ids, x = np.array([3, 19]), RANDOM.normal(size=(2, 2, 5, 5)).astype("float32")
        for inputs in (given(ids, x), given(a_pictures=x, z_ids=ids)):
            found = called(session, inputs)
            np.testing.assert_array_equal(found["first"], table[ids])
            np.testing.assert_array_equal(found["second"], np.maximum(x, 0))

    def test_outputs_come_in_the_order_of_the_file(self, tmp_path):
        """The runtime has them by the alphabet."""
        nodes = [node("Exp", ["x"], ["z"]), node("Neg", ["x"], ["a"])]
        shape = [1, 4]
        file = save(tmp_path / "m.onnx", nodes, {"x": (FLOAT, shape)}, {"z": shape, "a": shape})
        session = session_of(converted(file, tmp_path / "made").files)
        found = called(session, given(np.ones((1, 4), "float32")))
        assert list(found) == ["z", "a"]
        assert found["a"][0, 0] == pytest.approx(-1)

    def test_calls_leave_inputs_and_earlier_outputs_alone(self, net):
        session = session_of(net.files)
        x = pictures()
        x.flags.writeable = False
        first = called(session, given(x))
        kept = first.copy()
        assert not np.array_equal(called(session, given(-x)), kept)
        np.testing.assert_array_equal(first, kept)

    def test_inputs_that_are_not_the_files_are_refused(self, net):
        session = session_of(net.files)
        for inputs, said in [
            (given(z=pictures()), "takes the inputs picture; given: z"),
            (given(pictures().astype(complex)), "input picture takes float32"),
            (given(np.ones((1, 5, 8, 8))), "does not take inputs of 1x5x8x8"),
        ]:
            kind, words = refusal(session.bind, inputs)
            assert kind == "unsupported"
            assert said in words
        np.testing.assert_allclose(called(session, given(pictures())), expected(pictures()), 1e-4, 1e-5)  # fmt: skip


class TestPreparation:
    """What is made of which format, and what comes out."""

    @pytest.mark.parametrize(
        ("form", "precision", "wants"),
        [
            (Format.TORCH_MODULE, "fp32", Format.ONNX),
            (Format.ONNX, "fp32", Format.ONNX),
            (Format.TORCHSCRIPT, "int8", Format.ONNX),
            (Format.MNN, "int8", Format.MNN),
        ],
    )
    def test_of_which_format(self, form, precision, wants):
        found = MnnBackend().preparation(form, variant(precision))
        assert (found.wants, found.calibrates) == (wants, precision == "int8")

    def test_files_of_its_own_run_as_they_are(self):
        assert MnnBackend().preparation(Format.MNN, variant()) is None

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (variant("bf16"), "no precision bf16"),
            (variant("fp32", quantization="weights"), "quantization is for int8"),
            (variant("int8", quantization="weights", calibration="admm"), "quantization=static"),
        ],
    )
    def test_what_would_do_nothing_is_refused(self, wrong, said):
        kind, words = refusal(MnnBackend().preparation, Format.ONNX, wrong)
        assert kind == "unsupported"
        assert said in words

    def test_fp16_is_not_fp32_under_its_name(self, net, monkeypatch):
        monkeypatch.setattr(platform, "machine", lambda: "x86_64")
        assert "silently take fp32" in refusal(session_of, net.files, "fp16")[1]
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
        assert MnnBackend().preparation(Format.ONNX, variant("fp16")) is not None

    def test_only_its_file_is_left_and_nothing_is_sent(self, net, source):
        """The Python around its tools installs a package and talks to its makers."""
        assert os.listdir(source.parent / "made") == ["model.mnn"]  # noqa: PTH208
        assert os.path.getsize(net.files[0]) >= sum(one.nbytes for one in NET.values())  # noqa: PTH202
        assert net.notes == ()
        assert "MNN.tools" not in sys.modules

    @pytest.mark.parametrize("calibration", ["ema", "admm"])
    def test_static_int8(self, source, tmp_path, calibration):
        """Also called again and again: one of the runtime's interfaces gave infinity then."""
        samples = [given(pictures(seed=seed)) for seed in range(6)]
        made = converted(source, tmp_path / "a", "int8", samples, calibration=calibration)
        session = session_of(made.files, "int8")
        x = pictures()
        call = session.bind(given(x))
        found = [session.outputs(call()) for _ in range(4)]
        assert all(np.array_equal(found[0], one) for one in found)
        assert cosine(found[0], expected(x)) > 0.98
        assert not np.allclose(found[0], expected(x), 1e-4)
        left = ("2 of 3 convolutions and dense layers stay in fp32",)
        assert made.notes == (left if calibration == "ema" else ())

    def test_weights_alone_and_dynamic_int8(self, source, tmp_path):
        found = {}
        for how, note in (("weights", "weights alone"), ("dynamic", "quantised in each call")):
            made = converted(source, tmp_path / how, "int8", quantization=how)
            assert note in made.notes[0]
            found[how] = called(session_of(made.files, "int8", quantization=how), given(pictures()))
            assert cosine(found[how], expected(pictures())) > 0.98
        assert not np.array_equal(found["weights"], found["dynamic"])

    def test_int8_of_a_file_of_its_own(self, net, tmp_path):
        made = converted(net.files[0], tmp_path / "m", "int8", form=Format.MNN, quantization="weights")  # fmt: skip
        found = called(session_of(made.files, "int8", quantization="weights"), given(pictures()))
        assert cosine(found, expected(pictures())) > 0.98
        assert os.path.getsize(made.files[0]) < os.path.getsize(net.files[0])  # noqa: PTH202

    @pytest.mark.parametrize(
        ("inputs", "nodes", "said"),
        [
            (
                {"x": (INT64, ["n", 3, 8, 8])},
                [node("Cast", ["x"], ["y"], to=FLOAT)],
                "calibrates with inputs in float32 alone, and x is int32",
            ),
            (
                {"../x": (FLOAT, ["n", 3, 8, 8])},
                [node("Relu", ["../x"], ["y"])],
                "../x is no such name",
            ),
            (
                {"x": (FLOAT, ["n", 3, 8, 8])},
                [node("Relu", ["x"], ["y"])],
                "nothing in it would be computed in int8",
            ),
        ],
    )
    def test_what_static_quantisation_does_not_take(self, tmp_path, inputs, nodes, said):
        source = save(tmp_path / "m.onnx", nodes, inputs, {"y": ["n", 3, 8, 8]})
        samples = [given(np.ones((1, 3, 8, 8), "float32"))]
        kind, words = refusal(converted, source, tmp_path / "made", "int8", samples)
        assert kind == "unsupported"
        assert said in words

    def test_an_output_that_the_tool_would_drop(self, tmp_path):
        nodes = [
            node("Conv", ["x", "w1"], ["a"], pads=[1] * 4), node("Relu", ["a"], ["b"]),
            node("ReduceMean", ["b"], ["c"], axes=[2, 3], keepdims=0), node("MatMul", ["c", "w3"], ["y"]),
        ]  # fmt: skip
        file = save(
            tmp_path / "m.onnx", nodes, {"x": (FLOAT, ["n", 3, "h", "w"])},
            {"y": ["n", 10], "b": ["n", 16, "h", "w"]}, {name: NET[name] for name in ("w1", "w3")},
        )  # fmt: skip
        samples = [given(pictures(seed=seed)) for seed in range(4)]
        kind, said = refusal(converted, file, tmp_path / "made", "int8", samples)
        assert kind == "unsupported"
        assert "drops outputs from which others are computed: b" in said

    def test_operators_that_it_does_not_have(self, tmp_path):
        source = save(
            tmp_path / "m.onnx", [node("Foo", ["x"], ["y"], domain="acme")],
            {"x": (FLOAT, ["n", 3])}, {"y": ["n", 3]},
        )  # fmt: skip
        kind, words = refusal(converted, source, tmp_path / "made")
        assert kind == "unsupported"
        assert "ONNX::Foo" in words

    def test_a_damaged_onnx_file(self, tmp_path):
        (tmp_path / "m.onnx").write_bytes(b"\x08\x08\x12\x07")
        assert "mnnconvert" in refusal(converted, tmp_path / "m.onnx", tmp_path / "made")[1]


class TestFiles:
    """Files that cannot be loaded: a sentence, and no crash."""

    @pytest.mark.parametrize("change", [lambda data: data[:1000], lambda _: b"hello" * 99, lambda _: b""])  # fmt: skip
    def test_damaged_ones(self, net, tmp_path, change):
        path = tmp_path / "m.mnn"
        with open(net.files[0], "rb") as file:  # noqa: PTH123 - a path as text
            path.write_bytes(change(file.read()))
        kind, words = refusal(session_of, [path])
        assert kind == "bad_model"
        assert words.startswith("m.mnn does not load in MNN ")

    def test_none_or_another_device(self, net):
        assert refusal(session_of, [])[0] == "bad_model"
        assert refusal(session_of, ["/nowhere/m.mnn"])[0] == "bad_model"
        assert refusal(session_of, net.files, device="cuda")[0] == "unsupported"


class TestBackend:
    """Its protocols, threads and memory."""

    def test_it_fits_the_protocols(self, net):
        backend = MnnBackend()
        for protocol in (Backend, SupportsPreparation, SupportsOptions, SupportsSettings, SupportsErrorKinds):  # fmt: skip
            assert isinstance(backend, protocol)
        assert isinstance(session_of(net.files), SupportsOutputs)
        assert backend.classify(MemoryError()) == "out_of_memory"
        assert backend.classify(ValueError("x")) is None

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
    @pytest.mark.parametrize("threads", [1, 3])
    def test_it_uses_the_threads_that_it_is_given(self, net, threads):
        script = (
            "import os, sys, MNN, numpy as np\n"
            "from inferometer.backends.mnn.session import MnnBackend\n"
            "from inferometer.core.format import Format\n"
            "from inferometer.core.model import Inputs, LoadedModel\n"
            "from inferometer.core.workload import Variant\n"
            f"files, threads = {list(net.files)!r}, {threads}\n"
            "backend = MnnBackend(); backend.start(threads=threads)\n"
            "before = len(os.listdir('/proc/self/task'))\n"
            "m = LoadedModel(network=None, format=Format.MNN, inputs=None, source='', weights='', "
            "files=tuple(files))\n"
            "v = Variant(model='m', backend='mnn', precision='fp32')\n"
            "s = backend.load(m, v, device='cpu')\n"
            "s.bind(Inputs(args=(np.ones((1, 3, 64, 64), 'float32'),), shape=''))()\n"
            "print(len(os.listdir('/proc/self/task')) - before, backend.settings()['threads'], "
            "'torch' in sys.modules, 'onnx' in sys.modules)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout.split()[-4:] == [str(threads - 1), str(threads), "False", "False"]

    def test_it_gives_memory_back(self, net):
        for turn in range(6):
            called(session_of(net.files), given(pictures(2, 96)))
            gc.collect()
            give_back()
            if turn == 1:
                before = held()
        assert held().resident - before.resident < 6e6
