"""Reading small kernel files under a root, which is `/` or a recorded device tree."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

from inferometer.core.filenames import NO_WAIT

LIVE = Path("/")
"""The machine itself."""

_MOST_BYTES = 4 * 1024 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MOST_CPUS = 8192


def is_live(root: Path) -> bool:
    """Whether a root is the machine itself, so that its system calls may be asked too."""
    return root == LIVE


def read_text(root: Path, path: str) -> str | None:
    """Text of a file under the root, without control characters and white space at its ends.

    None where there is none, it cannot be read, it is empty, or it is a link that leads out of a
    recorded tree: nothing of the live machine may pass for a part of the recorded one.
    """
    file = root / path.lstrip("/")
    try:
        if not is_live(root) and not file.resolve().is_relative_to(root.resolve()):
            return None
        content = read_bytes(file)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return None
    text = content.decode("utf-8", errors="replace")
    return _CONTROL.sub(" ", text).strip() or None


def read_line(root: Path, path: str) -> str | None:
    """Text of a file as one line."""
    return " ".join((read_text(root, path) or "").split()) or None


def read_bytes(file: Path) -> bytes:
    """Content of a file, at most a few MiB of it.

    Raises:
        OSError: it cannot be read, or is none: a pipe in a recorded tree would be waited for.
    """
    descriptor = os.open(file, os.O_RDONLY | NO_WAIT)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no ordinary file", str(file))
        return stream.read(_MOST_BYTES)


def read_int(root: Path, path: str) -> int | None:
    """The whole number that a file holds; None where it holds none."""
    return to_int(read_text(root, path))


def to_int(text: str | None) -> int | None:
    """A whole number in at most 20 decimal digits, as a 64-bit counter has; else None."""
    return int(text) if text and re.fullmatch("-?[0-9]{1,20}", text) else None


def parse_list(text: str | None) -> list[int]:
    """The numbers of a kernel list such as `0-3,8`; none where it is not one."""
    numbers: list[int] = []
    for part in (text or "").split(","):
        low, _, high = part.strip().partition("-")
        first, last = to_int(low), to_int(high or low)
        if first is None or last is None or not 0 <= first <= last <= first + _MOST_CPUS:
            return []
        numbers += range(first, last + 1)
    return numbers


def fields(text: str | None) -> dict[str, str]:
    """The `name: value` lines of a kernel file; of a name that comes again, the first."""
    found: dict[str, str] = {}
    for line in (text or "").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found
