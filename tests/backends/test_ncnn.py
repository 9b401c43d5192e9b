"""The backend `ncnn`: what pnnx makes of ONNX, sessions, precisions, and refusals."""

from __future__ import annotations

import gc
import json
import os
import platform
import subprocess
import sys

import pytest

onnx = pytest.importorskip("onnx")
ncnn = pytest.importorskip("ncnn")
pytest.importorskip("torch")
pytest.importorskip("pnnx")

import numpy as np  # noqa: E402 - after the skips
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.backends import tools  # noqa: E402
from inferometer.backends.ncnn.param import read_param  # noqa: E402
from inferometer.backends.ncnn.session import NcnnBackend  # noqa: E402
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


NET = {"w1": weights(16, 3, 3, 3), "w2": weights(32, 16, 3, 3), "w3": weights(32, 10)}
DENSE = weights(6, 4)


def save(path, nodes, inputs, outputs, weights=(), *, gives=FLOAT, domain=""):
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(name, *what) for name, what in inputs.items()],
        [helper.make_tensor_value_info(name, gives, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in dict(weights).items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """The files of a small convolutional network, converted once."""
    folder = tmp_path_factory.mktemp("net")
    nodes = [
        node("Conv", ["picture", "w1"], ["a"], pads=[1] * 4), node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "w2"], ["c"], strides=[2, 2]), node("Relu", ["c"], ["d"]),
        node("GlobalAveragePool", ["d"], ["e"]), node("Flatten", ["e"], ["f"]),
        node("MatMul", ["f", "w3"], ["scores"]),
    ]  # fmt: skip
    source = save(
        folder / "m.onnx", nodes, {"picture": (FLOAT, ["n", 3, "h", "w"])}, {"scores": ["n", 10]}, NET
    )  # fmt: skip
    return converted(source, folder / "made")


def expected(pictures):
    """What torch gives for the network."""
    import torch

    w1, w2, w3 = map(torch.from_numpy, NET.values())
    conv = torch.nn.functional.conv2d
    hidden = conv(torch.from_numpy(pictures), w1, padding=1).relu()
    return (conv(hidden, w2, stride=2).relu().mean((2, 3)) @ w3).numpy()


def pictures(batch=1, size=24):
    return np.random.default_rng(3).normal(size=(batch, 3, size, size)).astype("float32")


def given(*args, **kwargs):
    return Inputs(args=args, kwargs=kwargs, shape="some shape")


def variant(precision="fp32", **options):
    return Variant(
        model="m", backend="ncnn", precision=precision, options=tuple(sorted(options.items()))
    )


def model(*files, form=Format.NCNN):
    return LoadedModel(
        network=None, format=form, inputs=None, source="file", weights="?", files=tuple(map(str, files))
    )  # fmt: skip


def converted(source, into):
    into.mkdir()
    backend = NcnnBackend()
    backend.start(threads=1)
    return backend.prepare(model(source, form=Format.ONNX), variant(), samples=[], into=into)


def session_of(files, precision="fp32", *, threads=1, device="cpu", **options):
    backend = NcnnBackend()
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


