"""Which single-board computer this is, and what helps where it has no power sensor."""

from __future__ import annotations

from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.surroundings import Surroundings

_TREES = ("proc/device-tree", "sys/firmware/devicetree/base")
BOARD_READS = tuple(f"{tree}/{name}" for tree in _TREES for name in ("model", "compatible"))
"""What is looked at, for a dump of it."""

WITHOUT_A_SENSOR = (
    "To measure energy, use a USB-C inline meter or any other meter that keeps a log "
    "(`--power-log FILE`), a metering plug (`--meter shelly://HOST`), or an INA219 module on the "
    "pin header. Latency and memory results are unaffected."
)
"""The ways out, the same on every board."""

BRIEF_WAY_OUT = (
    "use a USB-C or plug meter (--power-log FILE, --meter shelly://HOST) or an INA219 module; "
    "latency and memory results are unaffected."
)


def model(surroundings: Surroundings) -> str | None:
    """What the device tree calls the board; None where there is no device tree."""
    found = (sensorfile.text(surroundings, f"{tree}/model") for tree in _TREES)
    return next((text for text in found if text), None)


def compatible(surroundings: Surroundings) -> tuple[str, ...]:
    """What the board says it is compatible with: `nvidia,p3767-0005` and `nvidia,tegra234`, say."""
    for tree in _TREES:
        text = sensorfile.text(surroundings, f"{tree}/compatible")
        if text:
            return tuple(part for part in text.split("\0") if part)
    return ()


def is_jetson(surroundings: Surroundings) -> bool:
    """Whether this is a board with an NVIDIA Tegra chip."""
    return any("nvidia,tegra" in word for word in compatible(surroundings))


def is_thor(surroundings: Surroundings) -> bool:
    """Whether the chip is the Tegra 264, as on Jetson Thor."""
    return "nvidia,tegra264" in compatible(surroundings)


def on_board(surroundings: Surroundings, chip: str) -> bool:
    """Whether a power monitor of this name belongs to the board, not to the user."""
    if not is_jetson(surroundings):
        return False
    return chip == "ina3221" or (chip == "ina238" and is_thor(surroundings))
