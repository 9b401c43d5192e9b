"""NVIDIA Jetson: power monitors on the module, and on Thor one at the input of the board.

Up to JetPack 4 the INA3221 chips are IIO devices of NVIDIA's own driver, from JetPack 5 on hwmon
devices of the kernel's. The rail at the input of the module, where there is one, is the total and
the others are parts of it. Without one the rails are added up, a rail that another feeds excepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from inferometer.core.energy import Absence
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.boards import (
    BOARD_READS,
    BRIEF_WAY_OUT,
    WITHOUT_A_SENSOR,
    is_jetson,
    is_thor,
    model,
)
from inferometer.meters.energy.sources.channels import (
    CHIP_READS,
    HWMON,
    Channel,
    ChannelSource,
    chips,
    iio_channels,
    ina3221_channels,
    opened,
    source_of,
    update_s,
)
from inferometer.meters.energy.surroundings import Finding, Surroundings, absent

KIND = "jetson"
_source = partial(source_of, kind=KIND)
TOTALS = ("VDD_IN", "POM_5V_IN")
"""Rails at the input of the module."""
FED_BY = {"VDDQ_VDD2_1V8AO": "VIN_SYS_5V0"}
"""Rails behind another one; NVIDIA, Jetson Linux Developer Guide 36.4, "Software-Based Power
Consumption Modeling" for the AGX Orin series."""
IIO_PERIOD_S = 64 * 3 * 2 * 0.0011
"""NVIDIA's driver averages 64 conversions of 1.1 ms, of two voltages on three channels."""
HWMON_PERIOD_S = 0.1
"""Where the driver does not tell its update interval."""
_IIO_PLACES = ("sys/bus/iio/devices/iio:device*", "sys/bus/i2c/drivers/ina3221x/*/iio*device*")
READS = (
    *BOARD_READS,
    *CHIP_READS,
    f"{HWMON}/hwmon*/power1_input",
    *(
        f"{place}/{name}"
        for place in _IIO_PLACES
        for name in ("rail_name_*", "in_power*_input", "in_voltage*_input")
    ),
)
"""What is looked at, for a dump of it."""
_LOOKED_FOR = (
    f"rail names in /{_IIO_PLACES[0]} and /{_IIO_PLACES[1]} (JetPack 4), and the chips ina3221 "
    f"and ina238 in /{HWMON}/hwmon*/name (JetPack 5 and later)"
)


def find(surroundings: Surroundings) -> Finding:
    """The input of the board, the input of the module or the sum of the rails: outermost first."""
    if not is_jetson(surroundings):
        reason = "Not an NVIDIA Jetson: its device tree does not name an NVIDIA Tegra chip."
        return absent(KIND, reason, relevant=False)
    found = [_board_input(surroundings), _module(surroundings)]
    sources = tuple(source for source in found if source)
    return Finding(sources=sources, absences=() if sources else (_absent(surroundings),))


def _board_input(surroundings: Surroundings) -> ChannelSource | None:
    """The INA238 chip of Thor, in microwatts."""
    if not is_thor(surroundings):
        return None
    for folder in [folder for folder, chip in chips(surroundings) if chip == "ina238"]:
        label = sensorfile.text(surroundings, f"{folder}/in1_label") or "VIN"
        path = f"{folder}/power1_input"
        channel = opened(surroundings, (path,), label=label, unit_w=1e-6)
        if channel:
            period_s = update_s(surroundings, folder, HWMON_PERIOD_S)
            return _source(
                surroundings,
                [channel],
                scope="board_input",
                name=label,
                period_s=period_s,
                note="the input of the carrier board, with everything plugged into it",
            )
    return None


def _module(surroundings: Surroundings) -> ChannelSource | None:
    rails, period_s = _rails(surroundings)
    total = next((rail for name in TOTALS for rail in rails if rail.label == name), None)
    if total is None:
        return _sum(surroundings, rails, period_s) if rails else None
    for rail in rails:
        if rail is not total:
            rail.close()
    return _source(
        surroundings,
        [total],
        scope="module_input",
        name=total.label,
        period_s=period_s,
        note="the input of the module; the other rails are parts of it, and the carrier board is "
        "not included",
    )


def _sum(surroundings: Surroundings, channels: Sequence[Channel], period_s: float) -> ChannelSource:
    labels = {rail.label for rail in channels}
    added = [rail for rail in channels if FED_BY.get(rail.label) not in labels]
    fed = [rail for rail in channels if rail not in added]
    for rail in fed:
        rail.close()
    parts = [f"{rail.label} left out: {FED_BY[rail.label]} feeds it" for rail in fed]
    note = "; ".join(
        [
            f"sum of {', '.join(rail.label for rail in added)}",
            *parts,
            "no sensor at the input, so the losses before these rails are not included",
        ]
    )
    return _source(
        surroundings, added, scope="rails_sum", name="rails", period_s=period_s, note=note
    )


def _rails(surroundings: Surroundings) -> tuple[list[Channel], float]:
    """Labelled rails of all INA3221 chips, and seconds between two updates."""
    found: list[Channel] = []
    period_s = 0.0
    for folder, chip in chips(surroundings):
        if chip == "ina3221":
            found += [rail for rail in ina3221_channels(surroundings, folder) if rail.label]
            period_s = max(period_s, update_s(surroundings, folder, HWMON_PERIOD_S))
    for place in _IIO_PLACES:
        for folder in [] if found else sensorfile.folders(surroundings, place):
            found += iio_channels(surroundings, folder)
            period_s = IIO_PERIOD_S
    return _once(found), period_s


def _once(channels: Sequence[Channel]) -> list[Channel]:
    """Rails by label: a chip that can be reached on two paths counts once."""
    return list({rail.label: rail for rail in reversed(channels)}.values())[::-1]


def _absent(surroundings: Surroundings) -> Absence:
    name = model(surroundings) or "NVIDIA Jetson"
    return Absence(
        kind=KIND,
        reason=f"No power sensor on this {name}: looked for {_LOOKED_FOR}, and found none that "
        "can be read; jtop cannot help, because it reads the same files.",
        way_out=WITHOUT_A_SENSOR,
        brief=f"No power sensor on this {name} (no rail in hwmon or IIO), so jtop cannot help "
        f"either: {BRIEF_WAY_OUT}",
    )
