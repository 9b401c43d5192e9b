from __future__ import annotations

import json

import pytest

from inferometer.cli.main import main
from inferometer.core.record import FIELDS, Failure, Record
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store import open_store


@pytest.fixture
def store(tmp_path):
    """A store with one run of two workloads, one of which failed."""
    path = tmp_path / "results.db"
    study = Study(name="mine", sweep=Sweep(models=("resnet18",)))
    with open_store(path) as opened:
        run = opened.create_run(study, planned=2, device={"name": "board"}, software={})
        for batch in (1, 2):
            workload = Workload(
                variant=Variant(model="resnet18", backend="torch", precision="fp32"),
                target=Target(device="cpu", threads=1),
                shape=Shape(batch_size=batch, input_size=224),
            )
            failure = Failure(stage="measure", kind="out_of_memory", message="Too much.")
            record = Record(
                workload=workload,
                status="failed" if batch == 2 else "ok",
                failure=failure if batch == 2 else None,
                figures={} if batch == 2 else {"latency_mean_s": 0.04},
            )
            opened.put_record(run.id, record)
    return path


def invoke(*args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return ended.value.code


def test_the_latest_run_is_shown_with_its_failure(store, capsys):
    assert invoke("show", "--store", store) == 0
    out = capsys.readouterr().out
    assert "board" in out
    assert "40.0 ms" in out
    assert "OOM: resnet18 at 224/2: Too much." in out


def test_json_on_standard_output_is_alone(store, capsys):
    assert invoke("show", "latest", "--store", store, "--json", "-") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["batch_size"] for row in rows] == [1, 2]
    assert [row["status"] for row in rows] == ["ok", "failed"]
    assert list(rows[0]) == list(FIELDS)


def test_json_goes_to_a_file_beside_the_table(store, tmp_path, capsys):
    target = tmp_path / "rows.json"
    assert invoke("show", "--store", store, "--json", target) == 0
    assert len(json.loads(target.read_text(encoding="utf-8"))) == 2
    assert "40.0 ms" in capsys.readouterr().out


def test_an_unknown_run_or_store_is_one_sentence(store, tmp_path, capsys):
    assert invoke("show", "zzzz", "--store", store) == 2
    assert invoke("show", "--store", tmp_path / "none.db") == 2
    errors = capsys.readouterr().err
    assert errors.count("Error: ") == 2
    assert "Traceback" not in errors


def test_plots_are_drawn_and_the_store_is_in_the_command_to_copy(store, capsys):
    assert invoke("show", "--plot", "--store", store) == 0
    out = capsys.readouterr().out
    assert "Time per call at 224/1" in out
    assert out.rstrip().endswith(f"--store {store}")