class TestOutputs:
    """What a call gives, at all shapes."""

    def test_they_equal_those_of_torch_at_every_batch_and_size(self, net):
        """Within what fp32 leaves: fp16, which the runtime would choose where it can, is far off."""
        session = session_of(net.files)
        for batch, size in [(1, 24), (3, 24), (1, 33), (1, 24)]:
            x = pictures(batch, size)
            np.testing.assert_allclose(called(session, given(x)), expected(x), 1e-4, 1e-6)
            np.testing.assert_allclose(called(session, given(picture=x)), expected(x), 1e-4, 1e-6)

    @pytest.mark.parametrize("option", ["winograd", "sgemm", "packing", "lightmode"])
    def test_options_change_no_output(self, net, option):
        session = session_of(net.files, **{option: "off"})
        np.testing.assert_allclose(called(session, given(pictures(2))), expected(pictures(2)), 1e-4, 1e-6)  # fmt: skip

    def test_bf16_is_less_exact_and_near(self, net):
        found, wanted = (
            called(session_of(net.files, "bf16"), given(pictures())),
            expected(pictures()),
        )
        assert 1e-4 < np.abs(found - wanted).max() / np.abs(wanted).max() < 0.05

    def test_several_inputs_and_outputs_by_name_and_samples_one_by_one(self, tmp_path):
        """A dense layer has no batch of ncnn: pnnx fixes it to one sample."""
        source = save(
            tmp_path / "m.onnx",
            [
                node("Gemm", ["b", "w"], ["first"]), node("Conv", ["a", "k"], ["c"]),
                node("Relu", ["c"], ["second"]),
            ],
            {"b": (FLOAT, ["n", 6]), "a": (FLOAT, ["n", 2, 8, 8])},
            {"first": ["n", 4], "second": ["n", 5, 6, 6]},
            {"w": DENSE, "k": (kernel := weights(5, 2, 3, 3))},
        )  # fmt: skip
        made = converted(source, tmp_path / "made")
        assert "loop over its samples" in made.notes[0]
        a, b = RANDOM.normal(size=(3, 2, 8, 8)), RANDOM.normal(size=(3, 6))
        import torch

        conv = torch.nn.functional.conv2d(torch.tensor(a).float(), torch.tensor(kernel)).relu()
        for inputs in (given(b, a), given(a=a, b=b)):
            found = called(session_of(made.files), inputs)
            assert list(found) == ["first", "second"]
            np.testing.assert_allclose(found["first"], b @ DENSE, 1e-4, 1e-5)
            np.testing.assert_allclose(found["second"], conv.numpy(), 1e-4, 1e-5)

    def test_calls_leave_inputs_and_earlier_outputs_alone(self, net):
        session = session_of(net.files)
        x = pictures(2)
        x.flags.writeable = False
        call = session.bind(given(x))
        first = session.outputs(call())
        kept = first.copy()
        called(session, given(-x))
        call()
        np.testing.assert_array_equal(first, kept)

    def test_of_a_file_without_a_layout(self, net):
        """A stranger's: the inputs have the file's own names, and pictures have a batch."""
        session = session_of(net.files[:2])
        np.testing.assert_allclose(called(session, given(in0=pictures(2))), expected(pictures(2)), 1e-4, 1e-6)  # fmt: skip

    def test_inputs_that_are_not_the_models_are_refused(self, net):
        session = session_of(net.files)
        for inputs, said in [
            (given(z=pictures()), "takes the inputs picture; given: z"),
            (given(pictures().astype(complex)), "input picture takes float32"),
            (given(np.ones((1, 5, 8, 8))), "takes ?x3x?x?, and was given 1x5x8x8"),
            (given(np.ones((3, 8, 8))), "takes ?x3x?x?, and was given 3x8x8"),
        ]:
            kind, words = refusal(session.place, inputs)
            assert kind == "unsupported"
            assert said in words

    def test_pictures_too_small_for_its_layers(self, net):
        session = session_of(net.files)
        assert "does not compute scores" in refusal(session.bind(given(pictures(size=1))))[1]


