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
