"""The backend `litert`, under a Python that has LiteRT:

    PYTHONPATH=src PYTHON -m pytest -p no:anyio tests/backends/test_litert.py

What converts takes longer, needs litert-torch and litert-quantizer too, and is marked `runtimes`.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from inferometer.backends.litert.operators import outside
from inferometer.backends.litert.session import LiteRtBackend, opened
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.protocols import (
    SupportsErrorKinds,
    SupportsOptions,
    SupportsOutputs,
    SupportsPreparation,
    SupportsSettings,
)
from inferometer.core.workload import Variant

FLOAT, INT8, INT32 = schema.TensorType.FLOAT32, schema.TensorType.INT8, schema.TensorType.INT32
ADD, GATHER, CUSTOM = (
    schema.BuiltinOperator.ADD,
    schema.BuiltinOperator.GATHER,
    schema.BuiltinOperator.CUSTOM,
)
TABLE = np.arange(20, dtype="float32").reshape(5, 4)


def tensor(name, shape, kind=FLOAT, *, scale=None, zero=0, constant=None):
    made = schema.TensorT()
    made.name, made.type = name, kind
    made.shape = [abs(length) for length in shape]
    made.shapeSignature = list(shape)
    made.constant = constant
    if scale:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [zero]
    return made


def operation(kind, inputs, outputs):
    made = schema.OperatorT()
    made.kind, made.inputs, made.outputs = kind, inputs, outputs
    if kind == ADD:
        made.builtinOptionsType = schema.BuiltinOptions.AddOptions
        made.builtinOptions = schema.AddOptionsT()
    return made


def mapped(names, at):
    made = []
    for name, index in zip(names, at, strict=True):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        made.append(entry)
    return made


@pytest.fixture
def saved(tmp_path):
    """Save a file of tensors, operators, inputs and outputs; gives its path."""

    def save(tensors, operators, inputs, outputs, *, signature=None):
        model, graph = schema.ModelT(), schema.SubGraphT()
        model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
        for one in tensors:
            one.buffer = 0
            if one.constant is not None:
                one.buffer = len(model.buffers)
                model.buffers.append(schema.BufferT())
                model.buffers[-1].data = np.frombuffer(one.constant.tobytes(), np.uint8)
        model.operatorCodes = []
        for number, one in enumerate(operators):
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = one.kind
            code.version, code.customCode = 1, "Frobnicate" if one.kind == CUSTOM else None
            model.operatorCodes.append(code)
            one.opcodeIndex = number
        graph.tensors, graph.operators, graph.inputs, graph.outputs = (
            tensors,
            operators,
            inputs,
            outputs,
        )
        if signature:
            model.signatureDefs = [schema.SignatureDefT()]
            model.signatureDefs[0].signatureKey = "serving_default"
            model.signatureDefs[0].inputs = mapped(signature[0], inputs)
            model.signatureDefs[0].outputs = mapped(signature[1], outputs)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        path = tmp_path / "m.tflite"
        path.write_bytes(bytes(builder.Output()))
        return path

    return save


@pytest.fixture
def sums(saved):
    """Adds two inputs with an open batch."""
    tensors = [tensor(name, (-1, 4)) for name in ("t_b", "t_a", "t_sum")]
    return saved(
        tensors, [operation(ADD, [0, 1], [2])], [0, 1], [2], signature=(("b", "a"), ("sum",))
    )


@pytest.fixture
def rows(saved):
    """Looks up rows of a table."""
    tensors = [
        tensor("table", (5, 4), constant=TABLE),
        tensor("ids", (2,), INT32),
        tensor("rows", (2, 4)),
    ]
    return saved(tensors, [operation(GATHER, [0, 1], [2])], [1], [2])


class Spec:
    batch_size = 1

    def make(self, *, batch_size, input_size, seed):
        raise AssertionError("a backend makes no inputs")


def model_of(*paths, form=Format.TFLITE):
    return LoadedModel(
        network=None,
        format=form,
        inputs=Spec(),
        source="file",
        weights="",
        files=tuple(map(str, paths)),
    )


def variant(precision="fp32", **options):
    return Variant(
        model="m", backend="litert", precision=precision, options=tuple(sorted(options.items()))
    )


def session_of(path, *, threads=1, device="cpu", precision="fp32", **options):
    backend = LiteRtBackend()
    backend.start(threads=threads)
    return backend.load(model_of(path), variant(precision, **options), device=device)


def given(*args, **kwargs):
    return Inputs(args=args, kwargs=kwargs, shape="")


def called(session, *args, **kwargs):
    with session.running():
        return session.outputs(session.bind(given(*args, **kwargs))())


def refusal(action):
    with pytest.raises(WorkloadError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return caught.value.kind, str(caught.value)


@pytest.mark.parametrize("delegate", ["xnnpack", "none"])
def test_names_of_the_signature_in_the_order_of_the_file(sums, delegate):
    session = session_of(sums, delegate=delegate)
    a, b = np.ones((1, 4)), np.full((1, 4), 2.0)
    for found in (called(session, b, a), called(session, a=a, b=b), called(session, b, a=a)):
        np.testing.assert_array_equal(found, np.full((1, 4), 3, "float32"))
    assert list(session.place(given(b, a)).kwargs) == ["b", "a"]


def test_an_open_batch_is_swept_and_an_earlier_call_stays_right(sums):
    session = session_of(sums)
    calls = {
        batch: session.bind(given(np.full((batch, 4), batch), np.ones((batch, 4))))
        for batch in (1, 3, 8)
    }
    for batch in (1, 8, 3, 1):
        found = session.outputs(calls[batch]())
        np.testing.assert_array_equal(found, np.full((batch, 4), batch + 1, "float32"))


def test_an_output_is_not_changed_by_the_next_call(sums):
    session = session_of(sums)
    first = called(session, np.ones((1, 4)), np.ones((1, 4)))
    called(session, np.zeros((1, 4)), np.zeros((1, 4)))
    assert first.tolist() == [[2, 2, 2, 2]]


def test_several_outputs_by_their_names(saved):
    tensors = [tensor(name, (1, 2)) for name in ("x", "twice", "thrice")]
    operators = [operation(ADD, [0, 0], [1]), operation(ADD, [1, 0], [2])]
    found = called(session_of(saved(tensors, operators, [0], [2, 1])), np.ones((1, 2)))
    assert {name: array.tolist() for name, array in found.items()} == {
        "thrice": [[3, 3]],
        "twice": [[2, 2]],
    }


def test_whole_numbers_of_another_width(rows):
    found = called(session_of(rows), np.array([4, 0]))
    np.testing.assert_array_equal(found, TABLE[[4, 0]])


class TestQuantisedEnds:
    """Inputs and outputs that the file has in whole numbers with a scale."""

    @pytest.fixture
    def session(self, saved):
        tensors = [
            tensor("x", (1, 3), INT8, scale=0.5, zero=10),
            tensor("y", (1, 3), INT8, scale=1.0, zero=-5),
        ]
        return session_of(saved(tensors, [operation(ADD, [0, 0], [1])], [0], [1]))

    def test_floating_numbers_go_in_and_out(self, session):
        found = called(session, np.array([[1.0, -2.0, 3.5]]))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, [[2, -4, 7]])

    def test_they_end_at_the_limits_of_the_type(self, session):
        assert session.place(given(np.array([[1e6, -1e6, 0.0]]))).kwargs["x"].tolist() == [
            [127, -128, 10]
        ]

    def test_whole_numbers_are_those_of_the_file(self, session):
        np.testing.assert_allclose(called(session, np.array([[12, 6, 17]], "int8")), [[2, -4, 7]])


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (given(np.ones((1, 4))), "takes the inputs b, a; given: 1 without a name"),
        (given(np.ones((1, 4)), c=np.ones((1, 4))), "given: 1 without a name and c"),
        (given(*[np.ones((1, 4))] * 3), "given: 3 without a name"),
        (given(np.ones((1, 5)), np.ones((1, 5))), "input b takes ?x4, and was given 1x5"),
        (given(np.ones(4), np.ones(4)), "input b takes ?x4, and was given 4"),
    ],
)
def test_inputs_that_do_not_fit(sums, inputs, said):
    kind, message = refusal(lambda: session_of(sums).place(inputs))
    assert kind == "unsupported"
    assert said in message


def test_numbers_are_not_cut_to_whole_ones(rows):
    assert refusal(lambda: session_of(rows).place(given(np.array([0.5, 1.5]))))[0] == "unsupported"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_so_many_threads_as_were_asked_for_and_none_afterwards(sums, threads):
    def running():
        gc.collect()
        return len(list(Path("/proc/self/task").iterdir()))

    before = running()
    session = session_of(sums, threads=threads)
    called(session, np.ones((8, 4)), np.ones((8, 4)))
    assert running() - before == threads - 1
    del session
    assert running() == before


def test_operators_that_no_delegate_runs(saved):
    tensors = [
        tensor("table", (5, 4), constant=TABLE),
        tensor("ids", (2,), INT32),
        tensor("rows", (2, 4)),
        tensor("y", (2, 4)),
    ]
    operators = [operation(GATHER, [0, 1], [2]), operation(ADD, [2, 2], [3])]
    path = str(saved(tensors, operators, [1], [3]))
    left = {
        delegate: outside(opened(path, 1, delegate=delegate)._get_ops_details())
        for delegate in ("xnnpack", "none")
    }
    assert left == {"xnnpack": ["GATHER"], "none": ["GATHER", "ADD"]}


class TestRefusals:
    """Files that do not load or convert, and why."""

    @pytest.mark.parametrize("kept", [0.3, 0.9])
    def test_a_file_that_is_cut_short(self, sums, kept):
        content = sums.read_bytes()
        sums.write_bytes(content[: int(len(content) * kept)])
        kind, said = refusal(lambda: session_of(sums))
        assert kind == "bad_model"
        assert "does not load in LiteRT" in said

    def test_no_file(self):
        backend = LiteRtBackend()
        assert refusal(lambda: backend.load(model_of(), variant(), device="cpu"))[0] == "bad_model"

    def test_an_operator_that_the_runtime_does_not_have(self, saved):
        tensors = [tensor("x", (1, 2)), tensor("y", (1, 2))]
        path = saved(tensors, [operation(CUSTOM, [0], [1])], [0], [1])
        kind, said = refusal(lambda: session_of(path))
        assert kind == "unsupported"
        assert "Frobnicate" in said

    def test_devices_and_precisions(self, sums):
        assert refusal(lambda: session_of(sums, device="cuda"))[0] == "unsupported"
        assert refusal(lambda: session_of(sums, precision="bf16"))[0] == "unsupported"

    def test_a_file_is_not_converted(self):
        backend = LiteRtBackend()
        assert backend.preparation(Format.TFLITE, variant()) is None
        kind, said = refusal(lambda: backend.preparation(Format.TFLITE, variant("int8")))
        assert kind == "unsupported"
        assert "runs it as it is" in said

    def test_an_index_out_of_range_in_a_call(self, rows):
        with pytest.raises(RuntimeError) as caught:
            called(session_of(rows, delegate="none"), np.array([99, 0]))
        assert LiteRtBackend().classify(caught.value) == "unsupported"

    def test_errors_of_others(self):
        assert LiteRtBackend().classify(RuntimeError("something else")) is None
        assert LiteRtBackend().classify(KeyError("node number 3")) is None


def test_what_only_some_backends_can_do(sums):
    backend = LiteRtBackend()
    for protocol in (SupportsErrorKinds, SupportsOptions, SupportsPreparation, SupportsSettings):
        assert isinstance(backend, protocol)
    assert isinstance(session_of(sums), SupportsOutputs)


def test_what_is_prepared_of_what():
    backend = LiteRtBackend()
    made = {
        (precision, how): backend.preparation(
            Format.TORCH_MODULE, variant(precision, quantization=how)
        )
        for precision in ("fp32", "int8")
        for how in ("static", "dynamic")
    }
    assert [key for key, one in made.items() if one.calibrates] == [("int8", "static")]
    assert {one.wants for one in made.values()} == {Format.EXPORTED_PROGRAM}
    assert all(one.each_shape for one in made.values())
    assert backend.preparation(Format.ONNX, variant()) is None


def test_torch_is_imported_by_nothing_that_runs_a_file(sums):
    code = f"""