class TestPreparation:
    """What is made of which format, and what is refused."""

    @pytest.mark.parametrize("form", [Format.TORCH_MODULE, Format.ONNX, Format.TORCHSCRIPT])
    def test_it_wants_onnx(self, form):
        found = NcnnBackend().preparation(form, variant())
        assert (found.wants, found.calibrates, found.each_shape) == (Format.ONNX, False, False)

    def test_files_of_its_own_run_as_they_are(self):
        assert NcnnBackend().preparation(Format.NCNN, variant("bf16")) is None
        assert NcnnBackend().preparation(Format.NCNN, variant("int8")) is None

    @pytest.mark.parametrize(
        ("precision", "said"), [("int8", "ncnn2table and ncnn2int8"), ("int3", "no precision int3")]
    )
    def test_precisions_that_are_not_there(self, precision, said):
        kind, words = refusal(NcnnBackend().preparation, Format.ONNX, variant(precision))
        assert kind == "unsupported"
        assert said in words

    def test_fp16_is_not_fp32_under_its_name(self, net, monkeypatch):
        monkeypatch.setattr(platform, "machine", lambda: "x86_64")
        for call in (
            lambda: NcnnBackend().preparation(Format.ONNX, variant("fp16")),
            lambda: session_of(net.files, "fp16"),
        ):
            assert "silently take fp32" in refusal(call)[1]
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
        assert NcnnBackend().preparation(Format.ONNX, variant("fp16")) is not None

    def test_only_its_files_are_left_and_weights_stay_in_fp32(self, net):
        folder = os.path.dirname(net.files[0])  # noqa: PTH120 - a path as text
        assert sorted(os.listdir(folder)) == ["layout.json", "model.bin", "model.param"]  # noqa: PTH208
        assert os.path.getsize(net.files[1]) >= sum(one.nbytes for one in NET.values())  # noqa: PTH202
        assert net.notes == ()

    @pytest.mark.parametrize(
        ("operator", "said"),
        [
            ({"op_type": "Foo", "domain": "acme"}, "pnnx "),
            ({"op_type": "Det"}, "does not have what the model needs: Det"),
        ],
    )
    def test_operators_that_it_does_not_have(self, tmp_path, operator, said):
        source = save(
            tmp_path / "m.onnx", [node(inputs=["x"], outputs=["y"], **operator)],
            {"x": (FLOAT, ["n", 3, 8, 8])}, {"y": ["n", 3]},
        )  # fmt: skip
        kind, words = refusal(converted, source, tmp_path / "made")
        assert kind == "unsupported"
        assert said in words

    def test_outputs_in_whole_numbers(self, tmp_path):
        source = save(
            tmp_path / "m.onnx",
            [node("ArgMax", ["x"], ["y"], axis=1, keepdims=0)],
            {"x": (FLOAT, ["n", 3, 8, 8])}, {"y": ["n", 8, 8]}, gives=INT64,
        )  # fmt: skip
        assert refusal(converted, source, tmp_path / "made")[0] == "unsupported"

    def test_a_damaged_file(self, tmp_path):
        (tmp_path / "m.onnx").write_bytes(b"\x08\x08\x12\x07")
        assert "pnnx" in refusal(converted, tmp_path / "m.onnx", tmp_path / "made")[1]


class TestFiles:
    """Files that cannot be loaded: a sentence, and no crash."""

    @pytest.fixture
    def files(self, net, tmp_path):
        """Writable copies, to be damaged."""
        made = [tmp_path / "m.param", tmp_path / "m.bin"]
        for old, new in zip(net.files, made, strict=False):
            with open(old, "rb") as file:  # noqa: PTH123 - a path as text
                new.write_bytes(file.read())
        return made

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda text: "hello\n" + text, "does not begin with 7767517"),
            (lambda text: text[:200], "is cut short"),
            (lambda text: text.replace("0 1 in0", "0 9 in0"), "lacks blobs"),
            (lambda text: text.replace("1 1 in0 1", "1 1 nowhere 1"), "no layer before"),
            (lambda text: "7767517\n999999999 5\n", "no numbers of layers"),
        ],
    )
    def test_a_damaged_text(self, files, change, said):
        files[0].write_text(change(files[0].read_text()))
        kind, words = refusal(session_of, files)
        assert kind == "bad_model"
        assert said in words

    def test_layers_that_it_does_not_have(self, files):
        files[0].write_text(files[0].read_text().replace("InnerProduct ", "InnerProducts "))
        kind, words = refusal(session_of, files)
        assert kind == "unsupported"
        assert "InnerProducts" in words

    def test_weights_that_are_cut_short_or_absent(self, files):
        files[1].write_bytes(files[1].read_bytes()[:500])
        assert refusal(session_of, files) == (
            "bad_model",
            "m.bin does not hold the weights of m.param",
        )
        assert refusal(session_of, files[:1])[0] == "bad_model"

    def test_the_binary_form(self, files):
        files[0].write_bytes(b"\xdd\x85\x76\x00" * 9)
        assert "no names of inputs" in refusal(session_of, files)[1]

    def test_int8_goes_by_its_name_alone(self, net, files):
        files[0].write_text(files[0].read_text().replace("Convolution ", "Convolution ", 1).replace(" 6=432", " 6=432 8=2"))  # fmt: skip
        assert [one.is_int8 for one in read_param(files[0])].count(True) == 1
        assert "1 layers of the file are int8" in refusal(session_of, files)[1]
        assert "no layer of the file is int8" in refusal(session_of, net.files, "int8")[1]

    def test_another_device(self, net):
        assert refusal(session_of, net.files, device="cuda")[0] == "unsupported"


