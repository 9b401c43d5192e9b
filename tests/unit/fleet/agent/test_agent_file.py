"""The file that `inferometer agent` writes, and what it refuses to write."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from inferometer.cli.main import main
from inferometer.core.errors import FleetError
from inferometer.core.sweep import Study
from inferometer.fleet.agent import MODULES, agent_file, job_of, refusals

VERMIN = "import vermin; vermin.main()"


@pytest.fixture(scope="module")
def text(study) -> str:
    return agent_file(study("unet", "builtin:control-v1", backends=("torch", "python"))).decode()


def test_it_needs_python_36_and_no_more(text, tmp_path):
    (tmp_path / "agent.py").write_text(text)
    command = [sys.executable, "-c", VERMIN, "--no-tips", "-t=3.6-", "--violations"]
    done = subprocess.run(
        [*command, "--eval-annotations", str(tmp_path / "agent.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_check_sees_what_is_newer(tmp_path):
    (tmp_path / "new.py").write_text(
        "import time\nif (now := time.perf_counter_ns()): print(now)\n"
    )
    command = [sys.executable, "-c", VERMIN, "-t=3.6-", "--violations"]
    done = subprocess.run([*command, str(tmp_path / "new.py")], capture_output=True, check=False)
    assert done.returncode != 0


def test_it_imports_nothing_but_the_standard_library(text):
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            names |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= set(sys.stdlib_module_names)
    assert "from inferometer" not in text


def test_each_name_stands_once(text):
    names = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flat = [
                name
                for one in targets
                for name in (one.elts if isinstance(one, ast.Tuple) else [one])
            ]
            names += [name.id for name in flat if isinstance(name, ast.Name)]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice
    assert set(MODULES) <= {line[7:] for line in text.splitlines() if line.startswith("# ---- ")}


def test_it_holds_the_study(text, study):
    asked = study("unet", "builtin:control-v1", backends=("torch", "python"))
    job = json.loads(
        next(
            ast.literal_eval(node.value)
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "JOB"
        )
    )
    assert Study.from_json(job["study"]) == asked
    assert job["workloads"] == [one.to_json() for one in asked.workloads()]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"sustain_s": 60.0}, "sustained"),
        ({"find_cliff": "batch"}, "collapses"),
        ({"data": "csv:x.csv"}, "accuracy"),
    ],
)
def test_what_the_agent_does_not_measure_is_said_when_it_is_made(study, changes, what):
    with pytest.raises(FleetError, match=f"does not measure .*{what}"):
        job_of(study("unet", backends=("torch",), **changes))


def test_workloads_that_no_board_can_run(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = study("resnet18", "timm:vit", backends=("torch", "onnxruntime"), size=224)
    found = {
        (one.variant.model, one.variant.backend): why
        for one, why in refusals(asked.workloads()).items()
    }
    assert ("resnet18", "torch") not in found
    assert "converts nothing" in found["resnet18", "onnxruntime"]
    assert "does not know the model timm:vit" in found["timm:vit", "torch"]


def test_nothing_that_can_be_measured_is_an_error(study):
    with pytest.raises(FleetError, match=r"can measure nothing.*timm:vit"):
        job_of(study("timm:vit", backends=("torch",), size=224))


def test_an_own_size_that_only_torchvision_knows_is_asked_for(study):
    (why,) = refusals(study("torchvision:resnet50", backends=("torch",)).workloads()).values()
    assert "give one (--size 224)" in why


def test_a_file_that_is_missing(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FleetError, match=r"gone\.onnx"):
        job_of(study("gone.onnx", backends=("onnxruntime",)))


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["agent", *arguments])
    return int(caught.value.code or 0)


def test_the_command_writes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nap.py").write_text("def factory(): return float\n")
    flags = ("--models", "nap.py:factory,unet", "--backends", "python,torch", "--batch", "1")
    assert command(*flags, "--size", "224", "-o", "board.py") == 0
    err = capsys.readouterr().err
    assert "Copy beside it: nap.py" in err
    assert "python3 board.py; then here: inferometer import results.json" in err
    assert b"JOB = '{" in (tmp_path / "board.py").read_bytes()


def test_the_command_warns_of_what_will_fail(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flags = ("--models", "unet", "--backends", "torch,openvino", "--batch", "1", "--size", "224")
    assert command(*flags, "-o", "agent.py") == 0
    err = capsys.readouterr().err
    assert "Warning: 1 of 2 workloads will fail on the board: unet: the light agent has no" in err


def test_a_pair_is_refused_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command("--models", "unet,resnet18", "--size", "224", "--batch", "1", "--pair") == 2
    assert "the light agent does not measure pairs (--pair)" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
