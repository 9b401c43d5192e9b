"""One execution of a study on one device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from inferometer.core.display import display
from inferometer.core.record import Value

Origin = Literal["measured", "replayed", "imported"]

CARRIED = "carried"
"""Key of a run's device: true where it came as a bundle, so that it was measured elsewhere."""
PARTS = "parts"
"""Key of a run's device: who measured which part of it, where it was spread over equal devices."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One execution of a study on one device.

    Attributes:
        id: eight hexadecimal digits.
        study: name of the study.
        signature: of the study and its flags, so that `--resume` finds the run again.
        document: the study as JSON.
        device: what the device is (`host.identity`), with `name`, and the state it was in
            `before_the_run` (`host.conditions`); nothing that identifies a person.
        software: versions of this tool, Python and the runtimes.
        origin: `measured` here; `replayed` where the signals of the device came from a recorded
            tree; `imported` from a file.
        planned: workloads of the study.
        created_at: Unix time, seconds.
        finished_at: Unix time at which nothing was left to do; None for an unfinished run.
    """

    id: str
    study: str
    signature: str
    document: Mapping[str, Any] = field(repr=False)
    device: Mapping[str, Any] = field(repr=False)
    software: Mapping[str, Any] = field(repr=False)
    origin: Origin = "measured"
    planned: int = 0
    created_at: float = 0.0
    finished_at: float | None = None

    @property
    def device_name(self) -> str:
        """What the device is called in tables."""
        return str(self.device.get("name") or "unknown")

    @property
    def is_carried(self) -> bool:
        """Whether it came as a bundle: it is not gone on with here."""
        return bool(self.device.get(CARRIED))

    def device_of(self, process: int) -> str:
        """Name of the device that a process ran on; empty where the run was of one.

        Processes of a part have the numbers from its `first_process` on.
        """
        name, parts = "", self.device.get(PARTS)
        for part in parts if isinstance(parts, list) else []:
            first = part.get("first_process") if isinstance(part, Mapping) else None
            if isinstance(first, int) and first <= process:
                name = str(part.get("device"))
        return name

    def _repr_html_(self) -> str:
        return display().html(self)

    def row_part(self) -> dict[str, Value]:
        """The fields that a run gives to each of its exported records."""
        return {
            "run_id": self.id,
            "study": self.study,
            "device_name": self.device_name,
            "origin": self.origin,
        }
