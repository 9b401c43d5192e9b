"""What the backend `onnxruntime` makes of files: fp16 and int8, and what it says of it."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import numpy as np  # noqa: E402 - after the skips
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.backends.onnxruntime import convert  # noqa: E402
from inferometer.backends.onnxruntime.session import OnnxRuntimeBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.core.model import Inputs, LoadedModel  # noqa: E402
from inferometer.core.protocols import SupportsPreparation  # noqa: E402
from inferometer.core.workload import Variant  # noqa: E402

RANDOM = np.random.default_rng(0)
node = helper.make_node
on_x86 = pytest.mark.skipif(
    platform.machine().lower() not in convert.X86, reason="says what kernels for x86 do"
)


def weights(*shape):
    return RANDOM.normal(size=shape, scale=(2 / np.prod(shape[1:])) ** 0.5).astype("float32")


def saved(path, nodes, inputs, outputs, **initializers):
    """Save a model; gives its path."""
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in initializers.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return str(path)


@pytest.fixture
def convolutional(tmp_path):
    """Convolution, normalisation, rectification, pooling, a second convolution and a linear layer."""
    nodes = [
        node("Conv", ["x", "w1"], ["c1"], "first", pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c1", "scale", "shift", "mean", "var"], ["n1"]),
        node("Relu", ["n1"], ["r1"]),
        node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["p1", "w2"], ["c2"], "second", pads=[1, 1, 1, 1]),
        node("Relu", ["c2"], ["r2"]),
        node("GlobalAveragePool", ["r2"], ["a"]),
        node("Flatten", ["a"], ["f"]),
        node("Gemm", ["f", "w3"], ["y"], "third", transB=1),
    ]
    return saved(
        tmp_path / "m.onnx", nodes, {"x": ["n", 3, "h", "w"]}, {"y": ["n", 5]},
        w1=weights(16, 3, 3, 3), w2=weights(32, 16, 3, 3), w3=weights(5, 32),
        scale=np.ones(16, "float32"), shift=np.zeros(16, "float32"),
        mean=np.zeros(16, "float32"), var=np.ones(16, "float32"),
    )  # fmt: skip


@pytest.fixture
def products(tmp_path):
    """A product with constant weights, and one of two activations."""
    nodes = [
        node("MatMul", ["x", "w"], ["h"], "projection"),
        node("Transpose", ["h"], ["t"], perm=[0, 2, 1]),
        node("MatMul", ["h", "t"], ["y"], "scores"),
    ]
    return saved(
        tmp_path / "m.onnx", nodes, {"x": ["n", 8, 256]}, {"y": ["n", 8, 8]}, w=weights(256, 128)
    )


def variant(precision, **options):
    return Variant(
        model="m", backend="onnxruntime", precision=precision, options=tuple(sorted(options.items()))
    )  # fmt: skip


def loaded(*files):
    return LoadedModel(
        network=None, format=Format.ONNX, inputs=None, source="test", weights="none", files=files
    )


def sample(shape, seed, scale=1.0):
    x = np.random.default_rng(seed).uniform(size=shape).astype("float32") * np.float32(scale)
    return Inputs(args=(x,), shape="")


def started():
    backend = OnnxRuntimeBackend()
    backend.start(threads=1)
    return backend


def prepared(path, into, precision, *, shape=(1, 3, 16, 16), scale=1.0, **options):
    into.mkdir()
    samples = [sample(shape, seed, scale) for seed in range(4)]
    return started().prepare(
        loaded(path), variant(precision, **options), samples=samples, into=into
    )


def output(files, inputs):
    session = started().load(loaded(*files), variant("fp32"), device="cpu")
    return session.outputs(session.bind(inputs)())


def cosine(a, b):
    return float(a.ravel() @ b.ravel() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(
    ("form", "precision", "options", "expected"),
    [
        (Format.ONNX, "fp32", {}, None),
        (Format.CALLABLE, "fp32", {}, None),
        (Format.TORCH_MODULE, "fp32", {}, (True, False)),
        (Format.TORCHSCRIPT, "fp16", {}, (False, False)),
        (Format.ONNX, "fp16", {}, (False, False)),
        (Format.ONNX, "int8", {}, (False, True)),
        (Format.EXPORTED_PROGRAM, "int8", {"quantization": "static"}, (False, True)),
        (Format.ONNX, "int8", {"quantization": "dynamic"}, (False, False)),
        (Format.TORCH_MODULE, "int8", {"quantization": "weights"}, (False, False)),
        (Format.TORCH_MODULE, "fp32", {"quantization": "static"}, (True, False)),
    ],
)
def test_what_is_to_be_made_of_a_format(form, precision, options, expected):
    backend = OnnxRuntimeBackend()
    assert isinstance(backend, SupportsPreparation)
    how = backend.preparation(form, variant(precision, **options))
    assert (how and (how.stays, how.calibrates)) == expected
    assert how is None or how.wants is Format.ONNX


@pytest.mark.parametrize(
    ("precision", "options", "said"),
    [
        ("bf16", {}, "compute nothing in bf16"),
        ("int4", {}, "no precision int4"),
        ("int8", {"provider": "cuda"}, "provider=tensorrt has them"),
    ],
)
def test_precisions_are_refused_before_anything_is_exported(precision, options, said):
    with pytest.raises(WorkloadError, match=said) as caught:
        OnnxRuntimeBackend().preparation(Format.TORCH_MODULE, variant(precision, **options))
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize(
    ("precision", "options", "least"),
    [
        ("fp16", {}, 0.99999),
        ("int8", {}, 0.999),
        ("int8", {"quantization": "dynamic"}, 0.999),
        ("int8", {"quantization": "weights"}, 0.9998),
    ],
)
def test_outputs_are_near_those_of_the_file(convolutional, tmp_path, precision, options, least):
    made = prepared(convolutional, tmp_path / "made", precision, **options)
    for shape in ((1, 3, 16, 16), (3, 3, 24, 20)):
        inputs = sample(shape, seed=9)
        found, plain = (output(files, inputs) for files in (made.files, (convolutional,)))
        assert found.dtype == np.float32
        assert not np.array_equal(found, plain)
        assert cosine(found, plain) > least


class TestWhatStays:
    """Operators without a kernel in the precision are counted, and named where it is not all."""

    def test_none(self, convolutional, tmp_path):
        assert prepared(convolutional, tmp_path / "made", "int8").notes == ()

    @on_x86
    def test_all_in_fp16_on_x86(self, convolutional, tmp_path):
        assert prepared(convolutional, tmp_path / "made", "fp16").notes == (
            "2 of 2 convolutions stay in fp32",
            "1 of 1 matrix products stay in fp32",
        )

    def test_transposed_convolutions(self, tmp_path):
        nodes = [node("Conv", ["x", "w"], ["h"]), node("ConvTranspose", ["h", "u"], ["y"])]
        path = saved(
            tmp_path / "m.onnx", nodes, {"x": [1, 3, 8, 8]}, {"y": None},
            w=weights(4, 3, 3, 3), u=weights(4, 2, 3, 3),
        )  # fmt: skip
        made = prepared(path, tmp_path / "made", "int8", shape=(1, 3, 8, 8))
        assert made.notes == ("1 of 1 transposed convolutions stay in fp32",)

    def test_products_without_constant_weights(self, products, tmp_path):
        made = prepared(products, tmp_path / "made", "int8", quantization="weights")
        (said,) = made.notes
        assert said.startswith("1 of 2 matrix products stay in fp32: scores")

    @pytest.mark.parametrize(
        ("operator", "options", "said"),
        [
            ("Conv", {"quantization": "weights"}, "of matrix products with constant weights"),
            ("Conv", {"graph_optimization": "basic"}, "come in with graph_optimization=extended"),
            ("ConvTranspose", {}, "no int8 kernel for what it consists of"),
            ("ConvTranspose", {"quantization": "dynamic"}, "no int8 kernel for what it consists"),
        ],
    )
    def test_everything_is_refused(self, tmp_path, operator, options, said):
        path = saved(
            tmp_path / "m.onnx", [node(operator, ["x", "w"], ["y"])], {"x": [1, 3, 8, 8]},
            {"y": None}, w=weights(3, 3, 3, 3),
        )  # fmt: skip
        with pytest.raises(WorkloadError, match=said) as caught:
            prepared(path, tmp_path / "made", "int8", shape=(1, 3, 8, 8), **options)
        assert caught.value.kind == "unsupported"


def test_ranges_of_activations_come_from_the_samples(convolutional, tmp_path):
    narrow = prepared(convolutional, tmp_path / "narrow", "int8", scale=0.1)
    wide = prepared(convolutional, tmp_path / "wide", "int8")
    inputs = sample((1, 3, 16, 16), seed=9)
    plain = output((convolutional,), inputs)
    of_narrow, of_wide = (np.linalg.norm(output(one.files, inputs)) for one in (narrow, wide))
    assert of_narrow < 0.5 * np.linalg.norm(plain)  # cut off
    assert of_wide == pytest.approx(np.linalg.norm(plain), rel=0.1)


@on_x86
@pytest.mark.parametrize(("sets", "most"), [([], 64), (["avx512_vnni"], 127)])
def test_weights_have_seven_bits_where_sums_would_overflow(
    convolutional, tmp_path, monkeypatch, sets, most
):
    monkeypatch.setattr(convert, "simd", lambda _: sets)
    made = prepared(convolutional, tmp_path / "made", "int8")
    kept = [
        numpy_helper.to_array(one)
        for one in onnx.load(made.files[0]).graph.initializer
        if one.data_type == TensorProto.INT8
    ]
    assert max(int(np.abs(one.astype(int)).max()) for one in kept) == most
    assert made.notes == (() if sets else (convert.SEVEN_BITS,))


@pytest.mark.parametrize("quantization", ["static", "dynamic", "weights"])
def test_weights_in_a_file_of_their_own_stay_in_one(convolutional, tmp_path, quantization):
    apart = tmp_path / "apart"
    apart.mkdir()
    onnx.save(
        onnx.load(convolutional), apart / "m.onnx", save_as_external_data=True, location="weights",
        size_threshold=0,
    )  # fmt: skip
    into = tmp_path / "made"
    into.mkdir()
    made = started().prepare(
        loaded(str(apart / "m.onnx"), str(apart / "weights")),
        variant("int8", quantization=quantization),
        samples=[sample((1, 3, 16, 16), seed) for seed in range(4)],
        into=into,
    )
    moved = into.rename(tmp_path / "moved")
    files = [str(moved / Path(one).name) for one in made.files]
    assert {Path(one).name for one in files} == {one.name for one in moved.iterdir()}
    inputs = sample((2, 3, 16, 16), seed=9)
    assert cosine(output(files, inputs), output((convolutional,), inputs)) > 0.999


def test_files_that_are_quantised_already(convolutional, tmp_path):
    quantised = prepared(convolutional, tmp_path / "quantised", "int8").files[0]
    with pytest.raises(WorkloadError, match="is quantised already, by DequantizeLinear") as caught:
        prepared(quantised, tmp_path / "made", "int8")
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_damaged_files(convolutional, tmp_path, precision):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(Path(convolutional).read_bytes()[:2000])
    with pytest.raises(WorkloadError, match=f"is not converted to {precision}") as caught:
        prepared(str(damaged), tmp_path / "made", precision)
    assert caught.value.kind == "bad_model"
    assert "\n" not in str(caught.value)