class TestBackend:
    """Its protocols, threads and memory."""

    def test_it_fits_the_protocols(self, net):
        backend = NcnnBackend()
        for protocol in (Backend, SupportsPreparation, SupportsOptions, SupportsSettings, SupportsErrorKinds):  # fmt: skip
            assert isinstance(backend, protocol)
        assert isinstance(session_of(net.files), SupportsOutputs)
        assert backend.classify(MemoryError()) == "out_of_memory"
        assert backend.classify(ValueError("x")) is None

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
    @pytest.mark.parametrize("threads", [1, 3])
    def test_it_uses_the_threads_that_it_is_given(self, net, threads):
        script = (
            "import os, sys, ncnn, numpy as np\n"
            "from inferometer.backends.ncnn.session import NcnnBackend\n"
            "from inferometer.core.format import Format\n"
            "from inferometer.core.model import Inputs, LoadedModel\n"
            "from inferometer.core.workload import Variant\n"
            f"files, threads = {list(net.files)!r}, {threads}\n"
            "backend = NcnnBackend(); backend.start(threads=threads)\n"
            "before = len(os.listdir('/proc/self/task'))\n"
            "m = LoadedModel(network=None, format=Format.NCNN, inputs=None, source='', weights='', "
            "files=tuple(files))\n"
            "v = Variant(model='m', backend='ncnn', precision='fp32')\n"
            "s = backend.load(m, v, device='cpu')\n"
            "s.bind(Inputs(args=(np.ones((1, 3, 64, 64), 'float32'),), shape=''))()\n"
            "print(len(os.listdir('/proc/self/task')) - before, backend.settings()['threads'], "
            "'torch' in sys.modules, 'onnx' in sys.modules)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [str(threads - 1), str(threads), "False", "False"]

    def test_it_gives_memory_back(self, net):
        for turn in range(6):
            called(session_of(net.files), given(pictures(2, 96)))
            gc.collect()
            give_back()
            if turn == 1:
                before = held()
        assert held().resident - before.resident < 6e6

    def test_a_layout_says_what_the_file_does_not(self, net):
        with open(net.files[2]) as file:  # noqa: PTH123 - a path as text
            found = json.load(file)
        assert found["inputs"] == [
            {"name": "picture", "blob": "in0", "dtype": "float32", "shape": [None, 3, None, None], "has_batch": True}
        ]  # fmt: skip


class TestTools:
    """Converters that end badly."""

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            (
                "print('first\\nthe reason'); raise SystemExit(3)",
                "it failed (exit status 3): the reason",
            ),
            ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it crashed (SIGSEGV)"),
            ("import time; time.sleep(60)", "it was stopped: it took more than 0.5 s"),
        ],
    )
    def test_is_one_sentence(self, tmp_path, code, said):
        kind, words = refusal(
            tools.run_tool, "it", (sys.executable, "-c", code), within=tmp_path, seconds=0.5 if "sleep" in code else 60
        )  # fmt: skip
        assert (kind, words) == ("unsupported", said)
