"""Which process measures a run, and whether it is still alive.

Only a process of this machine can be looked at. One of another machine lives where the database
says that it still keeps its run (`protocol.Database.keep`).

A process number alone is used again sooner or later, so the start of the process goes with it, in
seconds after the machine's start: the wall clock of a board without a battery jumps when it finds
the network, and would make a live process look like another one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from inferometer.core.shown import shown

_SAME_START_S = 0.5
"""The kernel counts starts in hundredths of a second; the sums that lead here round."""

_MOST_PIDS = 2**31


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process.

    Attributes:
        pid: its number.
        started_s: its start, seconds after that of the machine.
        host: its machine, or container with process numbers of its own; by default this one.
    """

    pid: int
    started_s: float
    host: str = field(default_factory=socket.gethostname)

    def is_same(self, other: Owner) -> bool:
        """Whether both are one process."""
        is_near = abs(self.started_s - other.started_s) < _SAME_START_S
        return self.host == other.host and self.pid == other.pid and is_near

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine."""
        return self.host == socket.gethostname()

    @property
    def elsewhere(self) -> str:
        """The machine, in a message after the process; empty for this one."""
        return "" if self.is_here else f" of {shown(self.host)}"

    def row(self) -> dict[str, Any]:
        """Columns of `claims`, less the run."""
        return {"pid": self.pid, "started_s": self.started_s, "host": self.host}


def owner_of(row: Mapping[str, Any]) -> Owner | None:
    """The process that a row of `claims` names; None where the row is damaged and names none."""
    pid, started_s = row["pid"], row["started_s"]
    if not isinstance(pid, int) or not 0 < pid < _MOST_PIDS or not isinstance(started_s, float):
        return None
    host = row["host"]
    return Owner(pid=pid, started_s=started_s, **({"host": host} if isinstance(host, str) else {}))


def this_process() -> Owner:
    """The process that calls."""
    return _owner(psutil.Process(os.getpid()))


def is_running(owner: Owner) -> bool:
    """Whether it is a process of this machine that lives.

    One that has ended and was not yet collected does not.
    """
    if not owner.is_here:
        return False
    try:
        process = psutil.Process(owner.pid)
        return owner.is_same(_owner(process)) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _owner(process: psutil.Process) -> Owner:
    return Owner(pid=process.pid, started_s=process.create_time() - psutil.boot_time())
