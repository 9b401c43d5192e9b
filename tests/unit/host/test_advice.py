"""What would make a device steadier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inferometer.host.advice import advise
from inferometer.host.conditions import Conditions
from inferometer.host.memory import Memory

GIB = 1024**3

FINE: dict[str, Any] = {
    "governor": "performance",
    "board": None,
    "hypervisor": None,
    "cores_logical": 8,
}


class TestAdvice:
    idle = Conditions(load_1min=0.2, on_battery=False)
    roomy = Memory(
        total_bytes=16 * GIB,
        available_bytes=8 * GIB,
        limit_bytes=None,
        swap_total_bytes=GIB,
        swap_used_bytes=0,
    )
    unseen = Memory(
        total_bytes=None,
        available_bytes=None,
        limit_bytes=None,
        swap_total_bytes=None,
        swap_used_bytes=None,
    )

    def test_a_quiet_machine_needs_none(self):
        assert advise(FINE, self.roomy, self.idle) == []

    def test_what_is_not_observable_gives_none(self):
        device = dict.fromkeys(FINE)
        assert advise(device, self.unseen, Conditions(load_1min=None, on_battery=None)) == []

    def test_advice_for_a_terminal_fits_a_line_or_two(self):
        device = FINE | {"governor": "mixed: performance, powersave", "hypervisor": "KVM"}
        state = Conditions(load_1min=9.5, on_battery=True, temperature_c=95, power_mode="low-power")
        little = replace(self.roomy, available_bytes=300 * 1024**2, swap_used_bytes=GIB)
        found = advise(device, little, state)
        assert len(found) == 8
        assert max(map(len, found)) <= 132
        assert all(text.count("\n") <= 1 for text in found)

    @pytest.mark.parametrize(("degrees", "number"), [(80.0, 0), (81.0, 1), (None, 0)])
    def test_heat(self, degrees, number):
        state = replace(self.idle, temperature_c=degrees)
        assert len(advise(FINE, self.roomy, state)) == number

    @pytest.mark.parametrize(
        ("mode", "words"),
        [
            ("performance", ""),
            ("balanced", ""),
            ("custom", ""),
            ("MAXN", ""),
            ("MAXN_SUPER", ""),
            (None, ""),
            ("quiet", "powerprofilesctl"),
            ("low-power", "powerprofilesctl"),
            ("5W", "runs of the same mode"),
            ("mode 3", "runs of the same mode"),
        ],
    )
    def test_power_mode(self, mode, words):
        found = advise(FINE, self.roomy, replace(self.idle, power_mode=mode))
        assert [words in text for text in found] == [True] * bool(words)

    @pytest.mark.parametrize(
        ("preference", "number"), [("power", 1), ("balance_power", 0), ("performance", 0)]
    )
    def test_energy_preference(self, preference, number):
        state = replace(self.idle, energy_preference=preference)
        assert len(advise(FINE, self.roomy, state)) == number

    def test_little_memory_and_swap_in_use(self):
        little = replace(self.roomy, available_bytes=300 * 1024**2, swap_used_bytes=2 * GIB)
        memory, swap = advise(FINE, little, self.idle)
        assert memory.startswith("Only 300 MiB of memory")
        assert swap.startswith("2.00 GiB of swap are in use")

    @pytest.mark.parametrize(
        ("board", "command"),
        [(None, "cpupower frequency-set -g performance"), ("NVIDIA Jetson Orin", "jetson_clocks")],
    )
    def test_governor(self, board, command):
        device = FINE | {"governor": "powersave", "board": board}
        (advice,) = advise(device, self.roomy, self.idle)
        assert "governor is powersave" in advice
        assert advice.endswith(f"\nsudo {command}")

    def test_battery(self):
        (advice,) = advise(FINE, self.roomy, Conditions(load_1min=0, on_battery=True))
        assert "battery" in advice

    @pytest.mark.parametrize(("load", "cores", "number"), [(0.6, 8, 1), (3, 64, 0), (5, 64, 1)])
    def test_load(self, load, cores, number):
        device = FINE | {"cores_logical": cores}
        state = Conditions(load_1min=load, on_battery=None)
        assert len(advise(device, self.roomy, state)) == number

    def test_virtual_machine(self):
        (advice,) = advise(FINE | {"hypervisor": "KVM"}, self.roomy, self.idle)
        assert "virtual machine" in advice
