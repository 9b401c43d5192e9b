"""Which backends run under a Python of their own, and what is installed there.

A file for each says so. It is written when everything is in place, and is the only sign of it: what
an interrupted installation left is no environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

from inferometer.core.filenames import write_whole
from inferometer.core.registry import Environment, Plugin
from inferometer.host.cachefolder import cache_folder

FOREIGN = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")
"""Environment variables that lead one Python to the packages of another."""


def environments_folder() -> Path:
    """Where private environments are, and what says which Python a backend has."""
    return cache_folder() / "environments"


def environment_file(name: str) -> Path:
    """The file that says which Python a backend has."""
    return environments_folder() / f"{name}.json"


def kept(name: str) -> Environment | None:
    """What is kept of the environment of a backend; None where there is none that works."""
    try:
        said = json.loads(environment_file(name).read_bytes())
        found = Environment(
            python=str(said["python"]),
            version=str(said["version"]),
            path=tuple(map(str, said["path"])),
            lock=str(said["lock"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if os.access(found.python, os.X_OK) else None


def keep(name: str, environment: Environment) -> None:
    """Let a backend run there from now on."""
    content = json.dumps(asdict(environment), indent=2)
    write_whole(content.encode(), environment_file(name))


def forget(name: str) -> None:
    """Let a backend run in our own environment again."""
    with suppress(FileNotFoundError):
        environment_file(name).unlink()


def elsewhere(name: str) -> Environment | None:
    """The environment of a backend; None where it has none, or this process runs in it."""
    found = kept(name)
    return None if found is None or found.python == sys.executable else found


def lock_digest(plugin: Plugin) -> str:
    """Digest of the lock file that there is now for an environment."""
    return hashlib.sha256((files("inferometer") / plugin.lock).read_bytes()).hexdigest()


def is_stale(plugin: Plugin, environment: Environment) -> bool:
    """Whether an environment was made from another lock file; never one of the user's own."""
    return bool(environment.lock) and environment.lock != lock_digest(plugin)


def variables(ours: Mapping[str, str]) -> dict[str, str]:
    """Environment variables of a process under another Python than ours."""
    return {name: value for name, value in ours.items() if name not in FOREIGN}
