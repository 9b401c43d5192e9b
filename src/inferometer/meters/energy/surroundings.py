"""Everything outside this process that a power source touches, so that tests can replace it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from inferometer.core.energy import Absence
from inferometer.core.protocols import PowerSource
from inferometer.host.files import LIVE, is_live, read_bytes

COMMAND_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did.

    Attributes:
        status: exit status.
        output: what it printed, standard output only.
        errors: what it said on standard error.
    """

    status: int
    output: str
    errors: str = ""


def run_command(command: Sequence[str], timeout_s: float = COMMAND_TIMEOUT_S) -> Ran:
    """Run a command without a shell and without input.

    Raises:
        OSError: there is no such command, or it must not be run.
        subprocess.TimeoutExpired: it took too long.
    """
    done = subprocess.run(
        list(command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
    return Ran(status=done.returncode, output=done.stdout, errors=done.stderr)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What sources read and ask.

    Attributes:
        root: where `sys/` and `proc/` are: the machine's own, or a recorded device tree.
        read: content of a file at a path under the root, raising OSError as `open` does.
        run: runs a command; not used where the root is a recorded tree (see `live`).
        load: imports an optional module, raising ImportError.
        clock: Unix time, seconds.
        sleep: waits for so many seconds.
    """

    root: Path = LIVE
    read: Callable[[Path], bytes] = read_bytes
    run: Callable[[Sequence[str], float], Ran] = run_command
    load: Callable[[str], Any] = import_module
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    @property
    def live(self) -> bool:
        """Whether this is the machine itself: commands and libraries may be asked."""
        return is_live(self.root)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one file of sources found.

    Attributes:
        sources: what can be read, opened already; the caller closes what it does not use.
        absences: why something that was looked for is not among them.
    """

    sources: tuple[PowerSource, ...] = ()
    absences: tuple[Absence, ...] = ()


def absent(kind: str, reason: str, way_out: str = "", *, relevant: bool = True) -> Finding:
    """Nothing of a kind, and why."""
    absence = Absence(kind=kind, reason=reason, way_out=way_out, relevant=relevant)
    return Finding(absences=(absence,))
