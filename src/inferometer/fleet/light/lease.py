"""The lease of a board: whoever holds a lock on one file measures. As `host.lease` has it."""

import errno
import fcntl
import json
import os
import stat
import time
from typing import Any, Dict, Optional

LEASE_NAME = "inferometer.lease"
LEASE_VARIABLE = "INFEROMETER_LEASE"
LEASE_WAIT_S = 1.0

Holder = Dict[str, Any]


class Held(Exception):
    """Somebody else measures here."""

    def __init__(self, holder: Holder) -> None:
        since = holder.get("since") or 0
        text = f"{holder.get('user') or 'somebody'} from {holder.get('host') or 'somewhere'}"
        text += " measures here"
        if since:
            text += time.strftime(" since %Y-%m-%d %H:%M", time.localtime(since))
        if holder.get("job"):
            text += f" (job {holder['job']})"
        Exception.__init__(self, text + "; wait for it, or ask them")
        self.holder = holder


def lease_file() -> str:
    """The file of this board's lease."""
    said = os.environ.get(LEASE_VARIABLE)
    if said:
        return said
    open_to_all = stat.S_ISVTX | stat.S_IWOTH
    try:
        if os.stat("/run/lock").st_mode & open_to_all == open_to_all:
            return os.path.join("/run/lock", LEASE_NAME)
    except OSError:
        pass
    return os.path.join("/tmp", LEASE_NAME)  # noqa: S108 - one for all; it is opened with care


def take_lease(holder: Holder) -> int:
    """Take the lease, or say who holds it; it ends with the last process that has it open."""
    path = lease_file()
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            os.fchmod(descriptor, 0o666)  # the next one is another user
        except FileExistsError:
            descriptor = os.open(path, flags)
    end = time.monotonic() + LEASE_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES) or time.monotonic() > end:
                other = _said(descriptor)
                os.close(descriptor)
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
                raise Held(other)
            time.sleep(0.02)
    line = json.dumps(dict(holder, since=time.time())).encode() + b"\n"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, line, 0)
    return descriptor


def lease_holder() -> Optional[Holder]:
    """Who holds the lease; None where nobody does."""
    try:
        descriptor = os.open(lease_file(), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _said(descriptor)
    finally:
        os.close(descriptor)
    return None


def _said(descriptor: int) -> Holder:
    try:
        said = json.loads(os.pread(descriptor, 4096, 0).decode("utf-8", "replace"))
    except (OSError, ValueError):
        return {"user": "", "host": "", "job": "", "since": 0}
    found = said if isinstance(said, dict) else {}
    since = found.get("since")
    return {
        "user": str(found.get("user", ""))[:100],
        "host": str(found.get("host", ""))[:100],
        "job": str(found.get("job", ""))[:20],
        "since": since if isinstance(since, (int, float)) else 0,
    }
