from __future__ import annotations

import click
import pytest

from inferometer.cli.main import main
from inferometer.core.record import Record
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.report.plots import choice as plots
from inferometer.store import open_store


@pytest.fixture
def store(tmp_path):
    """A store with two runs of two workloads each."""
    path = tmp_path / "results.db"
    study = Study(name="mine", sweep=Sweep(models=("resnet18",)))
    with open_store(path) as opened:
        for device in ("board", "laptop"):
            run = opened.create_run(study, planned=2, device={"name": device}, software={})
            for batch in (1, 2):
                workload = Workload(
                    variant=Variant(model="resnet18", backend="torch", precision="fp32"),
                    target=Target(device="cpu", threads=1),
                    shape=Shape(batch_size=batch, input_size=224),
                )
                figures = {"latency_mean_s": 0.04 * batch}
                opened.put_record(run.id, Record(workload=workload, status="ok", figures=figures))
    return path


def invoke(*args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return ended.value.code


def ids(path):
    with open_store(path, create=False) as opened:
        return [run.id for run in opened.runs()]


def test_the_paths_written_are_printed(store, tmp_path, capsys):
    out = tmp_path / "report"
    assert invoke("report", "-o", out, "--store", store) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == str(out / "report.html")
    assert set(printed) == {str(path) for path in out.rglob("*") if path.is_file()}


def test_the_latest_run_is_the_default_and_is_taken_once(store, tmp_path):
    latest = ids(store)[0]
    assert invoke("report", "latest", latest, "-o", tmp_path / "out", "--store", store) == 0
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert text.count(f"- run {latest}") == 1
    assert "8.2 What was not measured" in text


def test_several_runs_make_one_report(store, tmp_path):
    assert invoke("report", *ids(store), "-o", tmp_path / "out", "--store", store) == 0
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "resnet18 (board)" in text
    assert "resnet18 (laptop)" in text


def test_without_matplotlib_there_is_a_warning_and_a_report(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    assert invoke("report", "-o", tmp_path / "out", "--store", store) == 0
    captured = capsys.readouterr()
    assert "pip install 'inferometer[plot]'" in captured.err
    assert (tmp_path / "out" / "report.md").is_file()


def test_a_file_in_the_place_of_the_folder_is_bad_input(store, tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    assert invoke("report", "-o", taken, "--store", store) == 2
    assert "is a file" in capsys.readouterr().err


def test_a_folder_must_be_given(store, capsys):
    assert invoke("report", "--store", store) == 2
    assert "-o" in capsys.readouterr().err


@pytest.mark.parametrize("refuses", [0, 1])
def test_the_page_is_opened_where_that_is_asked_for(store, tmp_path, monkeypatch, capsys, refuses):
    opened = []
    monkeypatch.setattr(click, "launch", lambda url: opened.append(url) or refuses)
    assert invoke("report", "-o", tmp_path / "out", "--open", "--store", store) == 0
    assert opened == [str(tmp_path / "out" / "report.html")]
    assert ("no browser" in capsys.readouterr().err) == bool(refuses)
