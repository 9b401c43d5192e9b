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
    assert (status, out) == (0, f"{run.id}: 44 records of jetson-nano-2gb\n")
    assert "latency_mean_s from latency_s" in err
    assert "not understood" not in err


def test_study_and_device_are_named(command, path, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("device,model,latency_s\na,unet,1\n")
    _, out, _ = command(table, "--study", "mine", "--device", "Pi 5")
    with open_store(path, create=False) as store:
        run = store.run("latest")
    assert (run.study, run.device_name) == ("mine", "Pi 5")
    assert out == f"{run.id}: 1 record of Pi 5\n"


def test_what_was_not_understood_or_assumed_is_said(command, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("model,latency_s,colour,mood\nunet,1,red,good\n")
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
        ("model,latency_s\nunet,fast\n", "t.csv:2: latency_s: 'fast' is not a number"),
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
    "content",
    ["model,latency_s\nunet,fast\n", "a\n1\n", "", "[", "model,run_id,latency_s\nunet,x,1\n"],
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
    assert "nowhere.csv: there is no such file" in err


def test_a_dry_run_says_what_would_be_stored_and_makes_no_store(command, path, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("model,latency_ms\nunet,10\nvit,20\n")
    status, out, err = command(table, "--dry-run", "--device", "Pi 5")
    assert (status, out) == (0, "would be stored: 2 records of Pi 5\n")
    assert "latency_mean_s from latency_ms" in err
    assert not path.exists()


def test_what_a_refusal_would_guess_can_be_given_or_taken(command, path, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("name,my latency\nunet,10\n")
    status, out, err = command(table)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "there is no column model" in err
    assert "--map model=name" in err
    assert not path.exists()
    options = ("--map", "latency_ms=my latency,model=name", "--constant", "batch_size=4")
    assert command(table, *options)[0] == 0
    with open_store(path, create=False) as store:
        (record,) = store.records(store.run("latest").id)
    assert (record["latency_mean_s"], record["batch_size"]) == (0.01, 4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--map", "latency_ms"), "is not a pair"),
        (("--map", "a=b"), "is not a field"),
        (("--constant", "batch_size=x1"), "is not a number"),
        (("--as", "nobody"), "there is no reader"),
        (("--table", "2"), "there is no table 2"),
    ],
)
def test_what_cannot_be_meant_is_bad_use(command, path, tmp_path, options, sentence):
    table = tmp_path / "t.md"
    table.write_text("| model | latency_ms |\n|---|---|\n| unet | 10 |\n")
    status, out, err = command(table, *options)
    assert (status, out) == (2, "")
    assert sentence in err
    assert not path.exists()


def test_figures_of_a_table_are_shown_for_what_they_are(command, path, tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text(
        "model,batch,latency_ms,accuracy,energy_mj\na,1,10,0.9,5\na,1,12,0.9,5\nb,1,20,0.8,9\n"
    )
    command(table)
    for words in (["show", "latest"], ["analyze", "latest"], ["recommend", "latest"]):
        with pytest.raises(SystemExit) as caught:
            main([*words, "--store", str(path)])
        out = capsys.readouterr().out
        assert not caught.value.code
        assert "None" not in out
        assert "trusted" not in out
        assert "inferometer run" not in out
