"""`inferometer profile`: once with a real worker, otherwise with what it found made up."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from inferometer.cli.main import main
from inferometer.core.metric import Estimate
from inferometer.core.profile import CallTree, Node, Profile
from inferometer.runner import profile as runner
from inferometer.runner.profile import Profiled

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "profile.md").read_text(encoding="utf-8")


def call(*args):
    with pytest.raises(SystemExit) as caught:
        main(["profile", *args])
    return caught.value.code


@pytest.fixture
def made_up(monkeypatch):
    """Profiles without a worker; gives the requests."""
    requests = []

    def profile_of(request, *, say):
        say("profiling")
        requests.append(request)
        estimate = Estimate(value=2.0, low=1.0, high=3.0, confidence=0.95, method="m", n=9)
        root = Node(
            name="", kind="module", type="Net", calls=1, self_s=2, total_s=2, low_s=1, high_s=3
        )  # fmt: skip
        profile = Profile(
            plain=estimate,
            profiled=estimate,
            added=estimate,
            tree=CallTree(root=root, operators=(), events=1),
            input_shape="1x4",
        )
        return Profiled(workload=request.workload, profile=profile, no_cost="for a reason")

    monkeypatch.setattr(runner, "profile_of", profile_of)
    return requests


def test_the_example_of_the_how_to(tmp_path, capsys, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (network,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "net.py").write_text(network)
    (command,) = re.findall(r"\$ inferometer profile (net\.py.*\\\n.* --json .*)", PAGE)
    assert call(*shlex.split(command.replace("\\\n", ""))) == 0
    captured = capsys.readouterr()
    found = json.loads((tmp_path / "profile.json").read_text("utf-8"))
    assert [one["module"] for one in found["modules"]] == ["", "0", "1", "2"]
    calls = {one["name"]: one["calls"] for one in found["operators"]}
    assert calls["aten::addmm"] == 2
    assert found["macs"] == 64 * 64 + 64 * 8
    macs = {one["module"]: one["macs"] for one in found["modules"]}
    assert macs == {"": 4608, "0": 4096, "1": 0, "2": 512}
    (addmm,) = [one for one in found["operators"] if one["name"] == "aten::addmm"]
    assert addmm["macs"] == 4608
    assert addmm["flops_per_s"] == pytest.approx(2 * 4608 / addmm["self_s"])
    own = sum(one["self_s"] for one in found["operators"]) + found["outside_s"]
    assert own == pytest.approx(found["total_s"])
    assert "profiling for 0.2 s" in captured.err
    assert (tmp_path / "profile.svg").read_text().startswith("<?xml")
    assert "aten::addmm" in (tmp_path / "trace.json").read_text()
    for name in ("latency", "latency_profiled", "profiler_share", "outside_s", "total_s", "tree"):
        assert f"`{name}`" in PAGE
        assert name in found


def test_what_is_asked_for_reaches_the_worker(made_up, capsys):
    args = ("--size", "64", "--batch", "2", "--precision", "bf16", "--threads", "1")
    assert call("resnet18", *args, "--seconds", "1m", "--timeout", "10m") == 0
    (request,) = made_up
    assert (request.workload.input_size, request.workload.batch_size) == (64, 2)
    assert (request.workload.variant.precision, request.workload.threads) == ("bf16", 1)
    assert (request.seconds, request.timeout_s) == (60, 600)
    captured = capsys.readouterr()
    assert "profiling" in captured.err
    assert "profiling" not in captured.out
    assert "not counted: for a reason" in captured.out


def test_json_beside_the_tables(made_up, capsys, tmp_path):
    assert call("resnet18", "--json", str(tmp_path / "p.json")) == 0
    assert json.loads((tmp_path / "p.json").read_text())["total_s"] == 2
    assert "outside any operator" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("-o", "p.html"), "p.html: expected a name that ends in .png or .svg"),
        (("-o", "nowhere/p.svg"), "its folder does not exist"),
        (("--trace", "nowhere/t.json"), "its folder does not exist"),
        (("--size", "0"), "a whole number from 1 to 1000000, or own"),
        (("--by", "layer"), "layer"),
        (("--seconds", "soon"), "soon"),
    ],
)
def test_bad_input_is_refused_before_anything_is_measured(made_up, capsys, args, words):
    assert call("resnet18", *args) == 2
    assert words in capsys.readouterr().err
    assert made_up == []


@pytest.mark.parametrize(
    ("model", "backend", "words"),
    [
        ("nosuch", "torch", "no model is called 'nosuch'"),
        ("resnet18", "nosuch", "nosuch"),
        ("tests/models/faults.py:good", "python", "no profiler: profile with --backend torch"),
        ("tests/models/faults.py:segfault", "python", "SIGSEGV"),
    ],
)
def test_a_failure_is_one_sentence(capsys, request, model, backend, words):
    if model.endswith((".py:good", ".py:segfault")):
        model = str(request.config.rootpath / model)
    assert call(model, "--backend", backend, "--seconds", "0.1s") == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
