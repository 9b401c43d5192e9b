"""Raspberry Pi 5: the power management chip tells volts and amperes of the rails it makes.

Asked through `vcgencmd pmic_read_adc`, a process for each reading. Earlier boards have no sensor.
"""

from __future__ import annotations

import re

from inferometer.core.energy import Absence, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.boards import (
    BOARD_READS,
    BRIEF_WAY_OUT,
    WITHOUT_A_SENSOR,
    model,
)
from inferometer.meters.energy.sources.commands import NOT_FOUND, TOOK_TOO_LONG, ask
from inferometer.meters.energy.sources.libraries import AskedSource
from inferometer.meters.energy.surroundings import Finding, Ran, Surroundings, absent

KIND = "pi_pmic"
COMMAND = ("vcgencmd", "pmic_read_adc")
READS = BOARD_READS
"""What is looked at, for a dump of it."""
RECORDED = "vcgencmd_pmic_read_adc.txt"
PERIOD_S = 0.1
"""What one can ask for without the asking itself becoming a load."""
_WITH_PMIC = re.compile(r"Raspberry Pi (5|500|Compute Module 5)")
_LINE = re.compile(
    r"^\s*(?P<rail>\S+)_(?P<what>[AV])\s+(?:current|volt)\(\d+\)=(?P<value>-?\d+(?:\.\d+)?)[AV]\s*$",
    re.MULTILINE,
)


def rails(output: str) -> dict[str, float]:
    """Watts of each rail that has both a current and a voltage.

    Lines are like `VDD_CORE_A current(7)=1.23456000A` and `VDD_CORE_V volt(15)=0.87654000V`; the
    numbers in brackets count the converter's channels and do not pair them. `EXT5V` and `BATT`
    have a voltage only.
    """
    found: dict[str, dict[str, float]] = {"A": {}, "V": {}}
    for match in _LINE.finditer(output):
        found[match["what"]][match["rail"]] = float(match["value"])
    volts = found["V"]
    return {rail: amps * volts[rail] for rail, amps in found["A"].items() if rail in volts}


def find(surroundings: Surroundings) -> Finding:
    """The rails of a Pi 5, or why there are none."""
    board = model(surroundings) or ""
    if "Raspberry Pi" not in board:
        return absent(KIND, "Not a Raspberry Pi.", relevant=False)
    if not _WITH_PMIC.search(board):
        reason = (
            f"The {board} has no power sensor; the first Raspberry Pi with one is the Pi 5, whose "
            "power management chip tells currents."
        )
        brief = f"The {board} has no power sensor: {BRIEF_WAY_OUT}"
        absence = Absence(kind=KIND, reason=reason, way_out=WITHOUT_A_SENSOR, brief=brief)
        return Finding(absences=(absence,))
    ran = ask(surroundings, COMMAND, recorded_as=RECORDED)
    powers = rails(ran.output)
    if ran.status or not powers:
        return absent(KIND, f"{_failure(ran)}.", _way_out(ran))
    info = SourceInfo(
        name=f"{KIND}:rails",
        kind=KIND,
        scope="rails_sum",
        method="measured",
        quantity="power",
        period_s=PERIOD_S,
        where=f"`{' '.join(COMMAND)}`, sum over {len(powers)} rails; what the 5 V input feeds "
        "directly (USB devices, HATs, NVMe drives) and the losses of the chip are not included",
    )
    source = AskedSource(info, lambda: _power_w(surroundings), surroundings.clock)
    return Finding(sources=(source,))


def record(surroundings: Surroundings) -> dict[str, str]:
    """What the command says of rails, for a dump; nothing where it is not asked or fails."""
    if not _WITH_PMIC.search(model(surroundings) or ""):
        return {}
    ran = ask(surroundings, COMMAND, recorded_as=RECORDED)
    lines = [match.group(0).strip() for match in _LINE.finditer(ran.output)]
    return {RECORDED: "\n".join([*lines, ""])} if lines and not ran.status else {}


def _power_w(surroundings: Surroundings) -> float:
    """The sum over the rails of volts times amperes, watts.

    Raises:
        SourceLostError: the command failed, or said nothing about rails.
    """
    ran = ask(surroundings, COMMAND, recorded_as=RECORDED)
    powers = rails(ran.output)
    if ran.status or not powers:
        raise SourceLostError(_failure(ran))
    return sum(powers.values())


def _failure(ran: Ran) -> str:
    command = f"`{' '.join(COMMAND)}`"
    if ran.status == NOT_FOUND:
        return (
            f"The power management chip of this Raspberry Pi is read with {command}, which is "
            "not installed"
        )
    if ran.status == TOOK_TOO_LONG:
        return f"{command} did not answer in time"
    said = " ".join((ran.errors or ran.output).split())[:100]
    return f"{command} told no currents" + (f" but said: {said}" if said else "")


def _way_out(ran: Ran) -> str:
    if ran.status == NOT_FOUND:
        return "Install it: `sudo apt install raspi-utils` (Ubuntu: `libraspberrypi-bin`)."
    return (
        "Your user must be in the group video: `sudo usermod -aG video $USER`, then log in again; "
        "if that does not help, update the firmware with `sudo rpi-eeprom-update -a`."
    )
