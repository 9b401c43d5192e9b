"""Jetson boards: which rail is the total, which are added up, and which are not."""

from __future__ import annotations

import errno

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources import hwmon, jetson

HWMON = "sys/class/hwmon"
IIO = "sys/bus/iio/devices/iio:device0"


def only(finding):
    assert not finding.absences
    (source,) = finding.sources
    return source


def test_nano_4gb_reads_the_input_of_the_module(world, nano_4gb):
    source = only(jetson.find(world(nano_4gb).surroundings))
    info = source.info
    assert (info.name, info.scope, info.quantity) == ("jetson:POM_5V_IN", "module_input", "power")
    assert source.read().value == pytest.approx(3.146)
    assert info.resolution == pytest.approx(0.008 * 5.048)
    assert info.period_s == info.window_s == pytest.approx(0.4224)
    assert "the other rails are parts of it" in info.where


def test_the_folder_of_the_old_driver_serves_too(world, nano_4gb):
    old = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    files = {path.replace(IIO, old): text for path, text in nano_4gb.items()}
    assert only(jetson.find(world(files).surroundings)).read().value == pytest.approx(3.146)


def test_orin_nano_multiplies_volts_and_amperes_of_vdd_in(world, orin_nano):
    source = only(jetson.find(world(orin_nano).surroundings))
    assert (source.info.name, source.info.scope) == ("jetson:VDD_IN", "module_input")
    assert source.read().value == pytest.approx(4.992 * 1.008)
    assert source.info.resolution == pytest.approx(0.008 * 4.992)  # 40 microvolts over 5 mOhm
    assert source.info.period_s == pytest.approx(0.02)


def test_agx_orin_adds_the_rails_of_two_chips_but_none_behind_another(world, agx_orin):
    source = only(jetson.find(world(agx_orin).surroundings))
    assert (source.info.name, source.info.scope) == ("jetson:rails", "rails_sum")
    watts = 19.08 * 0.160 + 19.08 * 0.040 + 4.968 * 0.953
    assert source.read().value == pytest.approx(watts)
    assert "VDDQ_VDD2_1V8AO left out: VIN_SYS_5V0 feeds it" in source.info.where
    assert "NC" not in source.info.where
    assert "in7" not in source.info.where
    steps = [0.008 * 19.08, 0.008 * 19.08, 0.008 * 4.968]
    assert source.info.resolution == pytest.approx(sum(step**2 for step in steps) ** 0.5)


def test_agx_xavier_adds_all_its_rails(world, nano_4gb):
    rails = {"GPU": 1000, "CPU": 900, "SOC": 1800, "CV": 50, "VDDRQ": 700, "SYS5V": 2100}
    files = {path: text for path, text in nano_4gb.items() if IIO not in path}
    for number, (label, milliwatts) in enumerate(rails.items()):
        folder = f"sys/bus/iio/devices/iio:device{number // 3}"
        files[f"{folder}/rail_name_{number % 3}"] = f"{label}\n"
        files[f"{folder}/in_power{number % 3}_input"] = f"{milliwatts}\n"
    source = only(jetson.find(world(files).surroundings))
    assert (source.info.scope, source.read().value) == ("rails_sum", pytest.approx(6.55))


def test_thor_has_the_input_of_the_board_before_the_rails(world, thor):
    board, rails = jetson.find(world(thor).surroundings).sources
    assert (board.info.name, board.info.scope) == ("jetson:VIN", "board_input")
    assert board.read().value == pytest.approx(31.25)
    assert rails.info.scope == "rails_sum"
    assert rails.read().value == pytest.approx(12 * 0.9 + 12 * 0.7 + 5 * 1.2)


@pytest.mark.parametrize("name", ["orin_nano", "agx_orin", "thor"])
def test_monitors_of_the_board_are_not_taken_for_a_users(world, name, request):
    assert not hwmon.find(world(request.getfixturevalue(name)).surroundings).sources


def test_a_users_module_on_a_nano_2gb_is_found(world, nano_2gb):
    module = {f"{HWMON}/hwmon2/name": "ina219\n", f"{HWMON}/hwmon2/power1_input": "4120000\n"}
    surroundings = world({**nano_2gb, **module}).surroundings
    assert only(hwmon.find(surroundings)).read().value == pytest.approx(4.12)


def test_nano_2gb_says_what_was_looked_for_and_what_helps(world, nano_2gb):
    finding = jetson.find(world(nano_2gb).surroundings)
    assert not finding.sources
    (absence,) = finding.absences
    assert absence.relevant
    for words in (
        "No power sensor on this NVIDIA Jetson Nano 2GB Developer Kit",
        "/sys/bus/iio/devices/iio:device*",
        "/sys/class/hwmon/hwmon*/name",
        "jtop cannot help",
        "USB-C inline meter",
        "`--meter shelly://HOST`",
        "INA219",
        "`--power-log FILE`",
        "Latency and memory results are unaffected.",
    ):
        assert words in absence.message


def test_the_device_tree_may_be_in_its_other_place(world, orin_nano):
    moved = {
        path.replace("proc/device-tree", "sys/firmware/devicetree/base"): text
        for path, text in orin_nano.items()
    }
    assert only(jetson.find(world(moved).surroundings)).info.scope == "module_input"


def test_other_boards_are_no_jetson(world):
    (absence,) = jetson.find(world({"proc/cpuinfo": ""}).surroundings).absences
    assert not absence.relevant


def test_a_channel_that_is_switched_off_does_not_count(world, agx_orin):
    agx_orin[f"{HWMON}/hwmon3/in2_enable"] = "0\n"
    source = only(jetson.find(world(agx_orin).surroundings))
    assert source.read().value == pytest.approx(19.08 * 0.160 + 4.968 * 0.953)


def test_a_sensor_that_goes_away_is_lost_not_0(world, orin_nano):
    built = world(orin_nano)
    source = only(jetson.find(built.surroundings))
    built.refusing[f"{HWMON}/hwmon1/curr1_input"] = OSError(errno.ENODEV, "No such device")
    with pytest.raises(SourceLostError, match=r"/sys/class/hwmon/hwmon1/curr1_input is gone"):
        source.read()


def test_a_bus_that_is_busy_once_is_asked_again(world, orin_nano):
    built = world(orin_nano)
    source = only(jetson.find(built.surroundings))
    answers = iter([OSError(errno.EAGAIN, "again"), None])

    def once(_now_s):
        problem = next(answers)
        if problem:
            raise problem
        return 1008

    built.moving[f"{HWMON}/hwmon1/curr1_input"] = once
    assert source.read().value == pytest.approx(4.992 * 1.008)
