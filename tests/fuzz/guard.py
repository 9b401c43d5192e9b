"""What an input may not do: write outside of its folder, start programs, use the network."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from inferometer.host.lease import lease_path

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HARMLESS = ("/dev/null", "/dev/full", "/dev/tty", "/dev/stdout", "/dev/stderr", "/proc/self/oom_")
FIRST, SECOND, BOTH = slice(1), slice(1, 2), slice(2)
CHANGES = {
    "os.mkdir": FIRST, "os.rename": BOTH, "os.remove": FIRST, "os.rmdir": FIRST, "os.link": BOTH,
    "os.symlink": SECOND, "os.truncate": FIRST, "os.chmod": FIRST, "os.chown": FIRST,
    "shutil.rmtree": FIRST,
}  # fmt: skip
"""Event of the interpreter → which of its arguments are places that change."""
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request")


class Stopped(BaseException):
    """A worker was about to be started."""


class Guard:
    """Listens to the interpreter in a forked child, where it stays until that ends.

    Attributes:
        folder: where writing is allowed.
        seen: what was attempted since `reset`, in sentences.
    """

    def __init__(self) -> None:
        self.folder = Path("/nonexistent")
        self.seen: list[str] = []
        self.active = False

    def install(self) -> None:
        """Begin to listen."""
        sys.addaudithook(self._hear)

    def reset(self, folder: Path) -> None:
        """Forget what was seen; from now on a command runs in that folder."""
        self.folder, self.seen, self.active = folder, [], True

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if not self.active:
            return
        if event == "open":
            path, _, flags = args
            if isinstance(flags, int) and flags & WRITES:
                self._check_place("write", path)
        elif event == "sqlite3.connect":
            self._check_database(str(args[0]))
        elif event in CHANGES:
            for path in args[CHANGES[event]]:
                self._check_place(event, path)
        elif event in PROGRAMS:
            self._check_program(event, args)
        elif event in NETWORK:
            self._refuse(f"tried to use the network: {event}", errno.ENETUNREACH)

    def _check_place(self, what: str, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        file = os.path.realpath(os.fsdecode(path))
        if file.startswith((f"{self.folder}/", *HARMLESS)) or file == str(self.folder):
            return
        if Path(file) == lease_path().resolve():  # which every run takes
            return
        if _changes_nothing(what, file):
            return
        self._refuse(f"{what} outside of its folder: {file!a}", errno.EACCES)

    def _check_database(self, uri: str) -> None:
        name = uri.removeprefix("file:").partition("?")[0]
        if name not in ("", ":memory:") and "mode=ro" not in uri:
            from urllib.parse import unquote_to_bytes

            self._check_place("database", os.fsdecode(unquote_to_bytes(name)))

    def _check_program(self, event: str, args: tuple[object, ...]) -> None:
        line = args[1] if event == "subprocess.Popen" else args
        if isinstance(line, list) and "inferometer.runner.workers.worker" in line:
            self.active = False
            raise Stopped
        if event in ("os.system", "os.exec"):
            self._refuse(f"tried to start a program: {args!a}", errno.EACCES)
        raise FileNotFoundError(errno.ENOENT, "not installed where this is tried")

    def _refuse(self, sentence: str, number: int) -> None:
        self.seen.append(sentence)
        raise OSError(number, os.strerror(number))


def _changes_nothing(what: str, file: str) -> bool:
    """Whether trying does no more than tell that it cannot be done."""
    if what == "os.mkdir" and os.path.isdir(file):  # noqa: PTH112 - any name, at speed
        return True
    return file.startswith("/proc/") and not os.path.lexists(file)  # where nothing can be made


def quietly(guard: Guard, action: Callable[[], None]) -> None:
    """Do something of the harness's own."""
    before, guard.active = guard.active, False
    try:
        action()
    finally:
        guard.active = before
