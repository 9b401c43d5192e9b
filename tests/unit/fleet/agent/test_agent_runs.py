"""The agent on a board, from its file to figures: under Python 3.6 where there is one."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from inferometer.host.lease import Holder, holding
from inferometer.runner.imported import take_in
from inferometer.store import open_store
from inferometer.store.bundle import read_bundle_file

QUICK = "nap.py:factory"
SLOW = "nap.py:factory?milliseconds=3"


def imported(tmp_path, name="results.json", **options):
    """The run and its records after an import."""
    bundle = read_bundle_file(Path(name), **options)
    assert not bundle.notes
    with open_store(tmp_path / "x.db") as store:
        take_in(store, bundle)
        (run,) = store.runs()
        return run, {
            one.workload.variant.model: one for one in store.records(run.id, with_rounds=True)
        }


def numbers(records):
    return [one.index for record in records.values() for one in record.rounds]


def test_from_the_file_to_figures(board, study, tmp_path):
    done = board(study(QUICK, SLOW, processes=3))()
    assert done.returncode == 0, done.stderr
    assert "2 of 2 workloads measured. Bring results.json back" in done.stderr
    run, records = imported(tmp_path)
    assert (run.study, run.origin, run.planned) == ("nap", "measured", 2)
    assert run.finished_at is not None
    assert run.signature == study(QUICK, SLOW, processes=3).signature
    quick, slow = records[QUICK], records[SLOW]
    assert 0.001 < quick.number("latency_median_s") < 0.003 < slow.number("latency_median_s") < 0.02
    for record in records.values():
        assert record.status == "ok"
        assert record.number("latency_ci_low_s") < record.number("latency_ci_high_s")
        assert record.number("latency_processes") >= 3
        assert record.figures["verdict"] in (
            "trusted",
            "contended",
            "noisy",
            "unstable",
            "drifting",
        )
        assert record.number("latency_relative_ci_low_s") is not None  # the joint fit
        assert record.number("first_call_s") > 0.001
        assert record.figures["memory_counter"] == "VmHWM"
        (signals,) = {frozenset(one.signals) for one in record.rounds if one.phase == "measure"}
        assert {"canary_loop_s", "canary_compute_s", "run_delay_s", "wall_s"} <= signals
    assert sorted(numbers(records)) == list(range(len(numbers(records))))
    assert changes_of_workload(records) >= 5  # interleaved
    assert {"name", "cpu_model", "kernel", "before_the_run"} <= run.device.keys()


def changes_of_workload(records) -> int:
    """How often the rounds change from one workload to the other."""
    order = sorted(
        (one.index, name)
        for name, record in records.items()
        for one in record.rounds
        if one.phase == "measure"
    )
    return sum(a[1] != b[1] for a, b in pairwise(order))


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_script_of_torch(board, study, tmp_path):
    import torch

    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()).eval()
    script = torch.jit.freeze(torch.jit.trace(module, torch.zeros(1, 3, 8, 8)))
    script.save("board.pt")
    done = board(study("board.pt", backends=("torch",), size=8, processes=1))(python=sys.executable)
    assert done.returncode == 0, done.stderr
    run, records = imported(tmp_path)
    figures = records["board.pt"].figures
    assert (figures["input_shape"], figures["gradient_mode"]) == ("1x3x8x8", "inference_mode")
    assert figures["latency_median_s"] > 0
    assert "torch" in run.software


def test_a_board_without_torch_goes_on_with_the_rest(board, study, tmp_path, monkeypatch):
    done = board(study(QUICK, "unet", backends=("python", "torch"), size=16, processes=1))(
        python=no_torch(tmp_path)
    )
    assert done.returncode == 1
    _, records = imported(tmp_path)
    assert records["unet"].failure.kind == "unsupported"
    assert records["unet"].failure.stage == "load"
    assert "PyTorch cannot be imported on this device" in records["unet"].failure.message


def no_torch(tmp_path) -> str:
    """A Python whose torch cannot be imported, on any machine."""
    (tmp_path / "torch.py").write_text("raise ImportError('none here')\n")
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


FAILING = {
    f"{QUICK}?dies=true": ("crash", "left with status 3"),
    f"{QUICK}?gives=nan": ("non_finite_output", "nan"),
    f"{QUICK}?gives=text": ("bad_model", "ValueError"),
    f"{QUICK}?other=1": ("bad_model", "unexpected keyword argument"),
}


def test_a_workload_that_fails_is_a_record_and_the_rest_goes_on(board, study, tmp_path):
    done = board(study(QUICK, *FAILING, processes=1))()
    assert done.returncode == 1
    _, records = imported(tmp_path)
    assert records[QUICK].status == "ok"
    for model, (kind, words) in FAILING.items():
        assert (records[model].status, records[model].failure.kind) == ("failed", kind)
        assert words in records[model].failure.message


def test_a_file_that_is_another_than_it_was(board, study, tmp_path):
    run = board(study(QUICK, SLOW, processes=1))
    Path("nap.py").write_text("def factory(): return None\n")
    assert run().returncode == 1
    assert "nap.py is another file than the study was made with" in Path("results.json").read_text()


def test_a_killed_agent_goes_on_where_it_was(board, study, tmp_path):
    run = board(study(QUICK, SLOW, span_s=3.0))
    agent = subprocess.Popen([sys.executable, "agent.py"], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while time.monotonic() < end and counted("round") < 6:
        time.sleep(0.05)
    agent.send_signal(signal.SIGKILL)
    agent.wait()
    before = counted("round")
    assert before >= 6
    with Path("results.json").open("ab") as stream:
        stream.write(b'{"round":{"torn')
    done = run()
    assert done.returncode == 0, done.stderr
    _, records = imported(tmp_path)
    assert len(numbers(records)) == len(set(numbers(records))) > before
    assert run().returncode == 0  # nothing is left
    assert "2 of 2 workloads measured" in run().stderr


def counted(kind: str) -> int:
    try:
        with Path("results.json").open("rb") as stream:
            return sum(line.startswith(b'{"%s"' % kind.encode()) for line in stream)
    except FileNotFoundError:
        return 0


def test_an_interrupted_agent_leaves_a_whole_file(board, study, tmp_path):
    run = board(study(QUICK, SLOW, processes=3, span_s=30.0))
    agent = subprocess.Popen([sys.executable, "agent.py"], stderr=subprocess.PIPE, text=True)
    while counted("round") < 4:
        time.sleep(0.05)
    agent.send_signal(signal.SIGINT)
    _, err = agent.communicate(timeout=30)
    assert agent.returncode == 130
    assert "Interrupted. What is done is kept in results.json" in err
    run_, records = imported(tmp_path)
    assert run_.finished_at is None
    assert not records
    assert run is not None


def test_a_full_disk_is_said_and_gone_on_with(board, study, tmp_path):
    run = board(study(QUICK, SLOW, processes=1))

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))

    done = run(preexec_fn=small)
    assert done.returncode == 2
    assert "there is no room for results.json" in done.stderr
    assert "Traceback" not in done.stderr
    assert run().returncode == 0
    _, records = imported(tmp_path)
    assert {one.status for one in records.values()} == {"ok"}


def test_a_place_that_cannot_be_written(board, study):
    done = board(study(QUICK, processes=1))("-o", "gone/results.json")
    assert done.returncode == 2
    assert "gone/results.json cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(board, study, tmp_path):
    run = board(study(QUICK, processes=1))
    Path().chmod(0o500)
    try:
        assert "cannot be written" in run().stderr
    finally:
        Path().chmod(0o700)


def test_results_of_another_study(board, study, tmp_path):
    assert board(study(QUICK, processes=1))().returncode == 0
    done = board(study(SLOW, processes=1))()
    assert done.returncode == 2
    assert "holds the results of another study (nap): give -o another name" in done.stderr


def test_a_clock_that_is_an_hour_off(board, study, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import time\nreal = time.time\ntime.time = lambda: real() - 3600\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = board(study(QUICK, processes=1))(env=environment)
    assert done.returncode == 0
    assert "The clock of this board is behind by at least" in done.stderr
    run, _ = imported(tmp_path)
    assert run.created_at == pytest.approx(time.time(), abs=300)


def test_somebody_else_measures_here(board, study, tmp_path):
    run = board(study(QUICK, processes=1))
    with holding(Holder(user="anna", host="laptop", job="0123abcd"), tmp_path / "lease"):
        done = run()
    assert done.returncode == 2
    assert "anna from laptop measures here" in done.stderr
    assert not Path("results.json").exists()


def test_a_budget_ends_a_run_and_what_has_calls_is_kept(board, study, tmp_path):
    begin = time.monotonic()
    done = board(study(QUICK, SLOW, processes=3, span_s=60.0, budget_s=6.0))()
    assert time.monotonic() - begin < 12
    assert done.returncode == 0, done.stderr
    _, records = imported(tmp_path)
    assert {one.status for one in records.values()} == {"ok"}


def test_help_and_bad_flags(board, study):
    run = board(study(QUICK))
    assert "Measures nap on this device" in run("--help").stdout
    assert run("--budget").returncode == 2
    assert board(None)().returncode == 2
