"""What energy is measured with, decided before anything is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.core.energy import SourceInfo
from inferometer.core.errors import InputError, MeterError, SourceLostError
from inferometer.core.procedure import PRESETS, Procedure
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study, Sweep
from inferometer.meters.energy.selection.detect import Detected
from inferometer.runner.phases.energy import choice
from inferometer.runner.phases.energy.choice import EnergyOptions, decide
from inferometer.runner.phases.energy.fitting import said_of_windows
from inferometer.runner.phases.energy.windows import plan_windows
from inferometer.stats.energy_windows import Sensor, why_idle_too_short, why_too_short

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
    with pytest.raises(MeterError, match=r"is not a file|has no option watts"):
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
    with pytest.raises(MeterError, match=r"--meter rapl cannot be read: .* a recording"):
        decide(STUDY, EnergyOptions(meters=("rapl",)), tmp_path)


@pytest.mark.parametrize("named", ["rapl", "rapl:package-0"])
def test_a_named_meter_that_gives_nothing_is_refused_before_the_run(empty, monkeypatch, named):
    class Gone:
        info = SourceInfo(
            name="rapl:package-0", kind="rapl", scope="package", method="measured",
            quantity="energy", period_s=0.001,
        )  # fmt: skip
        closed = False

        def read(self):
            raise SourceLostError("the counter is gone")

        def close(self):
            self.closed = True

    gone = Gone()
    monkeypatch.setattr(choice, "detect", lambda *_, **__: Detected(sources=(gone,)))
    monkeypatch.setattr(choice, "is_live", lambda _: True)
    with pytest.raises(MeterError, match=f"{named} cannot be read: the counter is gone"):
        decide(STUDY, EnergyOptions(meters=(named,)), empty)
    assert gone.closed


def decided_with_log(tmp_path, every_s, query="", **procedure):
    """What is decided with a log that has begun, and what is said before the run."""
    path = tmp_path / "log.csv"
    if every_s:
        rows = [f"{1_764_500_000 + every_s * k},{5 + k % 2}" for k in range(20)]
        path.write_text("\n".join(["timestamp,watts", *rows]))
    study = with_procedure(**procedure)
    found = decide(study, EnergyOptions(power_log=f"log://{path}{query}"), tmp_path)
    request = found.request
    plan = plan_windows(None, study.procedure, logged=request.logged, logger=request.logger)
    found.close()
    return plan, [one.code for one in found.beforehand], [str(one) for one in found.beforehand]


def test_windows_suit_the_rate_of_a_log_that_has_begun(empty):
    """By the rule that withholds afterwards, and somewhat longer, since a clock is no ruler."""
    plan, codes, said = decided_with_log(empty, 4.0, energy_window_s=15.0)
    assert codes[0] == "energy_lengthened"
    assert "last 52 s instead of the 15 s that were asked for, since csv:log.csv" in said[0]
    sensor = Sensor(quantity="power", period_s=4.05, window_s=4.05)
    assert why_too_short(sensor, plan.window_s) is None
    assert why_idle_too_short(sensor, plan.idle_s) is None


def test_a_fast_log_needs_no_long_windows(empty):
    plan, codes, _ = decided_with_log(empty, 0.1)
    assert plan.window_s < 3
    assert "energy_lengthened" not in codes


def test_an_interval_may_be_stated_for_a_log_that_is_not_there_yet(empty):
    plan, codes, _ = decided_with_log(empty, None, query="?interval=5s", energy_window_s=15.0)
    assert plan.window_s > 60
    assert codes[0] == "energy_lengthened"


def test_a_rate_that_nobody_knows_is_said(empty):
    plan, codes, said = decided_with_log(empty, None, energy_window_s=15.0)
    assert plan.window_s == 15.0
    assert codes[0] == "energy_log_rate"
    assert "at least once a second" in said[0]


def test_a_slow_meter_lengthens_windows_and_says_so():
    plug = SourceInfo(
        name="shelly:plug", kind="shelly", scope="wall", method="measured", quantity="power",
        period_s=1.0, window_s=1.0,
    )  # fmt: skip
    plan = plan_windows(plug, Procedure(energy_window_s=3.0))
    said = said_of_windows(plan, 3.0, plug, logged=False)
    assert said.code == "energy_lengthened"
    assert "12 s instead of the 3 s" in str(said)
    assert said_of_windows(plan, 20.0, plug, logged=False) is None
