from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.cli.main import main
from inferometer.store import open_store

LAB2 = Path(__file__).parents[2] / "data" / "lab2_jetson_nano_2gb.csv"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.db"


@pytest.fixture
def command(path, capsys):
    """Runs `inferometer import`; gives exit status, output and errors."""

    def call(*args):
        with pytest.raises(SystemExit) as caught:
            main(["import", *map(str, args), "--store", str(path)])
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return call


def test_a_table_becomes_a_run_in_a_new_store(command, path):
    status, out, err = command(LAB2)
    with open_store(path, create=False) as store:
        (run,) = store.runs()
        assert len(store.records(run.id)) == 44
    assert (run.origin, run.study) == ("imported", "lab2_jetson_nano_2gb")
    assert (status, out, err) == (0, f"{run.id}: 44 records of jetson-nano-2gb\n", "")


def test_study_and_device_are_named(command, path, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("device,model,latency\na,unet,1\n")
    _, out, _ = command(table, "--study", "mine", "--device", "Pi 5")
    with open_store(path, create=False) as store:
        run = store.run("latest")
    assert (run.study, run.device_name) == ("mine", "Pi 5")
    assert out == f"{run.id}: 1 record of Pi 5\n"


def test_what_was_not_understood_or_assumed_is_said(command, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("model,latency,colour,mood\nunet,1,red,good\n")
    status, out, err = command(table)
    assert status == 0
    assert out.count("\n") == 1
    assert "not understood: colour, mood" in err
    assert "no column batch_size: 1 was taken" in err
    assert "no column device" in err


def test_an_export_comes_back_under_its_id_and_beside_it_under_another(command, tmp_path, capsys):
    _, out, _ = command(LAB2)
    first = out.split(":")[0]
    export = tmp_path / "export.csv"
    with pytest.raises(SystemExit):
        main(
            [
                "export",
                first,
                "--format",
                "csv",
                "-o",
                str(export),
                "--store",
                str(tmp_path / "x.db"),
            ]
        )
    _, out, err = command(export)
    second = out.split(":")[0]
    assert second != first
    assert f"called {first} in the file; here it is {second}" in err
    with pytest.raises(SystemExit):
        main(["import", str(export), "--store", str(tmp_path / "other.db")])
    out, err = capsys.readouterr()
    assert (out.split(":")[0], err) == (first, "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("model,latency\nunet,fast\n", "t.csv:2: latency: 'fast' is not a number"),
        ("a\n1\n", "model"),
    ],
)
def test_a_bad_file_is_bad_input_and_makes_no_store(command, path, tmp_path, content, sentence):
    table = tmp_path / "t.csv"
    table.write_text(content)
    status, out, err = command(table)
    assert (status, out) == (2, "")
    assert err.startswith("Error: ")
    assert sentence in err
    assert not path.exists()


@pytest.mark.parametrize(
    "content", ["model,latency\nunet,fast\n", "a\n1\n", "", "[", "model,run_id,latency\nunet,x,1\n"]
)
def test_a_name_does_not_break_the_line(command, tmp_path, content):
    table = tmp_path / "o\nt.csv"
    table.write_text(content)
    err = command(table)[2]
    assert "o\\nt.csv" in err
    assert all(line.startswith(("Error: ", "Note: ")) for line in err.splitlines())


def test_a_file_that_is_not_there_is_bad_use(command, tmp_path):
    status, _, err = command(tmp_path / "nowhere.csv")
    assert status == 2
    assert "does not exist" in err
