"""ONNX files from the command line: measured, swept, judged, and refused in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - after the skips

from inferometer.datasets import open_dataset  # noqa: E402
from inferometer.store import open_store  # noqa: E402

JUDGED = Path(__file__).parents[1] / "models" / "judged.py"
QUICK = ("--preset", "quick", "--no-roofline", "--no-energy", "--store", "x.db")
node = helper.make_node


def save(path, nodes, axes, weights):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, axes)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    stored = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "g", [x], [y], stored)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def test_a_file_is_swept_over_batches_and_threads(cli):
    kernel = np.random.default_rng(0).normal(size=(8, 3, 3, 3)).astype("float16")
    nodes = [
        node("Cast", ["w"], ["kernel"], to=TensorProto.FLOAT),
        node("Conv", ["x", "kernel"], ["y"]),
    ]
    save(cli.folder / "net.onnx", nodes, ["batch", 3, "height", "width"], {"w": kernel})
    asked = ("--models", "net.onnx", "--batch", "1,4", "--size", "32", "--threads", "1", *QUICK)
    _, err = cli("run", *asked, status=2)
    assert "a model in the format ONNX, which torch does not run; choose onnxruntime" in err
    cli("run", *asked, "--backends", "onnxruntime")
    found = cli.rows(store="x.db")
    assert [one["input_shape"] for one in found] == ["x=1x3x32x32", "x=4x3x32x32"]
    for record in found:
        assert (record["status"], record["backend"]) == ("ok", "onnxruntime")
        assert (record["precision"], record["device"], record["threads"]) == ("fp32", "cpu", 1)
        assert record["latency_median_s"] > 0
        assert record["artifact_bytes"] == (cli.folder / "net.onnx").stat().st_size
        assert any("stored as 100% fp16" in note for note in record["notes"])


def test_accuracy_is_that_of_a_plain_loop_sample_for_sample(cli):
    shutil.copy(JUDGED, cli.folder / "judged.py")
    data = open_dataset(f"{cli.folder}/judged.py:data", "test")
    features = np.asarray(data[0].input).size
    classes = len({int(data[number].label) for number in range(len(data))})
    weights = np.random.default_rng(4).normal(size=(features, classes)).astype("float32")
    nodes = [node("Flatten", ["x"], ["flat"]), node("MatMul", ["flat", "w"], ["y"])]
    axes = ["batch", *np.asarray(data[0].input).shape]
    save(cli.folder / "net.onnx", nodes, axes, {"w": weights})
    cli(
        "run", "--models", "net.onnx", "--backends", "onnxruntime", "--batch", "7",
        "--size", "own", "--data", "judged.py:data", *QUICK,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(cli.folder / "net.onnx")
    right = []
    for number in sorted(range(len(data)), key=lambda number: data.contents[number]):
        (scores,) = session.run(None, {"x": np.asarray(data[number].input, "float32")[None]})
        right.append(float(int(scores[0].argmax()) == int(data[number].label)))
    with open_store(cli.folder / "x.db") as store:
        (kept,) = store.evaluations(store.run("latest").id).values()
    assert kept.kept.rows[:, 0].tolist() == right
    (record,) = cli.rows(store="x.db")
    assert record["accuracy"] == pytest.approx(np.mean(right))
    assert 0 < record["accuracy"] < 1
    assert record["data_latency_s"] > 0


def test_what_a_file_does_not_leave_open_is_a_failed_record(cli):
    save(cli.folder / "fixed.onnx", [node("Relu", ["x"], ["y"])], [1, 3, 8, 8], {})
    asked = ("--models", "fixed.onnx", "--backends", "onnxruntime", "--size", "own")
    cli("run", *asked, "--batch", "1,2", *QUICK, status=1)
    one, two = cli.rows(store="x.db")
    assert one["status"] == "ok"
    assert two["failure_kind"] == "unsupported"
    assert "batch size 2: the file was made for batch 1 (first axis of x)" in two["failure_message"]
