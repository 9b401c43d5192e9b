"""Apple silicon, through the package zeus-apple-silicon. What it tells is the vendor's model.

The counters of the operating system (mJ) for CPU, GPU, its memory, DRAM and the neural engine are
added up; Apple calls them estimates. Screen, storage and radio are in none of them.
"""

from __future__ import annotations

import platform
from typing import Any

from inferometer.core.energy import SourceInfo
from inferometer.core.errors import in_one_line
from inferometer.meters.energy.sources.libraries import AskedSource
from inferometer.meters.energy.surroundings import Finding, Surroundings, absent

KIND = "apple"
_MODULE = "zeus_apple_silicon"
_PARTS = ("cpu_total_mj", "gpu_mj", "gpu_sram_mj", "dram_mj", "ane_mj")
"""None of these contains another; the fields for single cores and clusters are within the first."""
_NEEDED = "cpu_total_mj"
_PERIOD_S = 0.1


def find(surroundings: Surroundings) -> Finding:
    """One source for the whole chip."""
    if not surroundings.live or platform.system() != "Darwin":
        return absent(KIND, "Energy of Apple silicon is read on a Mac only.", relevant=False)
    if platform.machine() != "arm64":
        reason = "This Mac, or this Python, is not for Apple silicon, whose energy could be read."
        return absent(KIND, reason, "Put a metering plug at the wall: --meter shelly://HOST.")
    try:
        library = surroundings.load(_MODULE)
    except ImportError:
        reason = "The library that reads the energy of Apple silicon is missing."
        return absent(KIND, reason, "Run pip install 'inferometer[apple]'.")
    except Exception as error:  # noqa: BLE001 - a broken package is not there
        return absent(
            KIND, f"The library zeus-apple-silicon cannot be loaded ({in_one_line(error)})."
        )
    try:
        return Finding(sources=(_source(library.AppleEnergyMonitor(), surroundings),))
    except Exception as error:  # noqa: BLE001 - it asks private parts of the system
        return absent(KIND, f"macOS tells no energy of this chip ({in_one_line(error)}).")


def _source(monitor: Any, surroundings: Surroundings) -> AskedSource:  # noqa: ANN401 - optional
    first = monitor.get_cumulative_energy()
    parts = [part for part in _PARTS if getattr(first, part, None) is not None]
    if _NEEDED not in parts:
        raise LookupError("no figure for the CPU")

    def energy_j() -> float:
        # a part that was there and is gone raises TypeError, and the source is lost
        told = monitor.get_cumulative_energy()
        return sum(float(getattr(told, part)) for part in parts) / 1e3

    names = ", ".join(part.removesuffix("_mj").removesuffix("_total") for part in parts)
    info = SourceInfo(
        name=f"{KIND}:soc",
        kind=KIND,
        scope="soc",
        method="vendor_model",
        quantity="energy",
        period_s=_PERIOD_S,
        resolution=1e-3 * len(parts),
        where=f"energy model of macOS: {names}",
    )
    return AskedSource(info, energy_j, surroundings.clock)
