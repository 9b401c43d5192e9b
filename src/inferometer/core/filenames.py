"""Files that the user names: what may be read or written, and what is wrong with the others."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from itertools import islice
from pathlib import Path

from inferometer.core.errors import InputError
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown
from inferometer.core.units import byte_count

MIB = 1 << 20
MOST_NEAR = 1000
"""Files of a folder among which one of nearly the name is looked for."""
NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags that open a file as its bytes, and wait for nobody."""


class FileProblemError(InputError):
    """A file cannot be used.

    Attributes:
        reason: what is wrong, without the name: `there is no such file`.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{shown(path)}: {reason}")
        self.reason = reason


def expanded(name: str | Path) -> Path:
    """A path with `~` and `~user` filled in.

    Raises:
        FileProblemError: there is no such user, or it cannot be a path.
    """
    try:
        os.fsencode(name)
        return Path(name).expanduser()
    except RuntimeError as error:
        user = str(name).partition("/")[0]
        raise FileProblemError(name, f"there is no home folder for {shown(user)}") from error
    except ValueError as error:
        raise FileProblemError(name, f"it cannot be the name of a file: {error}") from error


def check_file(path: Path | str, *, at_most: int | None = None) -> os.stat_result:
    """What the system says of an ordinary file, of which nothing is read.

    Args:
        path: the file; links are followed.
        at_most: its bytes at the most.

    Raises:
        FileProblemError: it is not there, no ordinary file, or larger.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path may not be made of any text
    except FileNotFoundError as error:
        raise FileProblemError(path, reason_of(error) + near(path)) from error
    except (OSError, ValueError) as error:
        raise FileProblemError(path, reason_of(error)) from error
    _check(path, found, at_most)
    if not found.st_size:
        with suppress(FileNotFoundError, PermissionError):  # whoever opens it will say so
            descriptor = os.open(path, os.O_RDONLY | NO_WAIT)
            try:
                _check_empty(path, descriptor)
            finally:
                os.close(descriptor)
    return found


def read_file(path: Path | str, *, at_most: int) -> bytes:
    """Content of an ordinary file of bounded size; nothing else is waited for or read.

    Raises:
        FileProblemError: it is not there, no ordinary file, larger, or cannot be read.
    """
    try:
        # Without it, a pipe that nobody writes to would be waited for before it can be looked at.
        descriptor = os.open(path, os.O_RDONLY | NO_WAIT)
    except FileNotFoundError as error:
        raise FileProblemError(path, reason_of(error) + near(path)) from error
    except (OSError, ValueError) as error:
        raise FileProblemError(path, reason_of(error)) from error
    try:
        found = os.fstat(descriptor)
        _check(path, found, at_most)
        if not found.st_size:
            _check_empty(path, descriptor)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(found.st_size + 1)  # as many bytes are made room for
            if len(content) > found.st_size:  # it has grown since
                content += stream.read(at_most + 1 - len(content))
    except OSError as error:
        raise FileProblemError(path, reason_of(error)) from error
    finally:
        os.close(descriptor)
    if len(content) > at_most:
        raise FileProblemError(path, _too_large(at_most))
    return content


def near(path: Path | str) -> str:
    """A suggestion to put after a name that is not there; empty where its folder has none alike."""
    folder, name = os.path.split(os.fspath(path))
    try:
        with os.scandir(folder or os.curdir) as entries:
            names = [entry.name for entry in islice(entries, MOST_NEAR)]
    except (OSError, ValueError):
        return ""
    return did_you_mean(name, [one for one in names if not one.startswith(".")])


def write_whole(content: bytes, path: Path | str) -> None:
    """Write a file whole or not at all; through a link, into the file that it leads to.

    Raises:
        FileProblemError: it cannot be written. What stood there before is there still.
    """
    temporary: Path | None = None
    try:
        # Replacing a link or a device would put a file in its place.
        file = Path(os.path.realpath(expanded(path)))
        if not _may_be_replaced(file):
            _write_into(file, content)
            return
        temporary = file.with_name(f".{os.getpid()}.inferometer.tmp")
        temporary.write_bytes(content)
        temporary.replace(file)
    except (OSError, ValueError, RuntimeError) as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise FileProblemError(path, f"it cannot be written: {why_not_made(error)}") from error


def why_not_made(error: BaseException) -> str:
    """Why a file or folder cannot be made, in the middle of a sentence.

    Some folders of the kernel take none, and only trying tells: it says then that there is none.
    """
    if isinstance(error, FileNotFoundError):
        return "its folder does not exist, or takes no files"
    return reason_of(error)


def _may_be_replaced(file: Path) -> bool:
    """Whether an ordinary file, or none, is there.

    Raises:
        OSError: it is one that may not be written, though its folder may.
    """
    try:
        ordinary = stat.S_ISREG(file.stat().st_mode)
    except FileNotFoundError:
        return True
    if ordinary and not os.access(file, os.W_OK):
        raise PermissionError(errno.EACCES, "permission denied")
    return ordinary


def _write_into(file: Path, content: bytes) -> None:
    """Write to a device or a pipe; nobody is waited for who would read it."""
    descriptor = os.open(file, os.O_WRONLY | NO_WAIT)
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def reason_of(error: BaseException) -> str:
    """Why a file cannot be used, in the middle of a sentence."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a file"
    if isinstance(error, OSError) and error.errno == errno.ENXIO:
        return "a pipe that nobody reads, or a socket"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return f"it cannot be the name of a file: {error}"


def _check(path: Path | str, found: os.stat_result, at_most: int | None) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise FileProblemError(path, "a folder, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise FileProblemError(path, "not an ordinary file; copy its content into one")
    if at_most is not None and found.st_size > at_most:
        raise FileProblemError(path, _too_large(at_most))


def _check_empty(path: Path | str, descriptor: int) -> None:
    """Refuse files of the kernel, which look ordinary and empty, and may make their reader wait.

    Some give something now and make whoever reads on wait (`/proc/kmsg`), so that a first look
    tells nothing of the second: what tells no size and is not empty is refused.

    Raises:
        FileProblemError: it is not empty.
    """
    try:
        empty = not os.read(descriptor, 1)
    except OSError:  # it would wait, or refuses to be read
        empty = False
    if not empty:
        raise FileProblemError(
            path, "a file without a size, such as those of the kernel; copy its content into a file"
        )


def _too_large(at_most: int) -> str:
    return f"larger than {byte_count(at_most)}, the most that such a file may be"
