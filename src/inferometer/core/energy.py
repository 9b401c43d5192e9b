"""Power sources: what they measure, what they said, and why one is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal[
    "wall",
    "board_input",
    "module_input",
    "rails_sum",
    "package",
    "package+dram",
    "psys",
    "gpu",
    "soc",
    "battery",
]
"""What a figure covers, from the wall socket inwards. Nested scopes are never added."""

EnergyMethod = Literal["measured", "vendor_model", "estimate"]
Quantity = Literal["energy", "power"]


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """What is known of a power source.

    Attributes:
        name: unique on the device, such as `rapl:package-0+dram`.
        kind: the family, as `--meter` names it: `rapl`, `nvml`, `shelly` …
        scope: what it covers.
        method: whether a sensor measures, the vendor models it, or it is an estimate.
        quantity: `energy` where readings are joules since the source was opened, `power` where
            they are watts.
        period_s: seconds between two updates of the sensor.
        window_s: seconds over which the sensor averages; 0 for none.
        resolution: smallest step of a reading, in joules or watts.
        gain: largest relative error of the reading (0.01 is 1 %); None where nobody knows.
        offset_w: largest constant error, watts; None where nobody knows.
        poll_s: seconds within which the source must be read again, lest a counter wraps unseen;
            None where there is no such limit.
        where: what is read, for people: a path, an address.
    """

    name: str
    kind: str
    scope: Scope
    method: EnergyMethod
    quantity: Quantity
    period_s: float
    window_s: float = 0.0
    resolution: float = 0.0
    gain: float | None = None
    offset_w: float | None = None
    poll_s: float | None = None
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading.

    Attributes:
        at_s: Unix time, seconds.
        value: joules since the source was opened, wraps already undone; or watts.
    """

    at_s: float
    value: float


@dataclass(frozen=True, kw_only=True)
class Absence:
    """Why a kind of source gives nothing here.

    Attributes:
        kind: the family.
        reason: what was looked for and what was found, one sentence.
        way_out: what the user can do; empty where there is nothing.
        relevant: False where nobody would expect such a source on this device, so that only the
            full list mentions it.
        brief: reason and way out in one sentence, where both together are too long for a record;
            empty where they are not.
        remedy: a file that would help, in full; empty where there is none.
    """

    kind: str
    reason: str
    way_out: str = ""
    relevant: bool = True
    brief: str = ""
    remedy: str = ""

    @property
    def message(self) -> str:
        """Reason and way out."""
        return f"{self.reason} {self.way_out}".strip()
