"""Run converters as programs of their own: a file that makes one crash takes nothing else along."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from inferometer.core.errors import LONGEST_MESSAGE, WorkloadError
from inferometer.core.shown import shown, visible

LONGEST_SECONDS = 3600.0
"""What a converter may take: calibration of a large network takes minutes."""

_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def run_tool(
    name: str, command: Sequence[str], *, within: Path, seconds: float = LONGEST_SECONDS
) -> str:
    """Run a converter to its end; gives what it printed, which is passed on too.

    Args:
        name: of the converter, for people.
        command: program and arguments.
        within: the folder that it runs in.
        seconds: what it may take.

    Raises:
        WorkloadError: (unsupported) it crashed, failed, or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=within,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkloadError(
            "unsupported", f"{name} was stopped: it took more than {seconds:g} s"
        ) from error
    printed = _COLOURS.sub("", done.stdout.decode(errors="replace"))
    sys.stdout.write(printed)
    if done.returncode:
        raise failed(name, _ended(done.returncode), printed)
    return printed


def failed(name: str, how: str, printed: str, telling: str = "") -> WorkloadError:
    """The failure of a converter.

    Args:
        name: of the converter.
        how: what it did, such as `crashed (SIGSEGV)`.
        printed: what it printed.
        telling: pattern of the lines that say why; without one it is the last line.
    """
    lines = [" ".join(line.split()) for line in printed.splitlines() if line.strip()]
    found = [line for line in lines if telling and re.search(telling, line)] or lines[-1:]
    words = shown(visible("; ".join(dict.fromkeys(found))), LONGEST_MESSAGE)
    return WorkloadError("unsupported", f"{name} {how}" + (f": {words}" if words else ""))


def _ended(code: int) -> str:
    """How a program ended that did not succeed."""
    if code > 0:
        return f"failed (exit status {code})"
    try:
        return f"crashed ({signal.Signals(-code).name})"
    except ValueError:
        return f"crashed (signal {-code})"
