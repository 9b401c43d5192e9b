from __future__ import annotations

import json

import pytest

from inferometer.cli.main import main
from inferometer.core.record import Failure, Record
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store import open_store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "inferometer.db"


@pytest.fixture
def command(path, capsys):
    """Runs `inferometer runs`; gives exit status, output and errors."""

    def call(*args):
        with pytest.raises(SystemExit) as caught:
            main(["runs", "--store", str(path), *args])
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return call


def add_run(store, name="lab", device="Pi 5", planned=3):
    study = Study(name=name, sweep=Sweep(models=("m",)))
    return store.create_run(study, planned=planned, device={"name": device}, software={})


def put(store, run, model, status):
    workload = Workload(
        variant=Variant(model=model, backend="torch", precision="fp32"),
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=None),
    )
    failure = None if status == "ok" else Failure(stage="load", kind="crash", message="")
    store.put_record(run.id, Record(workload=workload, status=status, failure=failure))


def test_lists_runs_newest_first_with_what_became_of_them(path, command):
    with open_store(path) as store:
        first, second, third = add_run(store), add_run(store, "other"), add_run(store)
        for model, status in (("a", "ok"), ("b", "failed"), ("c", "skipped")):
            put(store, first, model, status)
        store.finish_run(first.id, 2e9)
        put(store, second, "a", "ok")
        imported = store.import_run(third, [])
    status, out, err = command()
    assert (status, err) == (0, "")
    header, *lines = out.splitlines()
    assert header.split() == ["run", "when", "study", "device", "ok/failed/skipped", "state"]
    assert [line.split()[0] for line in lines] == [imported.id, third.id, second.id, first.id]
    assert [line.split()[-1] for line in lines] == [
        "imported",
        "unfinished",
        "unfinished",
        "finished",
    ]
    assert "1/1/1 of 3" in lines[3]
    assert "1/0/0 of 3" in lines[2]


def test_lines_fit_a_terminal_however_long_the_names(path, command):
    with open_store(path) as store:
        run = add_run(store, "a-very-long-name-of-a-study" * 3, "Raspberry Pi 5 " * 9, 123456)
        add_run(store)
    _, out, _ = command()
    lines = out.splitlines()
    assert max(map(len, lines)) == 80
    assert lines[2].startswith(run.id)
    assert "a-ve" in lines[2]
    assert "Rasp" in lines[2]
    assert "0/0/0 of 123456" in lines[2]


def test_json_alone_on_standard_output(path, command):
    with open_store(path) as store:
        run = add_run(store)
        put(store, run, "a", "ok")
    status, out, err = command("--json", "-")
    assert (status, err) == (0, "")
    (row,) = json.loads(out)
    assert row == {
        "run_id": run.id,
        "study": "lab",
        "device_name": "Pi 5",
        "origin": "measured",
        "state": "unfinished",
        "planned": 3,
        "ok": 1,
        "failed": 0,
        "skipped": 0,
        "created_at": run.created_at,
        "finished_at": None,
    }


def test_json_to_a_file_beside_the_table(path, command, tmp_path):
    with open_store(path) as store:
        run = add_run(store)
    _, out, _ = command("--json", str(tmp_path / "runs.json"))
    assert run.id in out
    assert json.loads((tmp_path / "runs.json").read_text("utf-8"))[0]["run_id"] == run.id


def test_an_empty_store_is_said_to_be_empty(path, command):
    open_store(path).close()
    status, out, _ = command()
    assert status == 0
    assert "holds no runs yet" in out
    assert command("--json", "-")[:2] == (0, "[]\n")


def test_no_store_is_bad_input(path, command):
    status, out, err = command()
    assert (status, out) == (2, "")
    assert err.startswith(f"Error: {path}: no such results database")
    assert not path.exists()


def test_workloads_beyond_the_study_count_as_planned(path, command):
    with open_store(path) as store:
        run = add_run(store, planned=1)
        for model in ("m", "n"):
            put(store, run, model, "ok")
    assert json.loads(command("--json", "-")[1])[0]["planned"] == 2
    assert "2/0/0 of 2" in command()[1]
