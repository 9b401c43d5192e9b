"""A backend of another package that reads a model file itself gets such files, with inputs."""

from __future__ import annotations

import json

import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper  # noqa: E402 - after the skip

from inferometer.core.errors import ModelReferenceError  # noqa: E402
from inferometer.runner.formats import check_model  # noqa: E402

BACKEND = """
from contextlib import nullcontext

from inferometer.backends.finite import minus_infinite, non_finite
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import PlacedInputs


class ReferenceSession:
    device = "cpu"
    non_finite = staticmethod(non_finite)
    minus_infinite = staticmethod(minus_infinite)

    def __init__(self, evaluator):
        self.evaluator = evaluator

    def running(self):
        return nullcontext()

    def place(self, inputs):
        return PlacedInputs(**vars(inputs))

    def bind(self, inputs):
        arrays = dict(inputs.kwargs)
        return lambda: self.evaluator.run(None, arrays)


class ReferenceBackend:
    accepts, precisions, devices = frozenset({Format.ONNX}), ("fp32",), ("cpu",)

    def start(self, *, threads):
        import onnx.reference

    def load(self, model, variant, *, device):
        from onnx.reference import ReferenceEvaluator

        if device != "cpu":
            raise WorkloadError("unsupported", "the reference runs on cpu alone")
        return ReferenceSession(ReferenceEvaluator(model.files[0]))
"""
QUICK = ("--preset", "quick", "--batch", "2", "--no-roofline", "--no-energy", "--json", "-")


@pytest.fixture
def onnx_site(site):
    points = {"inferometer.backends": {"reference": "acme_onnx:ReferenceBackend"}}
    site.install("acme-onnx", points, modules={"acme_onnx.py": BACKEND})
    return site


@pytest.fixture
def file(tmp_path):
    """An ONNX file with a name that says nothing."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, "side", "side"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "model.net"
    path.write_bytes(model.SerializeToString())
    return path


def test_it_measures_a_file(onnx_site, file, tmp_path):
    run = ("-m", "inferometer", "run", "--models", file, "--backends", "reference", *QUICK)
    out = onnx_site.python(*run, "--size", "8", "--store", tmp_path / "store.db")
    (record,) = json.loads(out)
    assert record["status"] == "ok", record["failure_message"]
    assert (record["backend"], record["source"]) == ("reference", "file")
    assert (record["weights"], record["input_shape"]) == ("file model.net", "x=2x3x8x8")
    assert record["latency_median_s"] > 0


def test_what_the_file_leaves_open_is_one_failed_record(onnx_site, file, tmp_path):
    run = ("-m", "inferometer", "run", "--models", file, "--backends", "reference", *QUICK)
    out = onnx_site.python(*run, "--size", "own", "--store", tmp_path / "store.db", status=1)
    (record,) = json.loads(out)
    assert record["failure_kind"] == "unsupported"
    assert "is open along side; give a size" in record["failure_message"]


def test_a_backend_that_takes_the_file_is_named(onnx_site, file):
    with pytest.raises(
        ModelReferenceError,
        match=r"which torch does not run; choose onnxruntime, openvino or .*reference$",
    ):
        check_model(str(file), ["torch"])
    check_model(str(file), ["torch", "reference"])


def test_of_several_backends_those_that_do_not_take_it_fail_alone(onnx_site, file, tmp_path):
    run = ("-m", "inferometer", "run", "--models", file, "--backends", "reference,python", *QUICK)
    out = onnx_site.python(*run, "--size", "8", "--store", tmp_path / "store.db", status=1)
    ours, theirs = sorted(json.loads(out), key=lambda one: one["backend"])
    assert theirs["status"] == "ok"
    assert (ours["failure_kind"], ours["failure_stage"]) == ("bad_model", "load")
    assert "which python does not run; choose onnxruntime, openvino or " in ours["failure_message"]
    assert ours["failure_message"].endswith(" or reference")


def test_a_run_refuses_it_before_any_work(onnx_site, command, file, tmp_path):
    run = ("run", "--models", file, "--size", "8", "--store", tmp_path / "store.db")
    out, err = command(*run, "--backends", "torch", status=2)
    assert out == ""
    assert err.startswith(f"Error: {file} is a model in the format ONNX, which torch does not run;")
    assert "choose onnxruntime, openvino or " in err
    assert err.endswith(" or reference\n")
    assert not (tmp_path / "store.db").exists()
