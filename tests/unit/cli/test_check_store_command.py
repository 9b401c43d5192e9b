from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from tests.fuzz.stores import mutations, sound

from inferometer.cli.main import main


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "inferometer.db"
    path.write_bytes(sound())
    return path


@pytest.fixture
def change(path):
    def execute(*statements):
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    return execute


@pytest.fixture
def command(path, capsys):
    """Runs a command; gives exit status, output and errors."""

    def call(*args):
        with pytest.raises(SystemExit) as caught:
            main([*args, "--store", str(path)])
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return call


@pytest.fixture
def check(command):
    def call(*args):
        return command("check-store", *args)

    return call


def table(out):
    """Rows that are whole and damaged, by table."""
    lines = [line.split() for line in out.splitlines()]
    return {
        line[0]: (int(line[1]), int(line[2]))
        for line in lines
        if len(line) == 3 and line[1].isdigit()
    }


def test_a_whole_store_is_said_to_be(path, check):
    status, out, err = check()
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"{path} is whole."
    assert table(out) == {
        "runs": (3, 0),
        "claims": (1, 0),
        "records": (24, 0),
        "rounds": (56, 0),
        "evaluations": (0, 0),
    }


def test_what_is_damaged_is_listed_table_by_table(path, check, change):
    change(
        "UPDATE runs SET created_at = 1e308 WHERE sequence = 1",
        "UPDATE records SET figures = '[' WHERE sequence IN (9, 10)",
        "UPDATE rounds SET values_s = x'00' WHERE _rowid_ = 1",
    )
    content = path.read_bytes()
    status, out, _ = check()
    assert status == 1
    assert table(out)["runs"] == (2, 1)
    assert table(out)["records"] == (22, 2)
    assert table(out)["rounds"] == (55, 1)
    assert "created_at: a number too large" in out
    assert "inferometer export RUN" in out
    assert path.read_bytes() == content


def test_the_json_has_all(check, change):
    change("UPDATE records SET figures = '['")
    status, out, _ = check("--json", "-")
    data = json.loads(out)
    assert (status, data["whole"], len(data["damages"])) == (1, False, 24)
    assert data["tables"][2] == {"table": "records", "whole": 0, "damaged": 24}
    assert data["damages"][0]["table"] == "records"
    assert len(check()[1].splitlines()) < 30


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE records SET run_id = 'ffffffff' WHERE sequence = 1", "records: row 1: it belongs"),
        ("DROP INDEX ix_runs_signature", "the index ix_runs_signature is missing"),
        ("DROP TABLE rounds", "rounds: it is missing"),
        ("ALTER TABLE runs RENAME COLUMN device TO d", "runs: it has no column device"),
        ("CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM runs; END", "a trigger, t"),
        ("PRAGMA application_id = 0", "does not say that it is a results database"),
        ("PRAGMA user_version = 0", "format 0, which there is not"),
        ("UPDATE claims SET pid = 'x'", "no process"),
        (
            """UPDATE runs SET device = '{"roofs": [1]}' WHERE sequence = 1""",
            "a roofline that cannot",
        ),
    ],
)
def test_what_belongs_to_no_row_is_found_too(check, change, statement, sentence):
    change(statement)
    status, out, err = check()
    assert (status, err) == (1, "")
    assert sentence in out


def test_tables_whose_rows_may_stand_there_twice_are_named(check, change):
    change(
        "CREATE TABLE c AS SELECT * FROM rounds",
        "DROP TABLE rounds",
        "ALTER TABLE c RENAME TO rounds",
    )
    assert "rounds: nothing keeps its rows from standing there twice" in check()[1]


def test_pages_that_cannot_be_read_are_found(path, check):
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(range(256)) * 16
    path.write_bytes(content)
    status, out, _ = check()
    assert status == 1
    assert table(out)["runs"] == (3, 0)
    assert f"{path} is damaged" in out


@pytest.mark.parametrize("content", [b"hello", bytes(8192), b"model,latency\n" * 1000])
def test_what_is_no_database_is_bad_input(path, check, content):
    path.write_bytes(content)
    status, out, err = check()
    assert (status, out) == (2, "")
    assert "not a results database" in err or "no results database" in err


def test_a_database_of_another_program_is_bad_input(path, check):
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (name)")
        connection.commit()
    assert check()[0] == 2
    path.unlink()
    assert check()[0] == 2
    assert not path.exists()


def test_damage_of_any_kind_is_told_in_sentences(path, check, tmp_path):
    seen = set()
    for number, damaged in enumerate(mutations(5, 40, tmp_path)):
        for end in ("", "-wal"):
            beside = path.with_name(path.name + end)
            beside.unlink(missing_ok=True)
            if damaged.with_name(damaged.name + end).exists():
                shutil.copy(damaged.with_name(damaged.name + end), beside)
        content = path.read_bytes()
        status, out, err = check()
        seen.add(status)
        assert path.read_bytes() == content
        assert (status == 2) == (err.count("Error: ") == 1), number
        assert bool(out) == (status != 2), number
        assert "fault" not in err
    assert seen == {0, 1, 2}


class TestReadingCommands:
    """What is damaged is told on standard error; the rest is shown."""

    def test_runs_lists_those_that_can_be_read(self, command, change):
        change("UPDATE runs SET device = 'null' WHERE sequence = 2")
        status, out, err = command("runs")
        assert (status, len(out.splitlines())) == (0, 3)
        assert err.startswith("Warning: ")
        assert err.count("\n") == 1
        assert "(device: nothing where an object should be)" in err
        status, out, err = command("runs", "--json", "-")
        assert (status, len(json.loads(out))) == (0, 2)
        assert "device" in err

    def test_runs_says_that_none_can_be_read(self, command, change):
        change("UPDATE runs SET created_at = 1e308")
        status, out, err = command("runs")
        assert status == 0
        assert "no run in it can be read" in out
        assert "3 damaged rows of the table runs" in err
        assert command("runs", "--json", "-")[1] == "[]\n"

    def test_runs_counts_records_by_their_status_alone(self, command, change):
        change("UPDATE records SET status = 'perhaps' WHERE sequence IN (17, 18)")
        status, out, err = command("runs", "--json", "-")
        assert (status, [run["ok"] for run in json.loads(out)]) == (0, [5, 7, 7])
        assert "2 damaged rows of the table records" in err

    def test_show_leaves_out_what_is_damaged(self, command, change):
        change(
            "UPDATE records SET figures = 'x' WHERE sequence = 17",
            "UPDATE records SET model = x'ff' WHERE sequence = 18",
        )
        status, out, err = command("show", "latest", "--json", "-")
        assert (status, len(json.loads(out))) == (0, 6)
        assert err.count("\n") == 1
        assert "2 damaged rows of the table records were passed over" in err
        status, out, err = command("show", "latest")
        assert status == 0
        assert "resnet18" in out

    def test_show_refuses_a_run_that_is_damaged_itself(self, command, change):
        change("UPDATE runs SET document = '{}' WHERE sequence = 2")
        run_id = json.loads(command("runs", "--json", "-")[1])[0]["run_id"]
        assert command("show", run_id)[0] == 0
        change("UPDATE runs SET device = '[]' WHERE sequence = 3")
        for reference in (run_id, "latest"):
            status, out, err = command("show", reference)
            assert (status, out) == (2, "")
            assert err.count("Error: ") == 1
            assert f"run {run_id}: device" in err
