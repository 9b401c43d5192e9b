"""What is known of files that were looked at: kept, so that each is decoded for it once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.core.errors import InputError
from inferometer.core.filenames import MIB, FileProblemError, read_file, write_whole
from inferometer.host.cachefolder import cache_folder

MOST_BYTES = 1024 * MIB
VERSION = 1
"""Of what is kept, and of how pictures are decoded."""
SAVED_AFTER = 2000
"""New files after which the index is written: what an interruption leaves is used again."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a file.

    Attributes:
        content: digest of its input; empty where it cannot be used.
        label: digest of its label, where that is read from a file too.
        size: height and width.
        values: the numbers in a mask.
        why: why it cannot be used; empty where it can.
    """

    content: str = ""
    label: str = ""
    size: tuple[int, ...] = ()
    values: tuple[int, ...] = ()
    why: str = ""

    def row(self) -> list[Any]:
        """As it is kept."""
        return [self.content, self.label, list(self.size), list(self.values), self.why]

    @classmethod
    def of_row(cls, row: object) -> Look | None:
        """As it was kept; None where that is damaged."""
        match row:
            case [str(content), str(label), [*size], [*values], str(why)]:
                lengths, numbers = _whole(size), _whole(values)
                if bool(content) != bool(why) and None not in (lengths, numbers):
                    return cls(content, label, lengths or (), numbers or (), why)
        return None


def _whole(values: Sequence[object]) -> tuple[int, ...] | None:
    numbers = tuple(one for one in values if type(one) is int)
    return numbers if len(numbers) == len(values) else None


class Index:
    """Looks by key, in a file of the user's caches. Without such a folder nothing is kept.

    Args:
        name: whose looks they are, such as the path of a folder.
        decoder: version of what decodes, which another one may do otherwise.
    """

    def __init__(self, name: str, decoder: str = "") -> None:
        self._version = f"{VERSION} {decoder}"
        self._before: dict[str, object] = {}
        self._now: dict[str, list[Any]] = {}
        self._new = 0
        self._file: Path | None = None
        with suppress(RuntimeError):  # no home folder
            named = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]
            self._file = cache_folder() / "datasets" / f"{named}.json"
            self._before = _read(self._file, self._version)

    def get(self, key: str) -> Look | None:
        """What was seen; None where nothing is known."""
        look = Look.of_row(self._before.get(key))
        if look is not None:
            self._now[key] = look.row()
        return look

    def put(self, key: str, look: Look) -> None:
        """Keep what was seen."""
        self._now[key] = look.row()
        self._new += 1
        if self._new % SAVED_AFTER == 0:
            self._write({**self._before, **self._now})

    def save(self, *, complete: bool) -> None:
        """Write the file where it changed.

        Args:
            complete: whether all files were looked at: what is known of others is dropped.
        """
        kept = self._now if complete else {**self._before, **self._now}
        if self._new or kept.keys() != self._before.keys():
            self._write(kept)

    def _write(self, rows: dict[str, Any]) -> None:
        if self._file is None:
            return
        content = json.dumps({"version": self._version, "rows": rows}, separators=(",", ":"))
        with suppress(OSError, InputError):  # a cache that cannot be written is none
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(content.encode("ascii"), self._file)


def _read(file: Path, version: str) -> dict[str, object]:
    """Rows of a file; none where it is not there, damaged, or of another version."""
    try:
        found = json.loads(read_file(file, at_most=MOST_BYTES))
    except (FileProblemError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("version") != version:
        return {}
    rows = found.get("rows")
    return rows if isinstance(rows, dict) else {}
