"""`export --bundle`, `import` of what it wrote, and `compare --by device_name`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from tests.unit.cli.test_compare_command import STUDY, fill, outcome

from inferometer.cli.main import main
from inferometer.core.run import CARRIED
from inferometer.store import open_store


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*args, store="x.db"):
        with pytest.raises(SystemExit) as ended:
            main([*args, "--store", store])
        return ended.value.code or 0, *capsys.readouterr()

    return run


def test_a_run_goes_from_store_to_store_and_comes_again_for_nothing(call, tmp_path):
    (run,) = fill("x.db", (0.010, 0.020))
    assert call("export", run, "--bundle", "-o", "run.bundle.gz") == (0, "", "")
    assert (tmp_path / "run.bundle.gz").read_bytes().startswith(b"\x1f\x8b")
    said = f"{run}: two on board: 2 records and 0 rounds\n"
    assert call("import", "run.bundle.gz", store="y.db") == (0, said, "")
    assert call("import", "run.bundle.gz", store="y.db") == (
        0,
        f"{run}: two on board: nothing new\n",
        "",
    )
    _, here, _ = call("export", run, "--format", "json")
    _, there, _ = call("export", run, "--format", "json", store="y.db")
    assert here == there


def test_a_bundle_goes_to_standard_output_too(call, tmp_path):
    (run,) = fill("x.db", (0.010, 0.020))
    status, out, err = call("export", "latest", "--bundle")
    assert (status, err) == (0, "")
    first, *_, last = map(json.loads, out.splitlines())
    assert (first["inferometer_bundle"], first["run"]["id"]) == (1, run)
    assert last["end"]["lines"] == 3
    assert call("export", "latest", "--bundle", "-o", "a.bundle")[0] == 0
    assert (tmp_path / "a.bundle").read_text() == out


@pytest.mark.parametrize("args", [[], ["--bundle", "--format", "json"]])
def test_either_a_format_or_the_bundle(call, args):
    fill("x.db", (0.010, 0.020))
    status, out, err = call("export", "latest", *args)
    assert (status, out) == (2, "")
    assert "either --format json, csv or parquet, or --bundle" in err


def test_what_was_cut_is_refused_and_taken_with_partial(call, tmp_path):
    (run,) = fill("x.db", (0.010, 0.020))
    call("export", run, "--bundle", "-o", "a.bundle")
    lines = (tmp_path / "a.bundle").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join(lines[:2]) + lines[2][:9])
    status, out, err = call("import", "cut", store="y.db")
    assert (status, out) == (2, "")
    assert "cut: cut after 2 lines" in err
    assert "--partial" in err
    assert not (tmp_path / "y.db").exists()
    status, out, err = call("import", "cut", "--partial", store="y.db")
    assert (status, out) == (
        0,
        f"{run}: two on board: 1 record and 0 rounds; the run is unfinished\n",
    )
    assert "Note: cut: cut after 2 lines" in err
    assert call("import", "a.bundle", store="y.db")[1].endswith("1 record and 0 rounds more\n")


def test_options_of_tables_do_not_go_with_a_bundle_nor_partial_with_a_table(call, tmp_path):
    fill("x.db", (0.010, 0.020))
    call("export", "latest", "--bundle", "-o", "a.bundle")
    assert "a bundle says itself" in call("import", "a.bundle", "--device", "Pi")[2]
    (tmp_path / "t.csv").write_text("model,latency_s\na,1\n")
    assert "--partial goes with a bundle" in call("import", "t.csv", "--partial")[2]


def test_a_changed_bundle_leaves_no_half_of_a_run(call, tmp_path):
    (run,) = fill("x.db", (0.010, 0.020))
    call("export", run, "--bundle", "-o", "a.bundle")
    content = (tmp_path / "a.bundle").read_bytes()
    (tmp_path / "a.bundle").write_bytes(content.replace(b"0.02,", b"0.03,"))
    fill("y.db", (0.010, 0.020))
    status, _, err = call("import", "a.bundle", store="y.db")
    assert status == 2
    assert "changed since it was written" in err
    with open_store("y.db") as store:
        assert run not in [one.id for one in store.runs()]


def test_a_carried_run_goes_on_only_where_it_was_measured(call):
    (run,) = fill("x.db", (0.010, 0.020))
    call("export", run, "--bundle", "-o", "a.bundle")
    call("import", "a.bundle", store="y.db")
    with closing(sqlite3.connect("y.db")) as connection:
        (device,) = connection.execute("SELECT device FROM runs").fetchone()
    assert json.loads(device)[CARRIED] is True


def devices(*named):
    """A store with a run on each device; gives the ids."""
    ids = []
    with open_store("x.db") as store:
        for name, medians, governor in named:
            run = store.create_run(
                STUDY, planned=2, device={"name": name, "governor": governor}, software={}
            )
            for workload, median in zip(STUDY.workloads(), medians, strict=True):
                store.put_record(run.id, outcome(workload, median))
            ids.append(run.id)
    return ids


def test_devices_are_compared_across_runs_with_what_else_differs(call):
    ids = devices(
        ("Pi 5", (0.10, 0.20), "ondemand"),
        ("PC", (0.01, 0.04), "performance"),
        ("Nano", (0.3, None), "ondemand"),
    )
    status, out, err = call("compare", *ids, "--by", "device_name")
    assert (status, err) == (0, "")
    for part in ("Pi 5", "PC", "Nano", "0.100 [", "3.000 [", "measured apart"):
        assert part in out
    assert "the devices differ in governor" in " ".join(out.split())
    assert "--pair" not in out
    status, out, err = call("compare", *ids, "--by", "device_name", "--json", "-")
    found = json.loads(out)
    assert [(one["baseline"], one["contender"]) for one in found] == [
        ("Pi 5", "PC"), ("Pi 5", "PC"), ("Pi 5", "Nano"),
    ]  # fmt: skip
    assert {"ratio", "ratio_low", "ratio_high", "verdict"} <= set(found[0])


def test_devices_need_two_and_more_runs_need_devices(call):
    one, other = devices(("Pi 5", (0.1, 0.2), None), ("PC", (0.1, 0.2), None))
    status, _, err = call("compare", one, "--by", "device_name")
    assert status == 2
    assert "the runs are of Pi 5: give runs of two or more" in err
    assert "more than two runs go with --by device_name" in call("compare", one, other, one)[2]
    bad = call("compare", one, other, "--by", "device_name", "--run", one)
    assert "without --run" in bad[2]
