"""`inferometer fidelity` with real workers: precisions of a network, and one file against another."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inferometer.cli.main import main
from inferometer.core.record import FIELDS

NETWORK = """\
import torch
from torch import nn


def net():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 4, bias=False))
    return network, lambda batch_size: torch.randn(batch_size, 16)
"""


def call(*args):
    with pytest.raises(SystemExit) as caught:
        main(["fidelity", *args])
    return caught.value.code


@pytest.fixture
def net(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NETWORK)
    return "net.py:net"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes ONNX files of two layers, which faults may be put into."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)

    def write(name, **changes):
        random = np.random.default_rng(0)
        weights = {
            "w": random.standard_normal((8, 8)),
            "b": random.standard_normal(8),
            "v": random.standard_normal((8, 3)),
            **changes,
        }
        nodes = [
            onnx.helper.make_node("Gemm", ["x", "w", "b"], ["h"], name="first"),
            onnx.helper.make_node("Relu", ["h"], ["r"], name="relu"),
            onnx.helper.make_node("MatMul", ["r", "v"], ["y"], name="last"),
        ]
        ends = [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", width])
            for name, width in (("x", 8), ("y", 3))
        ]
        graph = onnx.helper.make_graph(
            nodes,
            "g",
            ends[:1],
            ends[1:],
            [
                onnx.numpy_helper.from_array(value.astype(np.float32), key)
                for key, value in weights.items()
            ],
        )
        opsets = [onnx.helper.make_opsetid("", 17)]
        onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9), name)
        return str(name)

    return write


def test_precisions_of_a_network_against_eager(net, capsys):
    assert call(net, "--precisions", "fp32,bf16,fp16", "--samples", "8", "--json", "-") == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert [one["precision"] for one in found["variants"]] == ["bf16", "fp16"]
    assert {name for name in FIELDS if name.startswith("fidelity_")} <= found.keys()
    assert {one["name"] for one in found["operators"]} == {"0", "1", "2"}
    assert {one["kind"] for one in found["operators"]} == {"Linear", "Tanh"}
    assert found["recover"] == []
    assert found == {**found["variants"][0], "variants": found["variants"]}
    errors = [one["fidelity_relative_error"] for one in found["variants"]]
    assert 1e-5 < errors[1] < errors[0] < 2e-2
    for one in found["variants"]:
        assert one["fidelity_verdict"] == "same"
        assert one["fidelity_reference"] == "torch fp32"
        assert one["fidelity_samples"] == 8
    assert "comparing torch bf16" in captured.err


def test_the_gate_and_the_table(net, capsys):
    asked = (net, "--precisions", "bf16", "--samples", "4")
    assert call(*asked, "--min-cosine", "0.99999999") == 1
    out = capsys.readouterr().out
    assert "Against torch fp32, over 4 samples; errors are relative:" in out
    assert "4 of 4 [0.51, 1.00]" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_file_is_the_same_as_itself_without_optimisations(file, capsys):
    assert call(file("good.onnx"), "--samples", "4", "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fidelity_verdict"] == "same"
    assert found["fidelity_reference"] == "onnxruntime fp32 graph_optimization=disabled"


def test_a_bias_left_out_is_found(file, capsys):
    good, bad = file("good.onnx"), file("bad.onnx", b=np.zeros(8))
    assert call(bad, "--reference", good, "--samples", "4", "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fidelity_verdict"] == "different"
    assert found["fidelity_relative_error"] > 0.1
    assert found["fidelity_reference"].startswith("good.onnx onnxruntime fp32")


def test_nan_and_other_shapes_are_different_with_the_reason(file, capsys):
    good = file("good.onnx")
    weights = np.random.default_rng(1).standard_normal((8, 3))
    weights[0, 1] = np.nan
    call(file("nan.onnx", v=weights), "--reference", good, "--samples", "4", "--json", "-")
    found = json.loads(capsys.readouterr().out)
    assert found["fidelity_verdict"] == "different"
    assert "are NaN" in found["fidelity_reason"]


def test_operators_that_differ_are_told(file, capsys):
    good = file("good.onnx")
    broken = np.random.default_rng(1).standard_normal((8, 3))
    broken[0, 1] = np.nan
    bad = file("bad.onnx", b=np.zeros(8), v=broken)
    assert call(bad, "--reference", good, "--samples", "4", "--json", "x.json") == 0
    out = capsys.readouterr().out
    assert "the likeliest origin first" in out
    assert max(map(len, out.splitlines())) <= 80
    found = json.loads(Path("x.json").read_text())
    last, first = found["operators"]
    assert (last["name"], last["kind"], last["relative_error"]) == ("last", "MatMul", None)
    assert (first["name"], first["kind"]) == ("first", "Gemm")
    assert first["relative_error"] == first["accumulated_error"] > 0.1
    assert found["recover"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "is the reference itself"),
        (["--precisions", "bf16", "--reference", "torch:fp9"], "torch has no precision fp9"),
        (["--precisions", "bf16", "--reference", "nothing"], "no model is called 'nothing'"),
        (["--samples", "1"], "2"),
    ],
)
def test_bad_input_is_one_sentence(net, capsys, arguments, message):
    assert call(net, *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_backend_may_be_the_reference(net, capsys):
    asked = (net, "--precisions", "fp32", "--reference", "torch:bf16", "--samples", "4")
    assert call(*asked, "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fidelity_reference"] == "torch bf16"
    assert found["fidelity_verdict"] == "different"  # for fp32, to which bf16 is far


@pytest.mark.runtimes
def test_what_a_runtime_made_of_a_network_is_compared_by_operators(
    net, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path / "cache"))
    asked = ("--backends", "onnxruntime", "--precisions", "fp16,int8", "--samples", "4")
    assert call(net, *asked, "--json", "-") == 0
    half, whole = json.loads(capsys.readouterr().out)["variants"]
    for one in (half, whole):
        assert {"Gemm", "MatMul"} >= {at["kind"] for at in one["operators"]} - {"Tanh"}
        assert one["operators"][0]["relative_error"] < 0.05
    assert half["recover"] == []
    assert whole["recover"][-1]["recovered"] > 0.1
    assert whole["recover"][-1]["operators"]
