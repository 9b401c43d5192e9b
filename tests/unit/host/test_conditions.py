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
