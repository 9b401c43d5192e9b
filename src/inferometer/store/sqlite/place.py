"""Where a results database can be; what is wrong with a path is said before SQLite says it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from inferometer.core.errors import StoreError
from inferometer.core.filenames import FileProblemError, expanded, reason_of
from inferometer.core.shown import shown

MOST_OTHERS = 3
"""Databases that a message names in place of one that is not there."""


def place_of(path: Path, *, create: bool) -> Path:
    """The file that a path leads to.

    Raises:
        StoreError: it cannot be a results database, by its name or place.
    """
    try:
        file = Path(os.path.realpath(expanded(path)))
        _check_place(path, file, create=create)
    except FileProblemError as error:
        raise StoreError(str(error)) from error
    except (OSError, ValueError) as error:
        raise StoreError(f"{shown(path)}: it cannot be reached: {reason_of(error)}") from error
    return file


def _check_place(path: Path, file: Path, *, create: bool) -> None:
    name = shown(path)
    try:
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not create:
            raise StoreError(
                f"{name}: no such results database{_others(file)}; measure first, such as with "
                "`inferometer run taste` (half a minute), or say where it is with --store"
            ) from None
        folder = shown(path.parent)
        if not file.parent.is_dir():
            raise StoreError(f"{name}: there is no folder {folder}; create it") from None
        if not os.access(file.parent, os.W_OK):
            raise StoreError(
                f"{name}: the folder {folder} may not be written to; name another with --store"
            ) from None
        return
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        raise StoreError(f"{name}: {kind}; a results database is a file")
    if not os.access(file, os.R_OK):
        raise StoreError(f"{name}: you may not read it")


def is_writable(file: Path) -> bool:
    """Whether the file may be written: SQLite needs its folder too, for its log."""
    return os.access(file.parent, os.W_OK) and (not file.exists() or os.access(file, os.W_OK))


def _others(file: Path) -> str:
    """The databases that its folder holds instead; empty where it holds none."""
    try:
        names = sorted(one.name for one in file.parent.glob("*.db"))[:MOST_OTHERS]
    except OSError:
        return ""
    return f" (the folder has {', '.join(map(shown, names))})" if names else ""
