"""What energy is measured with, decided before anything is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.core.errors import InputError, MeterError
from inferometer.core.procedure import PRESETS, Procedure
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study, Sweep
from inferometer.runner.phases.energy.choice import EnergyOptions, decide

STUDY = Study(name="x", sweep=Sweep(models=("a", "b")), procedure=Procedure())
ESTIMATE = {"meters": ("estimate://5:20",), "allow_estimate": True}


@pytest.fixture
def empty(tmp_path):
    """A device without any sensor."""
    (tmp_path / "sys").mkdir()
    (tmp_path / "proc").mkdir()
    return tmp_path


def with_procedure(**changes):
    return replace(STUDY, procedure=Procedure(**changes))


def test_without_a_sensor_the_reason_is_the_records_and_there_is_a_way_out(empty):
    found = decide(STUDY, EnergyOptions(), empty)
    assert found.request is None
    assert "No power sensor" in str(found.reason)
    assert "--power-log" in str(found.reason)


def test_what_the_user_switches_off_is_not_looked_for(empty):
    assert decide(STUDY, EnergyOptions(wanted=False), empty).reason == Statement("energy_off")
    off = decide(STUDY, EnergyOptions(meters=("none",)), empty)
    assert (off.request, "--meter none" in str(off.reason)) == (None, True)


def test_the_quick_preset_takes_no_energy_unless_a_meter_is_named():
    quick = with_procedure(**PRESETS["quick"])
    assert decide(quick, EnergyOptions()).reason == Statement("energy_not_in_procedure")
    asked = decide(quick, EnergyOptions(**ESTIMATE))
    assert [source.info.kind for source in asked.request.sources] == ["estimate"]
    assert asked.request.sources[0].info.method == "estimate"
    asked.close()


@pytest.mark.parametrize("special", [{"pair": True}, {"sustain_s": 60.0}])
def test_special_runs_measure_no_energy_and_refuse_a_meter(special):
    study = with_procedure(**special)
    assert decide(study, EnergyOptions()).reason.code == "energy_not_in_mode"
    with pytest.raises(MeterError, match="leave out --meter"):
        decide(study, EnergyOptions(**ESTIMATE))


def test_a_meter_that_is_named_and_cannot_be_used_is_an_error(empty):
    for meter in ("nonsense", "estimate://5:20", "rapl"):
        with pytest.raises(MeterError):
            decide(STUDY, EnergyOptions(meters=(meter,)), empty)


def test_marks_alone_make_windows(empty, tmp_path):
    found = decide(STUDY, EnergyOptions(mark=tmp_path / "marks.csv"), empty)
    assert (found.request.sources, found.request.logged) == ((), True)
    found.close()
    with pytest.raises(InputError, match="the file exists"):
        decide(STUDY, EnergyOptions(mark=tmp_path / "marks.csv"), empty)


def test_a_log_is_joined_after_the_run(empty, tmp_path):
    found = decide(STUDY, EnergyOptions(power_log=tmp_path / "log.csv"), empty)
    assert found.request is not None
    assert found.request.logged
    assert found.log == str(tmp_path / "log.csv")
    found.close()


def test_a_log_may_name_its_columns(empty):
    target = "csv://log.csv?power=power_b"
    found = decide(STUDY, EnergyOptions(power_log=target), empty)
    assert found.log == target
    found.close()


@pytest.mark.parametrize("log", [".", "", "csv://log.csv?watts=power_b"])
def test_what_cannot_be_a_log_is_refused_before_the_run(empty, log):
    with pytest.raises(MeterError, match=r"is no file|has no option watts"):
        decide(STUDY, EnergyOptions(power_log=log), empty)


def test_a_recorded_tree_has_sensors_that_do_not_move(tmp_path):
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (tmp_path / "proc").mkdir()
    for name, text in (
        ("name", "package-0"), ("energy_uj", "1000000"), ("max_energy_range_uj", "262143328850"),
    ):  # fmt: skip
        (zone / name).write_text(text + "\n")
    found = decide(STUDY, EnergyOptions(), tmp_path)
    assert found.request is None
    assert "rapl:package-0" in str(found.reason)
    assert "recording" in str(found.reason)
