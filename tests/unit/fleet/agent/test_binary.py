"""A board without Python: the script, a binary that prints as the real ones do, and the import."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inferometer.cli.main import main
from inferometer.core.errors import FleetError, ImportFileError
from inferometer.fleet.binary import is_log, read_log, script_file
from inferometer.store import open_store

TFLITE = """#!/bin/sh
for one in "$@"; do case $one in --graph=*slow*) factor=3;; --graph=*bad*) bad=1;; esac; done
echo "INFO: Initialized TensorFlow Lite runtime."
test -z "${bad:-}" || { echo "ERROR: Could not open '$1'."; exit 1; }
echo "INFO: count=50 first=1897 curr=1890 min=1850 max=2001 avg=1897.2 std=20 p5=1 median=1890 p95=2"
n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo $n >count
echo "INFO: Inference timings in us: Init: 5041, First inference: 3263, Warmup (avg): 1924.32, \
Inference (avg): $((1800 * ${factor:-1} + n)).5"
"""
NCNN = """#!/bin/sh
echo "loop_count = $1"
echo "num_threads = $2"
echo "           squeezenet  min =    4.52  max =    5.15  avg =    4.70"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("benchmark_model", TFLITE), ("benchncnn", NCNN)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def written(study, *models, binary="./benchmark_model", **procedure) -> None:
    Path("agent.sh").write_bytes(script_file(study(*models, **procedure), binary))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", "agent.sh", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main([*arguments])
    return int(caught.value.code or 0)


def test_from_the_script_to_figures(folder, study, capsys):
    written(study, "quick.tflite", "slow.tflite", "bad.tflite", processes=4)
    assert "Bring results.log back" in run().stderr
    assert is_log(Path("results.log"))
    assert command("import", "results.log", "--store", "x.db") == 0
    with open_store(folder / "x.db") as store:
        (stored,) = store.runs()
        records = {one.workload.variant.model: one for one in store.records(stored.id)}
    quick, slow, bad = (records[f"{name}.tflite"] for name in ("quick", "slow", "bad"))
    assert quick.number("latency_median_s") == pytest.approx(1.8e-3, rel=0.02)
    assert slow.number("latency_median_s") == pytest.approx(5.4e-3, rel=0.02)
    assert quick.number("latency_ci_low_s") < quick.number("latency_ci_high_s")
    assert (quick.number("latency_processes"), quick.number("latency_calls")) == (4, 200)
    assert quick.number("first_call_s") == pytest.approx(3.263e-3)
    assert quick.figures["verdict"] == "unknown"  # nothing of the device was observed
    assert (bad.status, bad.failure.kind) == ("failed", "crash")
    assert "ERROR: Could not open" in bad.failure.message
    assert command("import", "results.log", "--store", "x.db") == 0
    assert "nothing new" in capsys.readouterr().out


def test_ncnn(folder, study):
    written(study, "squeezenet.param?input=3x224x224", binary="./benchncnn")
    assert run("other.log").returncode == 0
    bundle = read_log(Path("other.log"))
    (record,) = bundle.records
    assert (record.workload.variant.backend, record.status) == ("ncnn", "ok")
    (rounds,) = bundle.rounds.values()
    assert {one.values_s for one in rounds} == {(0.0047,)}


def test_workloads_alternate(folder, study):
    written(study, "quick.tflite", "slow.tflite", processes=6)
    run()
    order = [
        line.split()[1]
        for line in Path("results.log").read_text().splitlines()
        if line[:6] == "#begin"
    ]
    assert sorted(order[:2]) == sorted(order[2:4]) == ["0", "1"]
    assert len(order) == 12


def test_what_is_not_there_or_in_the_way_is_said(folder, study):
    written(study, "quick.tflite", binary="./gone/benchmark_model")
    done = run()
    assert done.returncode == 2
    assert "gone/benchmark_model is not here" in done.stderr
    written(study, "quick.tflite")
    Path("results.log").write_text("mine")
    done = run()
    assert done.returncode == 2
    assert "is there already: move it away" in done.stderr
    assert Path("results.log").read_text() == "mine"
    assert "cannot be written" in run("gone/x.log").stderr


@pytest.mark.parametrize(
    ("models", "binary", "words"),
    [
        (["resnet18"], "./benchmark_model", "this binary runs .tflite files"),
        (["x.param"], "./benchncnn", "say its input"),
        (["x.tflite"], "./measure", "its name tells what it is"),
    ],
)
def test_what_a_binary_does_not_run(study, models, binary, words):
    with pytest.raises(FleetError, match=words):
        script_file(study(*models), binary)


def test_a_log_that_was_cut(folder, study):
    written(study, "quick.tflite")
    run()
    text = Path("results.log").read_text()
    Path("results.log").write_text(text[: text.index("#begin")])
    with pytest.raises(ImportFileError, match="cut before anything was measured"):
        read_log(Path("results.log"))
    last = text.rindex("#begin")
    Path("results.log").write_text(text[: last + 20])
    (rounds,) = read_log(Path("results.log")).rounds.values()
    assert len(rounds) == text.count("#begin") - 1


def test_the_command(folder, capsys):
    flags = ("--models", "quick.tflite", "--binary", "./benchmark_model")
    assert command("agent", *flags) == 0
    assert "sh agent.sh; then here: inferometer import results.log" in capsys.readouterr().err
    assert command("agent", *flags, "--batch", "4") == 2
    assert "--binary runs files as they are" in capsys.readouterr().err


def test_paths_with_spaces_are_quoted(folder, study):
    (folder / "my models").mkdir()
    written(study, "my models/quick.tflite")
    assert "'--graph=my models/quick.tflite'" in Path("agent.sh").read_text() or (
        "--graph='my models/quick.tflite'" in Path("agent.sh").read_text()
    )
    assert run().returncode == 0
