"""Folders of files that took time to make, kept by the digest of all that they depend on.

Two processes that want the same one make it once: the second waits, and finds it. A folder is
there whole or not at all; one whose files were changed or damaged is thrown away and made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "made.json"
"""Lists the files of a folder with their sizes and digests, and what else its maker said."""

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A folder that was made.

    Attributes:
        path: where it is.
        said: what its maker said of it, plain JSON.
        size_bytes: of its files together.
        made: whether it was made just now, and not found.
    """

    path: Path
    said: dict[str, Any]
    size_bytes: int
    made: bool


class ArtifactCache:
    """The folders.

    Args:
        folder: holds them all; made when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def obtain(self, key: str, make: Callable[[Path], dict[str, Any]]) -> Kept:
        """The folder of a key; made where there is none, or where it is damaged.

        Args:
            key: digest of everything that the content depends on; a file name.
            make: fills an empty folder, and says what is to be remembered of it. What it raises
                goes through, and nothing is kept.

        Raises:
            OSError: the cache cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked(key):
            found = self._found(key)
            return self._make(key, make) if found is None else found

    def entries(self) -> list[Kept]:
        """All folders, that which was used longest ago first; their files are not looked into."""
        found: list[tuple[float, Kept]] = []
        for manifest in self.folder.glob(f"*/{MANIFEST}"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                content = json.loads(manifest.read_text())
                size_bytes = sum(int(one["bytes"]) for one in content["files"].values())
                kept = Kept(
                    path=manifest.parent, said=content["said"], size_bytes=size_bytes, made=False
                )
                found.append((manifest.stat().st_mtime, kept))
        return [kept for _, kept in sorted(found, key=lambda one: one[0])]

    def shrink(self, limit_bytes: int) -> list[Kept]:
        """Remove folders until the others fit; those that were used longest ago go first.

        One that is being made or looked at now stays. So does what no manifest tells of, unless
        nothing made it for an hour: it was left by a process that was killed.
        """
        removed, entries = [], self.entries()
        held = sum(one.size_bytes for one in entries)
        for one in entries:
            if held <= limit_bytes:
                break
            with self._locked(one.path.name, wait=False) as mine:
                if mine:
                    shutil.rmtree(one.path, ignore_errors=True)
                    removed.append(one)
                    held -= one.size_bytes
        self._sweep()
        return removed

    def _sweep(self) -> None:
        for path in self.folder.glob(".making-*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > 3600:  # noqa: PLR2004 - an hour
                    shutil.rmtree(path, ignore_errors=True)

    def _found(self, key: str) -> Kept | None:
        """A folder that is whole; a damaged one is removed."""
        path = self.folder / key
        kept = read_kept(path)
        if kept is None:
            shutil.rmtree(path, ignore_errors=True)
        return kept

    def _make(self, key: str, make: Callable[[Path], dict[str, Any]]) -> Kept:
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=self.folder))
        try:
            said = make(making)
            names = [str(path.relative_to(making)) for path in making.rglob("*") if path.is_file()]
            files = {name: _described(making / name) for name in sorted(names)}
            (making / MANIFEST).write_text(json.dumps({"files": files, "said": said}))
            making.rename(self.folder / key)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        size_bytes = sum(int(one["bytes"]) for one in files.values())
        return Kept(path=self.folder / key, said=said, size_bytes=size_bytes, made=True)

    @contextmanager
    def _locked(self, key: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold the lock of a key, which ends with the process; False where another holds it."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / key).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True


def read_kept(path: Path) -> Kept | None:
    """A folder of a cache, if all of its files are as they were made; it counts as used now."""
    try:
        content = json.loads((path / MANIFEST).read_text())
        files = content["files"]
        if any(_described(path / name) != one for name, one in files.items()):
            return None
        size_bytes = sum(one["bytes"] for one in files.values())
        kept = Kept(path=path, said=dict(content["said"]), size_bytes=size_bytes, made=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    with suppress(OSError):
        os.utime(path / MANIFEST)
    return kept


def _described(path: Path) -> dict[str, Any]:
    """Size and digest of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}
