"""`inferometer run`: what becomes of its flags."""

from __future__ import annotations

import pytest

from inferometer.cli.main import main
from inferometer.cli.run import _told_of_meters, run
from inferometer.core.options import AXES, PROCEDURE
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study, Sweep
from inferometer.store import open_store

ELSEWHERE = {
    "study", "resume", "retry_failed", "only", "root", "yes", "store_path", "json_path"
}  # fmt: skip
METERS = {"no_energy", "meters", "power_log", "allow_estimate", "mark"}


def test_no_flag_is_dropped():
    """A flag that sets no option would be accepted and ignored."""
    flags = {str(parameter.name) for parameter in run.params} - ELSEWHERE
    assert flags == {option.field for option in (*AXES, *PROCEDURE) if option.help} | METERS


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--mark", "m"], "--mark"),
        (["--meter", "rapl", "--power-log", "p.csv"], "--meter and --power-log"),
    ],
)
def test_energy_is_not_asked_for_and_switched_off(flags, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["run", "--no-energy", *flags])
    assert caught.value.code == 2
    assert f"--no-energy does not go with {named}\n" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def refused(tmp_path, capsys):
    """Makes a run that lacks everything, asks for cells of it, and gives the refusal."""

    def ask(*args, pair=False):
        study = Study(
            name="s",
            sweep=Sweep(models=("resnet18", "unet")[: 1 + pair], threads=1),
            procedure=Procedure(pair=pair),
        )
        path = tmp_path / "inferometer.db"
        with open_store(path) as store:
            run_id = store.create_run(study, planned=1, device={"name": "d"}, software={}).id
        with pytest.raises(SystemExit) as caught:
            main(["run", "--store", str(path), *(run_id if a == "RUN" else a for a in args)])
        assert caught.value.code == 2
        return " ".join(capsys.readouterr().err.split())

    return ask


def test_only_goes_with_resume(refused):
    assert "--only goes with --resume" in refused("--only", "resnet18")


def test_cells_that_the_run_does_not_have_are_answered_by_those_it_has(refused):
    for resume in (["--resume", "RUN"], ["--resume"]):
        err = refused(*resume, "--only", "unet:224/8")
        assert "--only unet:224/8: the run has no such workload; it has resnet18:own/1" in err


def test_only_needs_a_run_of_the_study_that_was_given(refused):
    assert "has none yet" in refused("taste", "--resume", "--only", "resnet18")


def test_only_does_not_go_with_a_paired_run(refused):
    assert "paired" in refused("--resume", "RUN", "--only", "resnet18", pair=True)


def test_an_empty_cell_is_refused(refused):
    assert "separated by commas" in refused("--resume", "--only", "resnet18,,unet")


@pytest.mark.parametrize("command", [["run"], ["cost", "resnet18"], ["profile", "resnet18"]])
def test_a_seed_that_no_generator_takes_is_refused(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--seed", str(2**32)])
    assert caught.value.code == 2
    assert "a whole number from 0 to 4294967295" in capsys.readouterr().err


def test_a_meter_that_was_named_and_is_not_there_ends_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.py").write_text("def f():\n    return lambda: 1\n")
    (tmp_path / "board" / "proc").mkdir(parents=True)
    with pytest.raises(SystemExit) as caught:
        main(["run", "--models", "m.py:f", "--backends", "python", "--root", "board",
              "--meter", "jetson"])  # fmt: skip
    assert caught.value.code == 2
    assert "--meter jetson cannot be used: Not an NVIDIA Jetson" in capsys.readouterr().err


def test_a_meter_that_fails_on_the_way_is_told_and_is_status_1(capsys):
    workload = Study(name="s", sweep=Sweep(models=("a",), threads=1), procedure=Procedure())
    why = {"source": "rapl:package-0", "reason": "the counter is gone"}
    figures = {"latency_median_s": 0.1, "energy_reason": Statement("energy_withheld", why)}
    record = Record(workload=workload.workloads()[0], status="ok", figures=figures)
    assert _told_of_meters(("rapl",), [record]) == 1
    assert "No energy by --meter rapl for 1 workload" in capsys.readouterr().err
    assert _told_of_meters((), [record]) == 0
