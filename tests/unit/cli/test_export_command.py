from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from inferometer.cli.main import main
from inferometer.core.record import FIELDS

LAB2 = Path(__file__).parents[2] / "data" / "lab2_jetson_nano_2gb.csv"


@pytest.fixture
def command(tmp_path, capsysbinary):
    """Runs `inferometer export` on a store with one run; gives exit status, output and errors."""
    store = str(tmp_path / "x.db")
    with pytest.raises(SystemExit):
        main(["import", str(LAB2), "--store", store])
    capsysbinary.readouterr()

    def call(*args):
        with pytest.raises(SystemExit) as caught:
            main(["export", *args, "--store", store])
        out, err = capsysbinary.readouterr()
        return caught.value.code or 0, out, err.decode()

    return call


def test_csv_to_standard_output(command):
    status, out, err = command("latest", "--format", "csv")
    assert (status, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    assert list(rows[0]) == list(FIELDS)
    assert len(rows) == 44
    assert rows[0]["latency_mean_s"] == "1.2671"


def test_json_to_a_file(command, tmp_path):
    status, out, err = command("latest", "--format", "json", "-o", str(tmp_path / "x.json"))
    assert (status, out, err) == (0, b"", "")
    rows = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert [list(row) for row in rows] == [list(FIELDS)] * 44


def test_parquet_to_a_pipe_and_to_a_file(command, tmp_path):
    pytest.importorskip("pyarrow")
    _, out, _ = command("latest", "--format", "parquet")
    assert out.startswith(b"PAR1")
    command("latest", "--format", "parquet", "-o", str(tmp_path / "x.parquet"))
    assert (tmp_path / "x.parquet").read_bytes().startswith(b"PAR1")


def test_parquet_to_a_terminal_is_refused(command, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    status, out, err = command("latest", "--format", "parquet")
    assert (status, out) == (2, b"")
    assert "-o PATH" in err


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["latest"], "--format"),
        (["latest", "--format", "xml"], "xml"),
        (["zzz", "--format", "csv"], "no run begins with 'zzz'"),
        (["--format", "csv"], "RUN"),
        (["latest", "--format", "csv", "-o", "/nowhere/x.csv"], "cannot be written"),
    ],
)
def test_bad_use_is_said_in_a_sentence(command, args, sentence):
    status, out, err = command(*args)
    assert (status, out) == (2, b"")
    assert sentence in err
    assert "Traceback" not in err


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with targets of every kind; gives it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere/x")
    return tmp_path


@pytest.mark.parametrize(
    "target",
    ["", ".", "n" * 300, "file/x", "loop", "dangling", "nowhere/x", "~nosuch/x", "/proc/x"],
)
@pytest.mark.parametrize("flags", [("--format", "csv", "-o"), ("--format", "json", "--output")])
def test_a_target_that_cannot_work_is_a_sentence_and_leaves_nothing(command, place, target, flags):
    before = sorted(place.iterdir())
    status, out, err = command("latest", *flags, target)
    assert (status, out) == (2, b"")
    assert err.count("\n") == 1
    assert err.startswith("Error: ")
    assert sorted(place.iterdir()) == before
    assert (place / "file").read_text() == "mine"


def test_a_full_disk_is_a_sentence(command):
    status, _, err = command("latest", "--format", "csv", "-o", "/dev/full")
    assert status == 2
    assert "/dev/full: it cannot be written: no space left on device" in err


def test_formulas_are_neutralised_in_the_csv_and_come_back(tmp_path, command):
    table = tmp_path / "formulas.json"
    rows = [{"model": "=cmd|' /C calc'!A0", "latency_s": 1, "energy_reason": "'\t-1"}]
    table.write_text(json.dumps(rows))
    store = ("--store", str(tmp_path / "y.db"))
    for arguments in (
        ("import", str(table), *store),
        ("export", "latest", "--format", "csv", "-o", str(tmp_path / "y.csv"), *store),
        ("import", str(tmp_path / "y.csv"), *store),
        ("export", "latest", "--format", "json", "-o", str(tmp_path / "y.json"), *store),
    ):
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        assert not caught.value.code
    with (tmp_path / "y.csv").open(encoding="utf-8", newline="") as file:
        (cells,) = csv.DictReader(file)
    assert cells["model"] == "'=cmd|' /C calc'!A0"
    assert cells["latency_mean_s"] == "1.0"
    (again,) = json.loads((tmp_path / "y.json").read_text("utf-8"))
    assert {name: again[name] for name in ("model", "energy_reason")} == {
        name: rows[0][name] for name in ("model", "energy_reason")
    }
