"""What a full board says of itself."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from inferometer.fleet.types import PROTOCOL
from inferometer.host.lease import holder_now, holder_to_json


def facts(folder: Path) -> dict[str, Any]:
    """The answer to `check`. Imports no runtime.

    Args:
        folder: of the spool, which need not be there.
    """
    from inferometer.host.identity import identify
    from inferometer.host.software import versions

    holder, software = holder_now(), versions()
    room, writable = _room(folder)
    return {
        "protocol": PROTOCOL,
        "kind": "full",
        "version": software.get("inferometer", "unknown"),
        "python": software["python"],
        "device": identify(),
        "software": software,
        "backends": _backends(),
        "power": _power(),
        "time": time.time(),
        "free_bytes": room,
        "writable": writable,
        "holder": None if holder is None else holder_to_json(holder),
    }


def _room(folder: Path) -> tuple[int, bool]:
    """Bytes that are free where the spool is or will be, and whether it may be written."""
    place = next(part for part in (folder, *folder.parents) if part.is_dir())
    free = 0
    with suppress(OSError):
        free = shutil.disk_usage(place).free
    return free, os.access(place, os.W_OK)


def _backends() -> list[str]:
    from inferometer.backends import BACKENDS

    return [name for name, one in BACKENDS.plugins().items() if not one.problem and not one.missing]


def _power() -> list[str]:
    from inferometer.meters.energy.selection.survey import close, survey
    from inferometer.meters.energy.surroundings import Surroundings

    found = survey(Surroundings())
    close(found.sources)
    return [source.info.name for source in found.sources]
