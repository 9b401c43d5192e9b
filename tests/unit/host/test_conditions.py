"""The state of a device."""

from __future__ import annotations

import math

import pytest

from inferometer.host.conditions import conditions

SUPPLY = "sys/class/power_supply"


def test_laptop_on_battery(tree, laptop):
    state = conditions(tree(laptop))
    assert state.load_1min == pytest.approx(2.5)
    assert state.on_battery is True


def test_laptop_on_mains(tree, laptop):
    laptop[f"{SUPPLY}/AC/online"] = "1\n"
    assert conditions(tree(laptop)).on_battery is False


def test_full_battery_is_not_drained(tree, laptop):
    laptop[f"{SUPPLY}/BAT0/status"] = "Full\n"
    assert conditions(tree(laptop)).on_battery is False


def test_the_battery_of_a_mouse_does_not_count(tree):
    mouse = {f"{SUPPLY}/hid/type": "Battery", f"{SUPPLY}/hid/scope": "Device"}
    root = tree({**mouse, f"{SUPPLY}/hid/status": "Discharging"})
    assert conditions(root).on_battery is None


@pytest.mark.parametrize("text", ["", "x y", "nan 1 1", "-1 0 0", "inf"])
def test_a_load_that_is_no_load_is_not_observable(tree, text):
    state = conditions(tree({"proc/loadavg": text}))
    assert (state.load_1min, state.on_battery) == (None, None)


def test_the_live_machine_has_a_load():
    load = conditions().load_1min
    assert load is not None
    assert math.isfinite(load)


THERMAL = "sys/class/thermal/thermal_zone{}/temp"
CPU = "sys/devices/system/cpu"
NVPMODEL = (
    "# comment\n< PARAM TYPE=FILE NAME=CPU_ONLINE >\n"
    "< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n"
    "< POWER_MODEL ID=1 NAME=5W >\n< PM_CONFIG DEFAULT=0 >\n"
)


def test_the_hottest_believable_thermometer(tree):
    root = tree({THERMAL.format(0): "45500\n", THERMAL.format(1): "-273000\n"})
    assert conditions(root).temperature_c == pytest.approx(45.5)


@pytest.mark.parametrize(
    ("status", "modes", "name"),
    [
        ("pmode:0000", NVPMODEL, "MAXN"),
        ("pmode:0001 fmode:quiet", NVPMODEL, "5W"),
        ("pmode:0007", NVPMODEL, "mode 7"),
        ("pmode:0001", "", "mode 1"),
        ("", NVPMODEL, None),
        ("garbage", NVPMODEL, None),
    ],
)
def test_the_power_mode_of_a_jetson(tree, status, modes, name):
    root = tree({"var/lib/nvpmodel/status": status, "etc/nvpmodel.conf": modes})
    assert conditions(root).power_mode == name


def test_the_power_mode_of_a_laptop(tree):
    root = tree({"sys/firmware/acpi/platform_profile": "low-power\n"})
    assert conditions(root).power_mode == "low-power"


@pytest.mark.parametrize(
    ("file", "text", "turbo"),
    [
        ("intel_pstate/no_turbo", "0", True),
        ("intel_pstate/no_turbo", "1", False),
        ("cpufreq/boost", "1", True),
        ("cpufreq/boost", "0", False),
        ("cpufreq/boost", "yes", None),
    ],
)
def test_turbo(tree, file, text, turbo):
    assert conditions(tree({f"{CPU}/{file}": text})).turbo is turbo


@pytest.mark.parametrize(
    ("second", "said"),
    [("power\n", "power"), ("performance\n", "mixed: performance, power"), ("", "power")],
)
def test_the_energy_preference_of_all_cpus(tree, second, said):
    path = CPU + "/cpu{}/cpufreq/energy_performance_preference"
    root = tree({f"{CPU}/online": "0-1\n", path.format(0): "power\n", path.format(1): second})
    assert conditions(root).energy_preference == said


def test_nothing_of_the_live_machine_passes_for_the_tree(tree):
    state = conditions(tree({"proc/x": ""}))
    assert set(vars(state).values()) == {None}
