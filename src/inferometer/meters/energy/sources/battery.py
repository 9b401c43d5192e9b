"""Battery of a laptop: what the whole machine draws, display included, while it discharges.

From `sys/class/power_supply`, as the kernel's `Documentation/ABI/testing/sysfs-class-power` has
it. Most batteries tell something new every few seconds only.
"""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core.energy import Absence, Reading, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.channels import Channel, opened
from inferometer.meters.energy.surroundings import Finding, Surroundings, absent

KIND = "battery"
FOLDER = "sys/class/power_supply"
READS = tuple(
    f"{FOLDER}/*/{name}"
    for name in ("type", "scope", "present", "status", "power_now", "current_now", "voltage_now")
)
"""What is looked at, for a dump of it."""
DISCHARGING = "Discharging"
CHARGING = "Charging"
PERIOD_S = 3.0
"""Typical; a hundred of them are the five minutes that a figure from a battery needs."""
_STEP_W = 0.01
_METER = "use a metering plug (`--meter shelly://HOST`)"


class BatterySource:
    """The batteries of one machine, added up: a laptop with two empties them in turn.

    Args:
        surroundings: the clock, and the files with the states.
        info: what is known of it.
        batteries: folder and power of each.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        info: SourceInfo,
        batteries: Sequence[tuple[str, Channel]],
    ) -> None:
        self.info = info
        self._surroundings = surroundings
        self._batteries = tuple(batteries)

    def read(self) -> Reading:
        """Watts now.

        Raises:
            SourceLostError: it does not discharge any longer, or cannot be read.
        """
        before_s = self._surroundings.clock()
        watts = sum(channel.watts() for _, channel in self._batteries)
        states = [state(self._surroundings, folder) for folder, _ in self._batteries]
        if DISCHARGING not in states or CHARGING in states:
            raise SourceLostError(
                f"The battery is {_shown(states)}: the charger was plugged in, and what it feeds "
                "is not measured"
            )
        if watts == 0:
            raise SourceLostError("The battery says that it discharges, at 0 W: it tells no power")
        at_s = (before_s + self._surroundings.clock()) / 2
        return Reading(at_s=at_s, value=watts)

    def close(self) -> None:
        """Let go of the files; a second call does nothing."""
        for _, channel in self._batteries:
            channel.close()


def batteries(surroundings: Surroundings) -> list[str]:
    """Folders of the batteries that feed the machine, not those of a mouse."""
    return [
        folder
        for folder in sensorfile.folders(surroundings, f"{FOLDER}/*")
        if sensorfile.text(surroundings, f"{folder}/type") == "Battery"
        and sensorfile.text(surroundings, f"{folder}/scope") != "Device"
        and sensorfile.text(surroundings, f"{folder}/present") != "0"
    ]


def state(surroundings: Surroundings, folder: str) -> str:
    """What a battery does: `Discharging`, `Charging`, `Full`, `Not charging`, `Unknown`."""
    return sensorfile.text(surroundings, f"{folder}/status") or "Unknown"


def find(surroundings: Surroundings) -> Finding:
    """The batteries, where they discharge now."""
    folders = batteries(surroundings)
    if not folders:
        reason = f"No battery in /{FOLDER}."
        return absent(KIND, reason, relevant=False)
    states = [state(surroundings, folder) for folder in folders]
    if DISCHARGING not in states or CHARGING in states:
        return Finding(absences=(_on_mains(states),))
    found = [(folder, _power(surroundings, folder)) for folder in folders]
    known = [(folder, channel) for folder, channel in found if channel is not None]
    if len(known) < len(found):
        return Finding(absences=(_silent(next(f for f, channel in found if channel is None)),))
    names = "+".join(folder.rpartition("/")[2] for folder in folders)
    info = SourceInfo(
        name=f"{KIND}:{names}",
        kind=KIND,
        scope="battery",
        method="measured",
        quantity="power",
        period_s=PERIOD_S,
        window_s=PERIOD_S,
        resolution=_STEP_W,
        where=f"{', '.join(channel.where for _, channel in known)}; the whole laptop with its "
        "display, only while it discharges",
    )
    return Finding(sources=(BatterySource(surroundings, info, known),))


def _power(surroundings: Surroundings, folder: str) -> Channel | None:
    """Microwatts, or microamperes times microvolts; some drivers count discharge as negative."""
    product = (f"{folder}/current_now", f"{folder}/voltage_now")
    return opened(surroundings, (f"{folder}/power_now",), unit_w=1e-6, unsigned=True) or opened(
        surroundings, product, unit_w=1e-12, unsigned=True
    )


def _shown(states: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(states)).lower()


def _on_mains(states: Sequence[str]) -> Absence:
    return Absence(
        kind=KIND,
        reason=f"This laptop runs from its charger (battery: {_shown(states)}), so its battery "
        "does not tell what it draws.",
        way_out=f"Unplug the charger and run again, at least five minutes for each model; or "
        f"{_METER}.",
    )


def _silent(folder: str) -> Absence:
    return Absence(
        kind=KIND,
        reason=f"The battery at /{folder} discharges, but has neither power_now nor current_now "
        "with voltage_now that can be read.",
        way_out=f"Its firmware does not tell its power; {_METER}.",
    )
