"""Power monitors in hwmon: modules that a user wired up, USB-C meters, and AMD GPUs.

What such a module measures is where it was wired; the kernel cannot know. Monitors that a board's
maker put on the board are left to the file of that board.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from inferometer.core.energy import Absence, Scope
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.boards import on_board
from inferometer.meters.energy.sources.channels import (
    CHIP_READS,
    HWMON,
    Channel,
    ChannelSource,
    chips,
    ina3221_channels,
    opened,
    source_of,
    update_s,
)
from inferometer.meters.energy.surroundings import Finding, Surroundings, absent

KIND = "hwmon"
_source = partial(source_of, kind=KIND)
AMD = "amdgpu"
READS = (
    *CHIP_READS,
    *(
        f"{HWMON}/hwmon*/{name}"
        for name in (
            *("device", "shunt_resistor", "power1_label", "power1_input", "power1_average"),
            *("in0_input", "curr1_input", "in1_label", "pwm1", "fan1_input", "freq2_input"),
            "power1_cap",
        )
    ),
)
"""What is looked at, for a dump of it."""
MODULES = frozenset(
    ["ina219", "ina220", "ina226", "ina228", "ina230", "ina231", "ina237", "ina238", "ina260"]
)
"""Chips whose driver computes microwatts; the driver's documentation lists them."""
_STEPS_W_UOHM = {
    **dict.fromkeys(["ina219", "ina220"], 200.0),
    **dict.fromkeys(["ina226", "ina230", "ina231"], 62.5),
    **dict.fromkeys(["ina237", "ina238"], 4.0),
}
"""Watts of one step times microohms of the shunt: 20 and 25 times the step of the current in the
driver ina2xx, and 200 µW at 20 mΩ in ina238."""
MODULE_PERIOD_S = 0.04
"""16 averages of two conversions of 1.1 ms, as the driver sets up an INA226 that does not tell."""
POWERZ_PERIOD_S = 0.1
AMD_PERIOD_S = 0.1


def find(surroundings: Surroundings) -> Finding:
    """Every monitor that reads something."""
    sources: list[ChannelSource] = []
    absences: list[Absence] = []
    for folder, chip in chips(surroundings):
        if on_board(surroundings, chip):
            continue
        found = _amd(surroundings, folder) if chip == AMD else _module(surroundings, folder, chip)
        for one in found:
            if isinstance(one, Absence):
                absences.append(one)
            else:
                sources.append(one)
    if not sources and not absences:
        names = "an INA219 or similar module, a POWER-Z meter, or an AMD GPU"
        reason = f"No power monitor in /{HWMON}/hwmon*/name: looked for {names}."
        return absent(KIND, reason, relevant=False)
    return Finding(sources=tuple(sources), absences=tuple(absences))


def _module(
    surroundings: Surroundings, folder: str, chip: str
) -> Sequence[ChannelSource | Absence]:
    """What the user wired; an INA3221 has three channels, each a source of its own."""
    at = f"{chip}@{sensorfile.device_of(surroundings, folder)}"
    period_s = update_s(surroundings, folder, MODULE_PERIOD_S)
    if chip == "powerz":
        channel = _powerz(surroundings, folder)
        note = "what flows through the USB-C meter; taken for the input of this board"
        return [_wired(surroundings, channel, at, POWERZ_PERIOD_S, note)]
    if chip in MODULES:
        shunt_uohm = sensorfile.number(surroundings, f"{folder}/shunt_resistor")
        channel = _microwatts(surroundings, folder, chip, shunt_uohm)
        return [_wired(surroundings, channel, at, period_s, _caveat(shunt_uohm))]
    if chip == "ina3221":
        rails = ina3221_channels(surroundings, folder)
        found = [
            _wired(surroundings, rail, f"{at}:{rail.place}", period_s, _caveat(None))
            for rail in rails
        ]
        return [one for one in found if not isinstance(one, Absence)] or found[:1]
    return []


def _microwatts(
    surroundings: Surroundings, folder: str, chip: str, shunt_uohm: int | None
) -> Channel | None:
    step_w = _STEPS_W_UOHM.get(chip, 0.0) / shunt_uohm if shunt_uohm else 0.0
    label = sensorfile.text(surroundings, f"{folder}/power1_label") or ""
    path = f"{folder}/power1_input"
    return opened(surroundings, (path,), label=label, unit_w=1e-6, step_w=step_w)


def _powerz(surroundings: Surroundings, folder: str) -> Channel | None:
    """Millivolts of the bus times milliamperes, whose sign is the direction."""
    paths = (f"{folder}/in0_input", f"{folder}/curr1_input")
    return opened(surroundings, paths, label="VBUS", unit_w=1e-6, unsigned=True)


def _caveat(shunt_uohm: int | None) -> str:
    shunt = f"of {shunt_uohm / 1000:g} mΩ " if shunt_uohm else ""
    return (
        "taken for the input of this board: it measures what it was wired to. A shunt resistor "
        f"other than the one configured {shunt}scales every reading"
    )


def _wired(
    surroundings: Surroundings, channel: Channel | None, name: str, period_s: float, note: str
) -> ChannelSource | Absence:
    watts = channel.watts() if channel else None
    if channel is None or watts is None or watts <= 0:
        if channel:
            channel.close()
        return Absence(
            kind=KIND,
            reason=f"The power monitor {name} is there but {_state(watts)}.",
            way_out="Check how it is wired, and that the supply current passes its shunt resistor.",
        )
    return _source(
        surroundings, [channel], scope="board_input", name=name, period_s=period_s, note=note
    )


def _state(watts: float | None) -> str:
    if watts is None:
        return "cannot be read"
    if watts < 0:
        return f"reads {watts:.3g} W: the current flows through it backwards"
    return "reads 0 W: nothing flows through it"


def _amd(surroundings: Surroundings, folder: str) -> Sequence[ChannelSource | Absence]:
    """The average that the GPU's firmware gives, or else its momentary value."""
    at = f"{AMD}@{sensorfile.device_of(surroundings, folder)}"
    for name in ("power1_average", "power1_input"):
        channel = opened(surroundings, (f"{folder}/{name}",), label="PPT", unit_w=1e-6)
        if channel:
            scope, note = _amd_scope(surroundings, folder)
            source = _source(
                surroundings, [channel], scope=scope, name=at, period_s=AMD_PERIOD_S, note=note
            )
            return [source]
    return [
        Absence(
            kind=KIND,
            reason=f"The AMD GPU at /{folder} has no power1_average or power1_input that can be "
            "read: some models have none, and a sleeping GPU refuses.",
            way_out="If it sleeps, start something that uses it, and look again.",
        )
    ]


def _amd_scope(surroundings: Surroundings, folder: str) -> tuple[Scope, str]:
    """Whether the GPU is a part of the processor, whose figure then includes the CPU.

    The driver offers the voltage of the northbridge (`in1_label` is `vddnb`) only on APUs, and a
    fan, a power cap above 0 or a memory clock of its own (`freq2`) only, or nearly only, on cards.
    """
    if sensorfile.text(surroundings, f"{folder}/in1_label") == "vddnb":
        return "soc", "the whole processor with its CPU: an APU (its hwmon shows vddnb)"
    card = ("pwm1", "fan1_input", "freq2_input", "power1_cap")
    signs = [name for name in card if sensorfile.exists(surroundings, f"{folder}/{name}")]
    if signs:
        return "gpu", f"a graphics card (its hwmon has {', '.join(signs)}); the CPU is not included"
    return "soc", "taken for an APU, whose figure includes its CPU: nothing shows a card of its own"
