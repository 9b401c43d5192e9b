"""PowerTOP's report, and when there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources import powertop
from inferometer.meters.energy.sources.powertop import discharge_w, find
from inferometer.meters.energy.surroundings import Ran

BAT = "sys/class/power_supply/BAT0"
REPORT = """\
____________________________________________________________________
 *  *  *   Top 10 Power Consumers   *  *  *

Usage;Events/s;Category;Description;PW Estimate
100.0%;;Device;Display backlight;5.94 W
 *  *  *   Device Power Report   *  *  *

The battery reports a discharge rate of:  {rate}W;
The energy consumed was :  146 J;
The system baseline power is estimated at:  24.3  W;

Usage;Device Name;PW Estimate
"""


@pytest.mark.parametrize(
    ("line", "watts"),
    [
        (REPORT.format(rate="12.3  "), 12.3),
        (REPORT.format(rate="796 m "), 0.796),
        ("The battery reports a discharge rate of 6.01 W", 6.01),
        ("The battery reports a discharge rate of:, 9.3W, ", 9.3),
        ("The battery reports a discharge rate of: ;  14.5  W;", 14.5),
        ('"The battery reports a discharge rate of: ";" 3,52 W"', 3.52),
        (REPORT.replace("battery", "something").format(rate="1 "), None),
        ("The battery reports a discharge rate of:  W", None),
        ("", None),
    ],
)
def test_the_rate_is_read_in_every_form(line, watts):
    assert discharge_w(line) == (None if watts is None else pytest.approx(watts))


def test_a_recorded_report_is_replayed(world, laptop):
    built = world({**laptop, "commands/powertop.csv": REPORT.format(rate="12.3  ")})
    (source,) = find(built.surroundings).sources
    assert (source.info.name, source.info.scope) == ("powertop:battery", "battery")
    assert source.read().value == pytest.approx(12.3)
    assert not built.asked


def test_a_tree_without_a_report_has_no_source(world, laptop):
    (absence,) = find(world(laptop).surroundings).absences
    assert not absence.relevant


def test_without_a_battery_it_gives_no_watts(world, nano_2gb):
    (absence,) = find(world({**nano_2gb, "commands/powertop.csv": "x"}).surroundings).absences
    assert "there is no battery" in absence.reason


def test_on_the_charger_it_gives_no_watts(world, laptop):
    laptop[f"{BAT}/status"] = "Charging\n"
    assert "Unplug" in find(world(laptop).surroundings).absences[0].way_out


class Machine:
    """A live machine where PowerTOP writes a report to the file it is told."""

    def __init__(
        self, report: str | None = None, user: str = "0", *, installed: bool = True
    ) -> None:
        self.report, self.user, self.installed = report, user, installed
        self.seconds: list[str] = []

    def run(self, command, _timeout_s) -> Ran:
        if tuple(command) == ("id", "-u"):
            return Ran(status=0, output=f"{self.user}\n")
        if not self.installed:
            raise FileNotFoundError(2, "No such file", "powertop")
        if tuple(command) == ("powertop", "--version"):
            return Ran(status=0, output="PowerTOP version 2.14\n")
        assert tuple(command[:3]) == ("env", "LC_ALL=C", "powertop")
        options = dict(word.split("=") for word in command[3:])
        self.seconds.append(options["--time"])
        if self.report is None:
            return Ran(status=1, output="", errors="exiting: cannot open\n")
        Path(options["--csv"]).write_text(self.report)
        return Ran(status=0, output="")


@pytest.fixture
def discharging(live, monkeypatch):
    """A live laptop on battery; PowerTOP's report is a real file."""
    monkeypatch.setattr(powertop, "batteries", lambda _: [BAT])
    files = {f"{BAT}/status": b"Discharging\n"}

    class Files(dict):
        def __missing__(self, name):
            path = Path("/") / name
            if path.is_file():
                return path.read_bytes()
            raise KeyError(name)

    return lambda machine: live(Files(files), machine.run)


def test_a_reading_is_one_report(discharging):
    machine = Machine(REPORT.format(rate="12.3  "))
    (source,) = find(discharging(machine)).sources
    assert source.read().value == pytest.approx(12.3)
    assert machine.seconds == ["1", "5"]


def test_a_report_without_a_rate_is_lost(discharging):
    machine = Machine(REPORT.format(rate="12.3  "))
    (source,) = find(discharging(machine)).sources
    machine.report = None
    with pytest.raises(SourceLostError, match=r"no discharge rate.*cannot open"):
        source.read()


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Machine(installed=False), "not installed"),
        (Machine(user="1000"), "as root only"),
        (Machine("no rate"), "reports no discharge rate"),
    ],
)
def test_what_keeps_powertop_from_telling(discharging, machine, words):
    (absence,) = find(discharging(machine)).absences
    assert words in absence.message
