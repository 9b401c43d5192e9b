"""Where this user's caches are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "INFEROMETER_CACHE"


def cache_folder() -> Path:
    """The folder that `INFEROMETER_CACHE` names, or where the system keeps such; absolute."""
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "inferometer"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "inferometer"
