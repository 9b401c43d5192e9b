"""Kernel files that are read again and again: looked for and opened once, then read in place."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from pathlib import Path

from inferometer.host.files import read_text, to_int

_MOST_BYTES = 64 * 1024


class KeptFile:
    """One file that exists; opening it each time would take ten times as long as reading it.

    Args:
        descriptor: of the open file; closed when this object goes.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)

    def text(self) -> str:
        """The file's text now; nothing where it can no longer be read."""
        try:
            content = os.pread(self._descriptor, _MOST_BYTES, 0)
        except OSError:
            return ""
        return content.decode("utf-8", errors="replace").strip()

    def number(self) -> int | None:
        """The whole number that it holds; None where it holds none."""
        return to_int(self.text())


def keep(root: Path, path: str) -> KeptFile | None:
    """Open a file under the root; None where `read_text` would read nothing from it."""
    if not hasattr(os, "pread") or read_text(root, path) is None:
        return None
    try:
        return KeptFile(os.open(root / path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return None


def keep_matching(root: Path, folder: str, pattern: str) -> list[KeptFile]:
    """Open all files of a folder that match."""
    try:
        paths = sorted(str(path.relative_to(root)) for path in (root / folder).glob(pattern))
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return []
    return [file for path in paths if (file := keep(root, path)) is not None]


def numbers(files: Iterable[KeptFile]) -> list[int]:
    """The numbers that files hold; a file without one is left out."""
    return [value for file in files if (value := file.number()) is not None]
