"""Kernel files of sensors: found under the root, read again and again, and never taken for 0.

Knows files and the errors of reading them; does not know what the numbers mean.
"""

from __future__ import annotations

import errno
import os
import re
import weakref
from dataclasses import dataclass
from pathlib import Path

from inferometer.core.errors import SourceLostError
from inferometer.core.shown import shown
from inferometer.host.files import read_bytes, read_text, to_int
from inferometer.meters.energy.surroundings import Surroundings

UNREADABLE = "unreadable.txt"
"""In a recorded tree, the files that could not be read: `0400 EACCES sys/…`, one a line."""
_MOST_BYTES = 4096
_PASSING = {errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.ETIMEDOUT}
"""What a shared I2C bus answers now and then: worth asking once more."""
_GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR, errno.ESTALE}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How a file refused to be read when a tree was recorded.

    Attributes:
        mode: its permission bits, such as `0400`.
        number: the error, as in `errno`.
    """

    mode: str
    number: int


def folders(surroundings: Surroundings, pattern: str) -> list[str]:
    """Paths under the root that match, dangling links too; 2 comes before 10."""
    root = surroundings.root
    try:
        found = [str(path.relative_to(root)) for path in root.glob(pattern)]
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return []
    return sorted(found, key=_natural)


def text(surroundings: Surroundings, path: str) -> str | None:
    """What a file says, without white space and NUL at its ends; None where nothing can be read."""
    try:
        return _decoded(read(surroundings, path)) or None
    except OSError:
        return None


def number(surroundings: Surroundings, path: str) -> int | None:
    """The whole number in a file; None where there is none."""
    return to_int(text(surroundings, path))


def read(surroundings: Surroundings, path: str) -> bytes:
    """Content of a file under the root.

    Raises:
        OSError: it cannot be read, or it is a link that leads out of a recorded tree: nothing of
            the live machine may pass for a part of the recorded one.
    """
    file = surroundings.root / path
    if not surroundings.live and not _within(file, surroundings.root):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
    if not surroundings.live and path in (refused := unreadable(surroundings.root)):
        number = refused[path].number
        raise OSError(number, os.strerror(number), str(file))
    return surroundings.read(file)


def unreadable(root: Path) -> dict[str, Refusal]:
    """Files that could not be read when a tree was recorded, by their path."""
    found = {}
    for line in (read_text(root, UNREADABLE) or "").splitlines():
        bits, name, path = [*line.split(" ", 2), "", ""][:3]
        number = getattr(errno, name, None)
        if path and isinstance(number, int):
            found[path] = Refusal(mode=bits, number=number)
    return found


def error_name(error: OSError) -> str:
    """Name of an error, as the list of unreadable files has it."""
    default = "EACCES" if isinstance(error, PermissionError) else "EIO"
    return errno.errorcode.get(error.errno or 0, default)


def exists(surroundings: Surroundings, path: str) -> bool:
    """Whether there is a file, readable or not."""
    try:
        return (surroundings.root / path).exists()
    except OSError:
        return False


def mode(surroundings: Surroundings, path: str) -> str | None:
    """Permission bits of a file such as `0400`; None where they are not observable."""
    if not surroundings.live and path in (refused := unreadable(surroundings.root)):
        return refused[path].mode
    try:
        return f"{(surroundings.root / path).stat().st_mode & 0o7777:04o}"
    except OSError:
        return None


def device_of(surroundings: Surroundings, folder: str) -> str:
    """Name of the device behind a class folder: `1-0040` on I2C, or the folder's own name.

    The number of `hwmon3` changes from boot to boot, the address on the bus does not.
    """
    try:
        linked = (surroundings.root / folder / "device").readlink()
    except OSError:
        return Path(folder).name
    return linked.name or Path(folder).name


class SensorFile:
    """One file that holds one whole number, kept open on the live machine.

    Opening a file takes ten times as long as reading it in place. Where reading is replaced, or
    the tree is a recorded one, the file is read afresh each time.

    Args:
        surroundings: where it is.
        path: relative to the root.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, surroundings: Surroundings, path: str) -> None:
        self.path = path
        self._surroundings = surroundings
        self._descriptor = -1
        if surroundings.live and surroundings.read is read_bytes and hasattr(os, "pread"):
            self._descriptor = os.open(surroundings.root / path, os.O_RDONLY | os.O_CLOEXEC)
        self._closing = weakref.finalize(self, _close, self._descriptor)

    def value(self) -> int:
        """The number that it holds now.

        Raises:
            SourceLostError: it is gone, closed to us, or holds no number.
        """
        try:
            said = self._content()
        except OSError as error:
            raise SourceLostError(_reason(self.path, error)) from error
        value = to_int(_decoded(said))
        if value is None:
            found = shown(repr(_decoded(said)), 40)
            raise SourceLostError(f"/{shown(self.path)} holds {found}, which is not a whole number")
        return value

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self._closing()
        self._descriptor = -1

    def _content(self) -> bytes:
        try:
            return self._once()
        except OSError as error:
            if error.errno not in _PASSING:
                raise
        return self._once()

    def _once(self) -> bytes:
        if self._descriptor >= 0:
            return os.pread(self._descriptor, _MOST_BYTES, 0)
        return read(self._surroundings, self.path)


def _reason(path: str, error: OSError) -> str:
    path = shown(path)
    if isinstance(error, PermissionError):
        return f"/{path} may no longer be read: permission was taken away"
    if error.errno in _GONE:
        return f"/{path} is gone: its driver was unloaded, or the sensor was unplugged"
    return f"/{path} cannot be read: {error.strerror or error}"


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", errors="replace").strip("\0 \t\r\n")


def _within(file: Path, root: Path) -> bool:
    try:
        return file.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return False


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)


def _natural(path: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path)]
