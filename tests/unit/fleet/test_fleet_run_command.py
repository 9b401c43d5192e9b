"""`inferometer fleet run`: which devices, what is told, and the exit status."""

from __future__ import annotations

import json

import pytest

from inferometer.cli.main import main
from inferometer.fleet.engine import drive

from .simulated_board import Faults, SimulatedBoard

FILE = """devices:
  - {name: a, ssh: a, python: p, class: pi}
  - {name: b, ssh: b, python: p, class: pi}
  - {name: c, ssh: c, python: p, class: nano}
"""
MODELS = """
def one():
    return (lambda x: x), {"x": [1.0]}

def two():
    return (lambda x: x), {"x": [1.0]}
"""
STUDY = ["--models", "lab.py:one,lab.py:two", "--backends", "python", "--batch", "1,2,4"]
FAULTS = {}


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INFEROMETER_STORE", raising=False)
    (tmp_path / "devices.yaml").write_text(FILE)
    (tmp_path / "lab.py").write_text(MODELS)
    monkeypatch.setattr(
        "inferometer.fleet.link.remote.board",
        lambda device: SimulatedBoard(device=device, faults=FAULTS.get(device.name, Faults())),
    )
    quick = drive.Pace(poll_s=0.01, retry_s=0.01, patience_s=0.3, probe_s=0.02)
    monkeypatch.setattr(drive, "Pace", lambda **_: quick)
    FAULTS.clear()


def fleet_run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["fleet", "run", *STUDY, "--size", "own", *arguments])
    found = capsys.readouterr()
    return ended.value.code, found.out, found.err


def names(output):
    return sorted({row["device_name"] for row in json.loads(output)})


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ((), ["a", "b", "c"]),
        (("--on", "all"), ["a", "b", "c"]),
        (("--each", "c,a"), ["a", "c"]),
        (("--any", "pi"), ["pi"]),
    ],
)
def test_devices_are_chosen(capsys, how, wanted):
    status, out, _ = fleet_run(capsys, *how, "--json", "-")
    assert status == 0
    assert names(out) == wanted
    runs = {row["run_id"] for row in json.loads(out)}
    assert len(json.loads(out)) == 6 * len(runs)


def test_a_device_that_is_not_there_is_told_and_the_rest_goes_on(capsys):
    FAULTS["b"] = Faults(away=[(0, 1e9)])
    status, out, err = fleet_run(capsys, "--on", "a,b", "--json", "-")
    assert status == 1
    assert names(out) == ["a"]
    assert "b: it cannot be reached" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (("--on", "all", "--any", "pi"), "do not go together"),
        (("--any", "orin"), "no device is of class orin; classes: nano, pi"),
        (("--on", "d"), "no device is called 'd'"),
        (("--devices", "none.yaml"), "none.yaml"),
        (("--models", "no-such-net"), "no-such-net"),
        (("--scheduler", "tcp://10.0.0.1:8786"), "in clear text anybody"),
        (("--scheduler", "tls://10.0.0.1:8786"), "give --tls-ca, --tls-cert and --tls-key"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(capsys, tmp_path, how, said):
    status, out, err = fleet_run(capsys, *how)
    assert status == 2
    assert said in err
    assert out == ""
    assert not (tmp_path / "inferometer.db").exists()


def test_resuming_fetches_what_is_there_and_measures_nothing_again(capsys):
    _, out, _ = fleet_run(capsys, "--any", "pi", "--json", "-")
    status, again, err = fleet_run(capsys, "--any", "pi", "--resume", "--json", "-")
    assert status == 0
    assert {row["run_id"] for row in json.loads(again)} == {
        row["run_id"] for row in json.loads(out)
    }
    assert err == ""


def test_where_there_is_nothing_to_resume_it_says_so(capsys, monkeypatch, tmp_path):
    status, out, err = fleet_run(capsys, "--on", "a", "--resume", "--json", "-")
    assert (status, names(out)) == (0, ["a"])
    assert "with these flags is there to resume: a new one begins" in err
    monkeypatch.setattr(f"{__name__}.STUDY", [])
    status, out, err = fleet_run(capsys, "--resume", "--store", "other.db")
    assert status == 2
    assert out == ""
    assert "other.db: no such results database" in err
    assert not (tmp_path / "other.db").exists()
    status, _, err = fleet_run(capsys, "--resume")
    assert status == 2
    assert "no run of the study lab with these flags is there to resume; `inferometer runs`" in err


def test_without_dask_the_extra_is_named(capsys, monkeypatch):
    monkeypatch.setattr("inferometer.fleet.engine.find_spec", lambda _: None)
    status, _, err = fleet_run(capsys)
    assert status == 2
    assert "pip install 'inferometer[fleet]'" in err