import sys
from inferometer.backends.litert.session import LiteRtBackend, LiteRtSession, opened
assert "ai_edge_litert" not in sys.modules
LiteRtBackend().start(threads=1)
LiteRtSession(opened({str(sums)!r}, 1, delegate="xnnpack"))
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def net():
    """A small network with signal in its outputs, and its inputs."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("litert_torch")
    torch.manual_seed(0)
    made = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 8, 3, stride=2),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 7 * 7, 10),
    )
    return made.eval(), torch.randn(2, 3, 32, 32)


@pytest.mark.runtimes
@pytest.mark.filterwarnings("ignore")
class TestConverted:
    """What litert-torch and litert-quantizer make of a program of torch."""

    def made(self, net, tmp_path, precision="fp32", **options):
        import torch

        network, pictures = net
        torch.export.save(torch.export.export(network, (pictures,)), tmp_path / "m.pt2")
        return self.prepared(tmp_path, precision, pictures, **options)

    def prepared(self, folder, precision="fp32", pictures=None, **options):
        backend = LiteRtBackend()
        backend.start(threads=1)
        into = folder / "into"
        into.mkdir()
        random = np.random.default_rng(0)
        samples = [given(random.standard_normal((1, 3, 32, 32), "float32")) for _ in range(9)]
        source = model_of(folder / "m.pt2", form=Format.EXPORTED_PROGRAM)
        how = variant(precision, **options)
        artifact = backend.prepare(source, how, samples=samples, into=into)
        assert list(map(str, into.iterdir())) == list(artifact.files)
        return artifact, backend.load(model_of(*artifact.files), how, device="cpu")

    def test_fp32_is_that_of_torch(self, net, tmp_path):
        network, pictures = net
        artifact, session = self.made(net, tmp_path)
        expected = network(pictures).detach().numpy()
        np.testing.assert_allclose(called(session, pictures), expected, rtol=1e-4, atol=1e-5)
        assert artifact.format is Format.TFLITE
        assert any("operators transpose" in note for note in artifact.notes)

    @pytest.mark.parametrize(
        ("precision", "options", "note"),
        [
            ("int8", {}, ""),
            ("int8", {"quantization": "dynamic"}, ""),
            ("int8", {"quantization": "weights"}, "kept in int8; it computes in fp32"),
            ("fp16", {}, "kept in fp16; it computes in fp32"),
        ],
    )
    def test_other_precisions_are_close(self, net, tmp_path, precision, options, note):
        network, pictures = net
        artifact, session = self.made(net, tmp_path, precision, **options)
        expected, found = network(pictures).detach().numpy().ravel(), called(session, pictures)
        assert found.dtype == np.float32
        found = found.ravel()
        cosine = expected @ found / np.linalg.norm(expected) / np.linalg.norm(found)
        assert cosine > 0.98
        assert not np.allclose(found, expected, rtol=1e-6)
        assert any(note in one for one in artifact.notes)
        assert not any("stay in fp32" in one for one in artifact.notes)

    def test_what_it_cannot_convert(self, tmp_path):
        import torch

        class Odd(torch.nn.Module):
            def forward(self, x):
                return torch.linalg.svd(x).S

        torch.export.save(torch.export.export(Odd(), (torch.ones(3, 3),)), tmp_path / "m.pt2")
        kind, said = refusal(lambda: self.prepared(tmp_path))
        assert kind == "unsupported"
        assert "litert-torch" in said

    def test_a_damaged_program(self, tmp_path):
        (tmp_path / "m.pt2").write_bytes(b"PK nothing")
        kind, said = refusal(lambda: self.prepared(tmp_path))
        assert kind == "bad_model"
        assert "must be of the same version" in said
