"""One execution of a study on one device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from inferometer.core.record import Value

Origin = Literal["measured", "replayed", "imported"]


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

    def row_part(self) -> dict[str, Value]:
        """The fields that a run gives to each of its exported records."""
        return {
            "run_id": self.id,
            "study": self.study,
            "device_name": self.device_name,
            "origin": self.origin,
        }
