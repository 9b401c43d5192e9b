from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest

from inferometer.core.errors import InputError
from inferometer.report.document.sources import RunRecords
from inferometer.report.plots import choice as plots
from inferometer.report.write import write_report


@pytest.fixture
def runs(run, lab):
    return [RunRecords(run=run, records=tuple(lab))]


def test_text_data_and_plots_are_written(runs, tmp_path):
    pytest.importorskip("matplotlib")
    out, drawn = tmp_path / "new" / "report", [*plots.NAMES, "trade_off"]
    written = write_report(runs, out)
    names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert sorted(str(path.relative_to(out)) for path in written) == names
    assert names == sorted(
        ["report.html", "report.md", "results.csv", "study.yaml"]
        + [f"plots/{name}.{suffix}" for name in drawn for suffix in plots.FORMATS]
    )
    text = (out / "report.md").read_text(encoding="utf-8")
    assert all(f"](plots/{name}.png)" in text for name in drawn)


def test_the_data_hold_every_record(runs, tmp_path):
    write_report(runs, tmp_path)
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 44
    assert float(rows[0]["latency_mean_s"]) == runs[0].records[0].number("latency_mean_s")


def test_other_files_stay_and_old_plots_go(runs, run, record, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "mine.png").write_bytes(b"mine")
    (tmp_path / "notes.txt").write_text("mine")
    write_report(runs, tmp_path)
    write_report([RunRecords(run=run, records=(record(),))], tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["mine.png"]


def test_without_matplotlib_the_report_is_written_and_says_so(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    written = write_report(runs, tmp_path)
    assert [path.name for path in written] == [
        "report.html",
        "report.md",
        "results.csv",
        "study.yaml",
    ]
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "There are no plots: matplotlib, which draws plots, is not installed" in text
    assert "](plots/" not in text


def test_a_file_in_the_place_of_the_folder_is_refused(runs, tmp_path):
    taken = tmp_path / "report"
    taken.write_text("mine")
    with pytest.raises(InputError, match="is a file; give a folder"):
        write_report(runs, taken)
    assert taken.read_text() == "mine"


def test_a_file_in_the_place_of_the_plots_is_refused(runs, tmp_path):
    (tmp_path / "plots").write_text("mine")
    with pytest.raises(InputError, match="plots cannot be made"):
        write_report(runs, tmp_path)


def test_a_run_without_records_is_refused_and_nothing_is_written(run, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="run 3fa91c02 has no records yet"):
        write_report([RunRecords(run=run, records=())], out)
    assert not out.exists()


@pytest.mark.parametrize("kind", ["pipe", "device", "link", "folder"])
@pytest.mark.parametrize("name", ["report.html", "report.md", "results.csv"])
def test_only_ordinary_files_are_replaced_and_nothing_is_begun(runs, tmp_path, kind, name):
    other, path = tmp_path / "other", tmp_path / "out" / name
    path.parent.mkdir()
    other.write_text("mine")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/full" if kind == "device" else other)
    with pytest.raises(InputError, match=r"remove it, or give another folder"):
        write_report(runs, path.parent)
    assert other.read_text() == "mine"
    assert [file.name for file in path.parent.iterdir() if file.name != "plots"] == [name]


@pytest.mark.parametrize("name", ["n" * 300, "loop", "file/x", "~nosuch/x"])
def test_a_name_that_cannot_be_a_folder_is_a_sentence(runs, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError) as caught:
        write_report(runs, Path(name))
    assert "\n" not in str(caught.value)


def test_what_cannot_be_a_plot_of_ours_stays(runs, run, record, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "plots" / "latency_by_batch.png").mkdir(parents=True)
    write_report([RunRecords(run=run, records=(record(),))], tmp_path)
    assert (tmp_path / "plots" / "latency_by_batch.png").is_dir()


def test_no_file_of_a_report_turns_how_it_is_read(run, record, tmp_path):
    name = "ev\u202eil\u2066\x9b\x1b[2J"
    hostile = replace(run, study=name, device={"name": name})
    written = write_report(
        [RunRecords(run=hostile, records=(record(name), record(name, batch=4)))], tmp_path
    )
    for path in written:
        if path.suffix in (".html", ".md", ".svg"):
            text = path.read_text(encoding="utf-8")
            shown = text.partition("<script")[0] if path.suffix == ".html" else text
            assert not set("\u202e\u2066\x9b\x1b") & set(shown), path
            assert path.suffix == ".svg" or r"u202e" in shown
