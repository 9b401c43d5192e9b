"""`inferometer cost`: the real command, its worker included."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from inferometer.cli.main import main
from inferometer.core.cost import Cost
from inferometer.core.costing import Costing
from inferometer.core.errors import WorkloadError
from inferometer.runner import costing as costing_module

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "costs.md"

FAULTY = """
import os
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.layer(x)

class Choosy(Net):
    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x

class Deadly(Net):
    def forward(self, x):
        os._exit(7)

def plain(): return Net(), torch.zeros(2, 4)
def choosy(): return Choosy(), torch.ones(2, 4)
def deadly(): return Deadly(), torch.zeros(2, 4)
"""


def said(text):
    """What no release of torch changes in what is printed: parameters, MACs, FLOPs, the head."""
    wanted = ("squeezenet1_0", "For one", "parameters", "  size", "MACs", "FLOPs", "1 MAC")
    return [line.rstrip() for line in text.splitlines() if line.startswith(wanted)]


@pytest.fixture
def command(capsys):
    def call(*args):
        with pytest.raises(SystemExit) as ended:
            main(["cost", *map(str, args)])
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def requests(monkeypatch):
    """What the command asks for; nothing is started."""
    seen = []

    def cost_of(request):
        seen.append(request)
        cost = Cost(
            operators=(), input_bytes=0, output_bytes=0, weight_bytes=0, activation_bytes=0,
            activation_peak_bytes=0, method="none",
        )  # fmt: skip
        return Costing(
            model=request.model, source="file", weights="none", backend=None, precision="fp32",
            batch_size=request.batch_size or 1, input_size=request.input_size, input_shape="1", cost=cost,
        )  # fmt: skip

    monkeypatch.setattr(costing_module, "cost_of", cost_of)
    return seen


def test_what_the_options_mean(command, requests):
    more = ("--size", 64, "--batch", 4, "--precision", "bf16", "--run", "--seed", 3)
    status, out, err = command("net", *more, "--timeout", "2m")
    assert (status, err) == (0, "")
    assert "net" in out
    command("net", "--size", "own")
    (request, other) = requests
    assert (request.model, request.input_size, request.batch_size, request.precision) == (
        "net",
        64,
        4,
        "bf16",
    )
    assert (request.may_run, request.seed, request.timeout_s) == (True, 3, 120.0)
    assert (other.input_size, other.batch_size, other.may_run) == (None, None, False)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("resnet81",), "did you mean 'resnet18'"),
        (("resnet18", "--precision", "fp23"), "no precision 'fp23'"),
        (("resnet18", "--size", "0"), "expected a whole number from 1 to 1000000, or own"),
        (("resnet18", "--batch", "0"), "--batch"),
        (("resnet18", "--depth", "2"), "--depth goes with --by module"),
        (("none.onnx",), "none.onnx: there is no such file"),
        ((), "MODEL"),
    ],
)
def test_bad_input_is_one_sentence(command, args, says):
    status, out, err = command(*args)
    assert (status, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("kind", "message", "says"),
    [
        ("out_of_memory", "stopped at 3 GiB", "net: ran out of memory: stopped at 3 GiB"),
        ("bad_model", "net: it raised", "Error: net: it raised"),
        ("unsupported", "counted without running it: x", "without running it: x; --run counts"),
    ],
)
def test_a_failure_is_one_sentence(command, monkeypatch, kind, message, says):
    def fail(request):
        raise WorkloadError(kind, message)

    monkeypatch.setattr(costing_module, "cost_of", fail)
    status, out, err = command("net")
    assert (status, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_the_parent_imports_no_runtime():
    code = (
        "import sys\nimport inferometer.analysis.costs, inferometer.cli.cost\n"
        "import inferometer.report.terminal.cost, inferometer.runner.costing\n"
        "print(sorted({'torch', 'torchvision', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class TestForReal:
    """Each of these starts a worker that imports torch."""

    @pytest.fixture
    def net(self, tmp_path):
        pytest.importorskip("torch")
        (tmp_path / "nets.py").write_text(FAULTY)
        return lambda name: f"{tmp_path}/nets.py:{name}"

    def test_squeezenet_has_the_macs_that_its_paper_and_other_counters_give(
        self, command, tmp_path, monkeypatch
    ):
        if find_spec("torchvision") is None:
            pytest.skip("torchvision is not installed")
        monkeypatch.setenv("COLUMNS", "80")
        more = ("--size", 224, "--json", tmp_path / "cost.json")
        status, out, err = command("squeezenet1_0", *more)
        assert (status, err) == (0, "")
        block = r"\$ inferometer cost squeezenet1_0 --size 224\n(.*?)```"
        (shown,) = re.findall(block, PAGE.read_text("utf-8"), re.DOTALL)
        assert said(out) == said(shown)
        found = json.loads((tmp_path / "cost.json").read_text())
        assert found["macs"] / 1e6 == pytest.approx(818.9, abs=0.05)
        assert found["flops"] == 2 * found["macs"]
        assert found["parameters"] == 1_248_424
        assert found["input_shape"] == "1x3x224x224"
        assert found["artifacts"] == []
        assert found["modules"][0]["macs"] == sum(one["macs"] for one in found["operators"])

    def test_what_a_network_does_may_depend_on_its_inputs(self, command, net):
        status, out, _ = command(net("choosy"), "--run", "--json", "-")
        assert (status, json.loads(out)["macs"]) == (0, 2 * 12)

    def test_a_worker_that_dies(self, command, net):
        status, out, err = command(net("deadly"), "--run")
        assert (status, out) == (2, "")
        assert "died" in err
        assert len(err.splitlines()) == 1

    def test_a_model_whose_example_is_two_rows_is_counted_at_two(self, command, net):
        for options, rows in ((), 2), (("--batch", 5), 5):
            status, out, _ = command(net("plain"), *options, "--json", "-")
            found = json.loads(out)
            assert (status, found["batch_size"], found["macs"]) == (0, rows, rows * 12)

    def test_an_onnx_file_that_was_made_for_two(self, command, tmp_path):
        onnx = pytest.importorskip("onnx")
        weight = onnx.helper.make_tensor("w", 1, [4, 8], [0.0] * 32)
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
            [onnx.helper.make_tensor_value_info("x", 1, [2, 4])],
            [onnx.helper.make_tensor_value_info("y", 1, [2, 8])], [weight],
        )  # fmt: skip
        path = tmp_path / "m.onnx"
        onnx.save(onnx.helper.make_model(graph, ir_version=10), path)
        status, out, _ = command(path, "--json", "-")
        found = json.loads(out)
        assert (status, found["macs"], found["batch_size"]) == (0, 2 * 4 * 8, 2)
        status, out, _ = command(path)
        assert "one batch of 2 samples" in out
        status, out, err = command(path, "--batch", 4)
        assert (status, out) == (2, "")
        assert "was made for batch 2 (first axis of x), not 4" in err

    def test_an_onnx_file(self, command, tmp_path):
        onnx = pytest.importorskip("onnx")
        weight = onnx.helper.make_tensor("w", 1, [4, 3], [0.0] * 12)
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="/head/MatMul")], "g",
            [onnx.helper.make_tensor_value_info("x", 1, ["N", 4])],
            [onnx.helper.make_tensor_value_info("y", 1, ["N", 3])], [weight],
        )  # fmt: skip
        path = tmp_path / "m.onnx"
        onnx.save(onnx.helper.make_model(graph, ir_version=10), path)
        status, out, _ = command(path, "--batch", 5, "--json", "-")
        found = json.loads(out)
        assert (status, found["macs"], found["backend"]) == (0, 5 * 12, None)
        assert found["artifacts"] == [{"path": str(path), "bytes": path.stat().st_size}]
        assert found["modules"][1]["module"] == "head"
        assert found["trainable_parameters"] is None
        found = json.loads(command(path, "--json", "-")[1])
        assert (found["macs"], found["batch_size"]) == (12, 1)
        status, out, err = command(path, "--precision", "bf16")
        assert (status, out) == (2, "")
        assert "this one is fp32, not bf16" in err
