"""Asking a command, or the recorded output of one where the root is a recorded tree.

A dump holds what a command printed in `commands/NAME.txt` (or another ending), so that a test can
replay it. Of a recorded tree no command is ever run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.surroundings import COMMAND_TIMEOUT_S, Ran, Surroundings

FOLDER = "commands"
NOT_FOUND = 127
"""Exit status of a shell, and of `env`, for a command that is not there."""
NOT_ALLOWED = 126
TOOK_TOO_LONG = 124
"""Exit status of `timeout`."""


def ask(
    surroundings: Surroundings,
    command: Sequence[str],
    *,
    recorded_as: str,
    timeout_s: float = COMMAND_TIMEOUT_S,
) -> Ran:
    """Run a command, or read what it once printed.

    Args:
        surroundings: the device to look at.
        command: the command and its arguments.
        recorded_as: file name under `commands/` in a recorded tree.
        timeout_s: seconds that it may take.

    Returns:
        What it did; the statuses 124, 126 and 127 mean what they mean in a shell: it took too
        long, must not be run, is not there.
    """
    if not surroundings.live:
        return recorded(surroundings, recorded_as)
    try:
        return surroundings.run(command, timeout_s)
    except FileNotFoundError as error:
        return Ran(status=NOT_FOUND, output="", errors=str(error))
    except OSError as error:
        return Ran(status=NOT_ALLOWED, output="", errors=str(error))
    except subprocess.TimeoutExpired as error:
        return Ran(status=TOOK_TOO_LONG, output="", errors=str(error))


def recorded(surroundings: Surroundings, name: str) -> Ran:
    """What a recorded tree says that a command printed."""
    try:
        content = sensorfile.read(surroundings, f"{FOLDER}/{name}")
    except OSError as error:
        return Ran(status=NOT_FOUND, output="", errors=str(error))
    return Ran(status=0, output=content.decode("utf-8", errors="replace"))
