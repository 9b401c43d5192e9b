"""The lease of a board: a lock that one measuring process holds, and that dies with it.

The lock is `flock` on one file for the whole board, whoever logs in. The file says who holds it;
what it says counts only while the lock is held.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import json
import os
import platform
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inferometer.core.errors import FleetError
from inferometer.core.filenames import reason_of
from inferometer.core.shown import shown

VARIABLE = "INFEROMETER_LEASE"
FILE_NAME = "inferometer.lease"
FOR_ALL = stat.S_ISVTX | stat.S_IWOTH
WAIT_S = 1.0
"""Who looks whether the lease is held has it for a moment; so long is that waited for."""

MOST_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds the lease of a board.

    Attributes:
        user: login name of the person at the coordinator.
        host: name of the coordinator's machine.
        job: id of the job that is measured.
        since: Unix time by the board's clock, seconds; 0 where it is not known.
    """

    user: str
    host: str
    job: str = ""
    since: float = 0.0


class LeaseHeldError(FleetError):
    """Somebody else measures on a board.

    Attributes:
        holder: who.
    """

    def __init__(self, message: str, *, holder: Holder) -> None:
        super().__init__(message)
        self.holder = holder


def this_person() -> Holder:
    """Who measures from here."""
    user = "somebody"
    with suppress(KeyError, OSError, ImportError):  # a user without a name
        user = getpass.getuser()
    return Holder(user=user, host=platform.node() or "this machine")


def holder_to_json(holder: Holder) -> dict[str, Any]:
    """A holder as it is sent, and as the file of a lease has it."""
    return {
        "user": holder.user,
        "host": holder.host,
        "job": holder.job,
        "since": holder.since,
    }


def holder_from_json(data: Mapping[str, Any]) -> Holder:
    """A holder, whatever an object says of one."""
    since = data.get("since")
    return Holder(
        user=str(data.get("user") or "somebody"),
        host=str(data.get("host") or "an unknown machine"),
        job=str(data.get("job") or ""),
        since=float(since) if isinstance(since, int | float) else 0.0,
    )


def lease_path() -> Path:
    """The file of this board's lease."""
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said)
    folder = Path("/run/lock")
    with suppress(OSError):
        if folder.stat().st_mode & FOR_ALL == FOR_ALL:
            return folder / FILE_NAME
    return Path("/tmp") / FILE_NAME  # noqa: S108 - one file for all users; it is opened with care


def take(holder: Holder, path: Path | None = None, *, wait_s: float = WAIT_S) -> int:
    """Take the lease; it ends when the descriptor is closed, in every process that has it.

    Returns:
        The descriptor, which other programs do not inherit.

    Raises:
        LeaseHeldError: somebody else has it.
        FleetError: the file cannot be used.
    """
    file = path or lease_path()
    descriptor = _open(file)
    try:
        _lock(descriptor, wait_s)
        line = json.dumps(holder_to_json(replace(holder, since=time.time()))).encode() + b"\n"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, line, 0)
    except OSError as error:
        os.close(descriptor)
        raise _unusable(file, error) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def holding(holder: Holder, path: Path | None = None) -> Iterator[None]:
    """Hold the lease of this machine while something is measured here.

    Raises:
        LeaseHeldError: somebody else has it.
        FleetError: the file cannot be used.
    """
    descriptor = take(holder, path)
    try:
        yield
    finally:
        os.close(descriptor)


def holder_now(path: Path | None = None) -> Holder | None:
    """Who holds the lease; None where nobody does."""
    file = path or lease_path()
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return None if _locked(descriptor, fcntl.LOCK_SH) else _said(descriptor)
    finally:
        os.close(descriptor)


def held_words(holder: Holder) -> str:
    """The sentence about a lease that somebody else holds."""
    return f"{who_measures(holder)}; wait for it, or ask them"


def who_measures(holder: Holder) -> str:
    """Who measures here, since when."""
    since = ""
    with suppress(ValueError, OverflowError, OSError):
        if holder.since:
            since = time.strftime(" since %Y-%m-%d %H:%M", time.localtime(holder.since))
    job = f" (job {shown(holder.job, 20)})" if holder.job else ""
    who = f"{shown(holder.user, 40)} from {shown(holder.host, 60)}"
    return f"{who} measures here{since}{job}"


def _open(file: Path) -> int:
    """Open the file, which all users of the board share; a link is not followed.

    Raises:
        FleetError: it cannot be used.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = _open_or_create(file, flags)
    except OSError as error:
        raise _unusable(file, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FleetError(f"{shown(file)}: not an ordinary file; the lease of the board is one")
    return descriptor


def _open_or_create(file: Path, flags: int) -> int:
    while True:
        with suppress(FileNotFoundError):
            return os.open(file, flags)
        with suppress(FileExistsError):  # another process was quicker
            descriptor = os.open(file, flags | os.O_CREAT | os.O_EXCL, 0o666)
            os.fchmod(descriptor, 0o666)  # whatever the mask says: the next one is another user
            return descriptor


def _lock(descriptor: int, wait_s: float) -> None:
    """Take the lock.

    Raises:
        LeaseHeldError: it is held for longer than that.
    """
    end = time.monotonic() + wait_s
    while not _locked(descriptor, fcntl.LOCK_EX):
        if time.monotonic() >= end:
            other = _said(descriptor)
            raise LeaseHeldError(held_words(other), holder=other)
        time.sleep(0.02)


def _locked(descriptor: int, kind: int) -> bool:
    """Whether the lock was free, and is taken now."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True


def _said(descriptor: int) -> Holder:
    """Who the file says holds the lease."""
    data: object = None
    with suppress(OSError, ValueError, RecursionError):
        data = json.loads(os.pread(descriptor, MOST_BYTES, 0))
    return holder_from_json(data if isinstance(data, dict) else {})


def _unusable(file: Path, error: OSError) -> FleetError:
    return FleetError(
        f"{shown(file)}: the lease of this board cannot be used: {reason_of(error)}; "
        f"{VARIABLE} may name another file, the same for everyone who measures here"
    )
