"""Options of the backend `onnxruntime`, and the execution providers that they choose."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

import numpy as np  # noqa: E402 - after the skips
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.backends.onnxruntime import providers  # noqa: E402
from inferometer.backends.onnxruntime.binding import as_arrays, bound  # noqa: E402
from inferometer.backends.onnxruntime.options import OPTIONS  # noqa: E402
from inferometer.backends.onnxruntime.session import OnnxRuntimeBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.protocols import SupportsOptions, SupportsRemarks  # noqa: E402
from inferometer.core.workload import Variant  # noqa: E402
from inferometer.models import load as load_model  # noqa: E402

WEIGHTS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
LEVELS, MODES = onnxruntime.GraphOptimizationLevel, onnxruntime.ExecutionMode
needs_assignment = pytest.mark.skipif(
    not hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"),
    reason="this onnxruntime does not tell which provider got which operator",
)


@pytest.fixture
def model(tmp_path):
    """A layer of 6 features and 4 results."""
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in (("x", 6), ("y", 4))
    )
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], [numpy_helper.from_array(WEIGHTS, "w")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, tmp_path / "m.onnx")
    return load_model(str(tmp_path / "m.onnx"), seed=0)


def session_of(model, *, device="cpu", threads=1, precision="fp32", **options):
    backend = OnnxRuntimeBackend()
    backend.start(threads=threads)
    chosen = tuple(sorted(options.items()))
    variant = Variant(model="m", backend="onnxruntime", precision=precision, options=chosen)
    return backend.load(model, variant, device=device)


def called(session, model):
    inputs = model.inputs.make(batch_size=3, input_size=None, seed=0)
    expected = np.maximum(inputs.kwargs["x"] @ WEIGHTS, 0)
    np.testing.assert_allclose(session.outputs(session.bind(inputs)()), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("graph_optimization", "disabled", "graph_optimization_level", LEVELS.ORT_DISABLE_ALL),
        ("graph_optimization", "basic", "graph_optimization_level", LEVELS.ORT_ENABLE_BASIC),
        ("graph_optimization", "extended", "graph_optimization_level", LEVELS.ORT_ENABLE_EXTENDED),
        ("graph_optimization", "all", "graph_optimization_level", LEVELS.ORT_ENABLE_ALL),
        ("execution_mode", "parallel", "execution_mode", MODES.ORT_PARALLEL),
        ("execution_mode", "sequential", "execution_mode", MODES.ORT_SEQUENTIAL),
        ("arena", "off", "enable_cpu_mem_arena", False),
        ("memory_pattern", "off", "enable_mem_pattern", False),
        ("spinning", "off", "session.intra_op.allow_spinning", "0"),
        ("denormals", "zero", "session.set_denormal_as_zero", "1"),
    ],
)
def test_options_reach_the_session(model, name, value, attribute, expected):
    session = session_of(model, threads=2, **{name: value})
    called(session, model)
    held = session._session.get_session_options()
    if attribute.startswith("session."):
        assert held.get_session_config_entry(attribute) == expected
    else:
        assert getattr(held, attribute) == expected


def test_the_usual_values_are_those_of_a_session_without_options(model):
    plain = session_of(model)._session.get_session_options()
    usual = {name: option.usual for name, option in OPTIONS.items() if option.usual}
    named = session_of(model, **usual)._session.get_session_options()
    for attribute in (
        "graph_optimization_level", "execution_mode", "enable_cpu_mem_arena", "enable_mem_pattern",
        "intra_op_num_threads", "inter_op_num_threads",
    ):  # fmt: skip
        assert getattr(plain, attribute) == getattr(named, attribute)
    assert isinstance(OnnxRuntimeBackend(), SupportsOptions)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({"execution_mode": "parallel"}, 2 - 1 + 2 - 1),
        ({"execution_mode": "parallel", "inter_threads": "3"}, 2 - 1 + 3 - 1),
    ],
)
def test_threads_between_operators_come_beside_those_within(model, options, more):
    gc.collect()  # sessions of earlier tests have threads too
    before = len(list(Path("/proc/self/task").iterdir()))
    session = session_of(model, threads=2, **options)
    called(session, model)
    assert len(list(Path("/proc/self/task").iterdir())) - before == more


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"inter_threads": "2"}, "does nothing without execution_mode=parallel"),
        ({"execution_mode": "parallel"}, "needs inter_threads=2 or more"),
        ({"execution_mode": "parallel", "inter_threads": "1"}, "needs inter_threads=2 or more"),
    ],
)
def test_options_that_would_do_nothing(model, options, said):
    with pytest.raises(WorkloadError, match=said) as caught:
        session_of(model, **options)
    assert caught.value.kind == "unsupported"


class TestProviders:
    """The provider is the one that was asked for, or the variant is refused."""

    @pytest.mark.parametrize(
        ("device", "options", "said"),
        [
            ("cuda", {}, "has no provider cuda; the package onnxruntime-gpu offers it"),
            ("cuda:1", {"provider": "tensorrt"}, "no provider tensorrt; the package onnxruntime-g"),
            ("mps", {}, "has no provider coreml; the package onnxruntime on macOS offers it"),
            ("cpu", {"provider": "xnnpack"}, "has no provider xnnpack; a build of one's own"),
            ("cpu", {"provider": "cuda"}, "the provider cuda belongs to the device cuda, not cpu"),
            ("cuda", {"provider": "cpu"}, "the provider cpu belongs to the device cpu, not cuda"),
        ],
    )
    def test_those_that_are_not_here(self, model, monkeypatch, device, options, said):
        monkeypatch.setattr(
            onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"]
        )
        with pytest.raises(WorkloadError, match=said) as caught:
            session_of(model, device=device, **options)
        assert caught.value.kind == "unsupported"

    def test_int8_where_it_would_be_computed_in_fp32(self, model):
        with pytest.raises(WorkloadError, match="provider=tensorrt has them"):
            session_of(model, device="cuda", precision="int8")

    @needs_assignment
    def test_a_provider_that_runs_nothing(self, model, monkeypatch):
        name = "AzureExecutionProvider"  # has no operator of ONNX, and needs no hardware
        if name not in onnxruntime.get_available_providers():
            pytest.skip("this onnxruntime was built without it")
        azure = providers.Provider(name, "cpu", "nothing")
        monkeypatch.setattr(providers, "PROVIDERS", {**providers.PROVIDERS, "azure": azure})
        with pytest.raises(WorkloadError, match="azure runs none of the model's 2 operators"):
            session_of(model, provider="azure")

    def test_operators_that_fall_to_others_are_counted_and_named(self):
        def part(name, *kinds):
            nodes = [SimpleNamespace(op_type=kind) for kind in kinds]
            return SimpleNamespace(ep_name=name, get_nodes=lambda: nodes)

        parts = [
            part("CoreMLExecutionProvider", *["Conv"] * 7),
            *[part("CPUExecutionProvider", "Resize") for _ in range(2)],
            part("CPUExecutionProvider", "TopK"),
        ]
        session = SimpleNamespace(
            get_providers=lambda: ["CoreMLExecutionProvider", "CPUExecutionProvider"],
            get_provider_graph_assignment_info=lambda: parts,
        )
        assert providers.remarks(session, "coreml") == (
            "3 of 10 operators run on the provider cpu, not on coreml: 2 Resize, 1 TopK",
        )

    def test_a_provider_that_does_not_start(self):
        session = SimpleNamespace(get_providers=lambda: ["CPUExecutionProvider"])
        with pytest.raises(WorkloadError, match="provider cuda, which does not start here"):
            providers.remarks(session, "cuda")

    def test_a_runtime_that_does_not_tell(self):
        session = SimpleNamespace(get_providers=lambda: ["DmlExecutionProvider"])
        device, told = providers.remarks(session, "directml")
        assert "has no name here" in device
        assert "not told by this onnxruntime" in told

    def test_the_processor_has_nothing_to_say(self, model):
        session = session_of(model)
        assert isinstance(session, SupportsRemarks)
        assert session.remarks(model.inputs.make(batch_size=1, input_size=None, seed=0)) == ()


def test_bound_calls_give_what_others_give(model):
    session = session_of(model)
    x = np.ones((2, 6), "float32")
    call = bound(session._session, {"x": x}, "cpu")
    for _ in range(2):
        np.testing.assert_allclose(session.outputs(call()), np.maximum(x @ WEIGHTS, 0), 1e-5)
    assert session.non_finite(call()) is None
    x[0, 0] = np.nan
    assert "NaN" in session.non_finite(bound(session._session, {"x": x}, "cpu")())
    assert as_arrays({"a": [x]})["a"][0] is x


@pytest.mark.gpu
def test_cuda_gives_what_the_processor_gives(model):
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has no provider for CUDA")
    session = session_of(model, device="cuda")
    called(session, model)
    assert session.device == "cuda"
