"""Raspberry Pi: the rails of a Pi 5, and what is said on the others."""

from __future__ import annotations

import subprocess

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.pi_pmic import find, rails
from inferometer.meters.energy.surroundings import Ran

MODEL = "proc/device-tree/model"
PI5, PI4 = "Raspberry Pi 5 Model B Rev 1.0", "Raspberry Pi 4 Model B Rev 1.4"
RECORDED = "commands/vcgencmd_pmic_read_adc.txt"
AMPERES = {
    "3V7_WL_SW": 0.0937,
    "3V3_SYS": 0.0878,
    "1V8_SYS": 0.1805,
    "DDR_VDD2": 0.2254,
    "DDR_VDDQ": 0.0667,
    "1V1_SYS": 0.1757,
    "0V8_SW": 0.3767,
    "VDD_CORE": 6.2242,
    "3V3_DAC": 0.0001,
    "3V3_ADC": 0.0004,
    "0V8_AON": 0.0031,
    "HDMI": 0.0242,
}
VOLTS = [
    3.6998,
    3.31,
    1.8051,
    1.1048,
    0.6015,
    1.1103,
    0.8015,
    0.8617,
    3.3132,
    3.3068,
    0.8003,
    5.0866,
]


def adc() -> str:
    """Lines as the firmware prints them; the numbers in brackets do not pair the lines."""
    amperes = [
        f"{name + '_A':>12} current({n})={a:.8f}A" for n, (name, a) in enumerate(AMPERES.items())
    ]
    volts = [
        f"{name + '_V':>12} volt({n + 8})={v:.8f}V"
        for n, (name, v) in enumerate(zip(AMPERES, VOLTS, strict=True))
    ]
    return "\n".join(
        [
            *amperes,
            *volts,
            "     EXT5V_V volt(24)=5.09066000V",
            "      BATT_V volt(25)=0.00000000V",
            "",
        ]
    )


TOTAL_W = sum(a * v for a, v in zip(AMPERES.values(), VOLTS, strict=True))


def test_rails_with_both_current_and_voltage_count():
    found = rails(adc())
    assert len(found) == 12
    assert sum(found.values()) == pytest.approx(TOTAL_W)


@pytest.mark.parametrize(
    "text",
    ["", 'error=1 error_msg="Command not registered"', "X_A current(0)=..A", "X_A current(0)=1.0A"],
)
def test_other_output_has_no_rails(text):
    assert rails(text) == {}


def test_a_recorded_pi_5_is_replayed_without_running_anything(world):
    built = world({MODEL: f"{PI5}\0", RECORDED: adc()})
    finding = find(built.surroundings)
    (source,) = finding.sources
    assert (source.info.name, source.info.scope) == ("pi_pmic:rails", "rails_sum")
    assert "sum over 12 rails" in source.info.where
    assert "USB devices, HATs, NVMe drives" in source.info.where
    assert source.read().value == pytest.approx(TOTAL_W)
    assert not built.asked


def test_a_live_pi_5_is_asked(live):
    asked = []

    def run(command, timeout_s):
        asked.append((tuple(command), timeout_s))
        return Ran(status=0, output=adc())

    (source,) = find(live({MODEL: PI5.encode()}, run)).sources
    assert source.read().value == pytest.approx(TOTAL_W)
    assert asked == [(("vcgencmd", "pmic_read_adc"), 5.0)] * 2


def test_a_failure_under_way_is_lost(live):
    answers = iter([Ran(status=0, output=adc()), Ran(status=0, output="")])
    (source,) = find(live({MODEL: PI5.encode()}, lambda *_: next(answers))).sources
    with pytest.raises(SourceLostError, match="told no currents"):
        source.read()


def raising(error):
    def run(*_):
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (raising(FileNotFoundError(2, "vcgencmd")), "sudo apt install raspi-utils"),
        (raising(subprocess.TimeoutExpired("vcgencmd", 5)), "did not answer in time"),
        (lambda *_: Ran(status=255, output="Can't open device file: /dev/vcio"), "group video"),
    ],
)
def test_what_keeps_a_pi_5_from_answering(live, run, words):
    (absence,) = find(live({MODEL: PI5.encode()}, run)).absences
    assert words in absence.message


def test_a_pi_4_has_no_sensor(world):
    (absence,) = find(world({MODEL: f"{PI4}\0"}).surroundings).absences
    assert absence.reason.startswith(f"The {PI4} has no power sensor")
    assert "`--meter shelly://HOST`" in absence.way_out
    assert absence.relevant


@pytest.mark.parametrize(
    "model", ["Raspberry Pi 500 Rev 1.0", "Raspberry Pi Compute Module 5 Rev 1.0"]
)
def test_relatives_of_the_pi_5(world, model):
    assert find(world({MODEL: model, RECORDED: adc()}).surroundings).sources


def test_other_boards_are_no_raspberry(world):
    (absence,) = find(world({}).surroundings).absences
    assert not absence.relevant
