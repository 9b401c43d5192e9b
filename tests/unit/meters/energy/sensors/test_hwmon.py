"""Modules that a user wired up, USB-C meters, and AMD GPUs."""

from __future__ import annotations

import errno

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.hwmon import find

HWMON = "sys/class/hwmon"
ONE = f"{HWMON}/hwmon3"


def only(finding):
    assert not finding.absences
    (source,) = finding.sources
    return source


@pytest.fixture
def ina219():
    return {
        f"{ONE}/name": "ina219\n",
        f"{ONE}/power1_input": "5260000\n",
        f"{ONE}/shunt_resistor": "100000\n",
        f"{HWMON}/hwmon0/name": "cpu_thermal\n",
    }


def test_an_ina219_is_taken_for_the_input_and_says_so(world, ina219):
    source = only(find(world(ina219, {f"{ONE}/device": "../../../1-0040"}).surroundings))
    info = source.info
    assert (info.name, info.kind, info.scope) == ("hwmon:ina219@1-0040", "hwmon", "board_input")
    assert source.read().value == pytest.approx(5.26)
    assert info.resolution == pytest.approx(0.002)  # 20 steps of 0.1 mA
    assert info.gain is None
    assert "it measures what it was wired to" in info.where
    assert "100 mΩ" in info.where


def test_a_tree_without_links_names_the_folder(world, ina219):
    assert only(find(world(ina219).surroundings)).info.name == "hwmon:ina219@hwmon3"


@pytest.mark.parametrize(
    ("chip", "step_w"), [("ina226", 0.00625), ("ina238", 0.0004), ("ina260", 0.0)]
)
def test_other_modules(world, ina219, chip, step_w):
    ina219[f"{ONE}/name"] = f"{chip}\n"
    ina219[f"{ONE}/shunt_resistor"] = "10000\n"
    ina219[f"{ONE}/update_interval"] = "36\n"
    info = only(find(world(ina219).surroundings)).info
    assert info.resolution == pytest.approx(step_w)
    assert info.period_s == info.window_s == pytest.approx(0.036)


def test_channels_of_an_ina3221_are_not_added(world):
    files = {f"{ONE}/name": "ina3221\n"}
    for channel, milliamperes in ((1, 800), (2, 150), (3, 0)):
        files[f"{ONE}/in{channel}_input"] = "5000\n"
        files[f"{ONE}/curr{channel}_input"] = f"{milliamperes}\n"
    first, second = find(world(files).surroundings).sources
    assert (first.info.name, second.info.name) == (
        "hwmon:ina3221@hwmon3:1",
        "hwmon:ina3221@hwmon3:2",
    )
    assert (first.read().value, second.read().value) == (pytest.approx(4.0), pytest.approx(0.75))


def test_power_z_may_be_plugged_in_either_way(world):
    files = {
        f"{ONE}/name": "powerz\n",
        f"{ONE}/in0_input": "5103\n",
        f"{ONE}/curr1_input": "-1204\n",
    }
    assert only(find(world(files).surroundings)).read().value == pytest.approx(5.103 * 1.204)


def test_a_module_that_nothing_flows_through_is_said_to_be(world, ina219):
    ina219[f"{ONE}/power1_input"] = "0\n"
    finding = find(world(ina219).surroundings)
    assert not finding.sources
    assert "reads 0 W: nothing flows through it" in finding.absences[0].reason


def test_a_module_that_is_wired_the_other_way_round_is_said_to_be(world):
    files = {
        f"{ONE}/name": "ina3221\n",
        f"{ONE}/in1_input": "5000\n",
        f"{ONE}/curr1_input": "-800\n",
    }
    finding = find(world(files).surroundings)
    assert not finding.sources
    assert "reads -4 W: the current flows through it backwards" in finding.absences[0].reason


def test_a_module_that_is_unplugged_is_lost(world, ina219):
    built = world(ina219)
    source = only(find(built.surroundings))
    built.refusing[f"{ONE}/power1_input"] = OSError(errno.ENXIO, "No such device or address")
    with pytest.raises(SourceLostError, match="unplugged"):
        source.read()


@pytest.fixture
def amd():
    return {f"{ONE}/name": "amdgpu\n", f"{ONE}/power1_average": "15042000\n"}


def test_an_apu_shows_the_northbridge(world, amd):
    amd |= {f"{ONE}/in1_label": "vddnb\n", f"{ONE}/power1_cap": "0\n"}
    source = only(find(world(amd, {f"{ONE}/device": "../../../0000:05:00.0"}).surroundings))
    assert (source.info.name, source.info.scope) == ("hwmon:amdgpu@0000:05:00.0", "soc")
    assert source.read().value == pytest.approx(15.042)
    assert "vddnb" in source.info.where


def test_a_graphics_card_has_a_fan(world, amd):
    amd |= {
        f"{ONE}/fan1_input": "1200\n",
        f"{ONE}/pwm1": "80\n",
        f"{ONE}/power1_cap": "203000000\n",
    }
    source = only(find(world(amd).surroundings))
    assert source.info.scope == "gpu"
    assert "pwm1, fan1_input, power1_cap" in source.info.where


def test_a_gpu_without_an_average_gives_its_momentary_power(world, amd):
    del amd[f"{ONE}/power1_average"]
    amd[f"{ONE}/power1_input"] = "9000000\n"
    assert only(find(world(amd).surroundings)).read().value == pytest.approx(9.0)


def test_a_sleeping_gpu_is_absent_with_a_reason(world, amd):
    built = world(amd)
    built.refusing[f"{ONE}/power1_average"] = PermissionError(errno.EPERM, "not permitted")
    (absence,) = find(built.surroundings).absences
    assert "AMD GPU" in absence.reason
    assert "sleeping" in absence.reason


def test_nothing_there_is_nothing_to_worry_about(world):
    (absence,) = find(world({f"{ONE}/name": "nvme\n"}).surroundings).absences
    assert not absence.relevant
