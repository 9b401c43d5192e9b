"""The battery of a laptop, only while it discharges."""

from __future__ import annotations

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.battery import find

SUPPLY = "sys/class/power_supply"
BAT = f"{SUPPLY}/BAT0"


def only(finding):
    assert not finding.absences
    (source,) = finding.sources
    return source


def test_watts_while_discharging(world, laptop):
    source = only(find(world(laptop).surroundings))
    assert (source.info.name, source.info.scope) == ("battery:BAT0", "battery")
    assert source.read().value == pytest.approx(9.876)
    assert "display" in source.info.where


def test_some_drivers_count_discharge_as_negative(world, laptop):
    laptop[f"{BAT}/power_now"] = "-9876000\n"
    assert only(find(world(laptop).surroundings)).read().value == pytest.approx(9.876)


def test_amperes_times_volts_where_there_are_no_watts(world, laptop):
    del laptop[f"{BAT}/power_now"]
    laptop[f"{BAT}/current_now"] = "-812000\n"
    source = only(find(world(laptop).surroundings))
    assert source.read().value == pytest.approx(0.812 * 11.5)


def test_two_batteries_are_added(world, laptop):
    laptop |= {
        f"{SUPPLY}/BAT1/type": "Battery\n",
        f"{SUPPLY}/BAT1/status": "Not charging\n",
        f"{SUPPLY}/BAT1/power_now": "0\n",
    }
    source = only(find(world(laptop).surroundings))
    assert (source.info.name, source.read().value) == ("battery:BAT0+BAT1", pytest.approx(9.876))


@pytest.mark.parametrize("state", ["Charging", "Full", "Not charging", "Unknown"])
def test_on_the_charger_it_is_absent(world, laptop, state):
    laptop[f"{BAT}/status"] = f"{state}\n"
    (absence,) = find(world(laptop).surroundings).absences
    assert f"runs from its charger (battery: {state.lower()})" in absence.reason
    assert "Unplug the charger" in absence.way_out
    assert absence.relevant


def test_plugging_in_under_way_loses_it(world, laptop):
    built = world(laptop)
    source = only(find(built.surroundings))
    built.moving[f"{BAT}/status"] = lambda _: "Charging"
    with pytest.raises(SourceLostError, match="battery is charging: the charger was plugged in"):
        source.read()


def test_no_watts_while_discharging_are_not_0(world, laptop):
    built = world(laptop)
    source = only(find(built.surroundings))
    built.moving[f"{BAT}/power_now"] = lambda _: 0
    with pytest.raises(SourceLostError, match="0 W"):
        source.read()


def test_a_battery_that_tells_no_power(world, laptop):
    del laptop[f"{BAT}/power_now"]
    (absence,) = find(world(laptop).surroundings).absences
    assert "neither power_now nor current_now" in absence.reason


def test_a_desktop_with_a_wireless_mouse_has_no_battery(world, laptop):
    desktop = {path: text for path, text in laptop.items() if BAT not in path}
    (absence,) = find(world(desktop).surroundings).absences
    assert not absence.relevant
