"""`inferometer doctor --dump`: writes what was looked at to a folder that a test can replay.

Copies the files on fixed lists and no others (`host.reads`, `READS` of each power source), each of
them sanitised (`host.sanitise`). What a library or a system call tells, as for a GPU, is no file
and is not in it.
"""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from inferometer.core.errors import InputError, MeterError
from inferometer.core.filenames import expanded, why_not_made
from inferometer.core.shown import shown
from inferometer.host.cgroup import groups
from inferometer.host.reads import GROUP_READS, READS
from inferometer.host.sanitise import Sanitiser, private_names
from inferometer.meters.energy.selection import kinds
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.commands import FOLDER
from inferometer.meters.energy.surroundings import Surroundings

_ENVIRONMENT = ("USER", "LOGNAME", "SUDO_USER")
_GROUPS = "sys/fs/cgroup"
_ARCHITECTURE = "proc/sys/kernel/arch"


def dump(surroundings: Surroundings, target: Path) -> str:
    """Write the folder, whole or not at all; gives a sentence about it.

    Args:
        surroundings: what is looked at.
        target: a folder that does not exist, or is empty.

    Raises:
        InputError: there is something in it, it cannot be written, or there is nothing to record.
    """
    try:
        target = Path(os.path.realpath(expanded(target)))
        _check(surroundings.root, target)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Built beside its place and then renamed, so that half a dump is never taken for a whole.
        with TemporaryDirectory(dir=target.parent, prefix=".inferometer-") as folder:
            tree = _Tree(surroundings, Path(folder) / "tree")
            tree.fill()
            (Path(folder) / "tree").replace(target)
    except OSError as error:
        raise InputError(f"{shown(target)} cannot be written ({why_not_made(error)})") from error
    return (
        f"Wrote {tree.count} files to {shown(target)}. Look through them before you send them; "
        f"`inferometer doctor --root {shown(target)}` shows what they say."
    )


def _check(root: Path, target: Path) -> None:
    if os.path.lexists(target) and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{shown(target)} is there and not an empty folder: choose a new one")
    if not any((root / name).is_dir() for name in ("proc", "sys")):
        raise InputError("this system has neither /proc nor /sys, so there is nothing to record")


class _Tree:
    """The folder that is being written."""

    def __init__(self, surroundings: Surroundings, target: Path) -> None:
        self._surroundings = surroundings
        self._target = target
        self._refused: list[str] = []
        others = [os.environ.get(name, "") for name in _ENVIRONMENT] if surroundings.live else []
        others += [socket.gethostname()] if surroundings.live else []
        self._sanitiser = Sanitiser(private_names(surroundings.root, others))
        self.count = 0

    def fill(self) -> None:
        """Copy everything."""
        self._target.mkdir()
        for folder in ("proc", "sys"):
            (self._target / folder).mkdir()
        for pattern in dict.fromkeys(_patterns()):
            for path in _matching(self._surroundings, pattern):
                self._copy(path)
        self._copy_groups()
        for kind in kinds.searched():
            for name, text in _recorded(kind, self._surroundings).items():
                self._write(f"{FOLDER}/{name}", self._sanitiser.line(text))
        if self._surroundings.live and not (self._target / _ARCHITECTURE).exists():
            self._write(_ARCHITECTURE, f"{platform.machine()}\n")
        if self._refused:
            self._write(sensorfile.UNREADABLE, "".join(f"{line}\n" for line in self._refused))

    def _copy(self, path: str, to: str | None = None) -> None:
        """Copy one file, or remember how it refused to be read."""
        source = self._surroundings.root / path
        name = "/".join(self._sanitiser.name(part) for part in (to or path).split("/"))
        if source.is_symlink() and not source.is_file():
            self._link(name, source)
            return
        try:
            content = sensorfile.read(self._surroundings, path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return
        except OSError as error:
            bits = sensorfile.mode(self._surroundings, path) or "----"
            self._refused.append(f"{bits} {sensorfile.error_name(error)} {name}")
            self._write(name, "")
            return
        self._write(name, self._sanitiser.content(path, content.decode(errors="replace")))

    def _link(self, name: str, source: Path) -> None:
        """Of a link to a device only the device's name is kept: where it leads is not copied."""
        file = self._target / name
        if not file.is_symlink():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.symlink_to(self._sanitiser.name(source.readlink().name))
            self.count += 1

    def _copy_groups(self) -> None:
        """Control groups under names of their own: theirs name users, programs and containers."""
        names: dict[str, str] = {}
        lines = []
        for number, controllers, group in groups(self._surroundings.root):
            parts = group.parts
            hidden = [_hidden(part, names) for part in parts]
            lines.append(f"{number}:{controllers}:/{'/'.join(hidden)}\n")
            for mount in dict.fromkeys([controllers, *controllers.split(",")]):
                for depth in range(0 if ".." in parts else len(parts), -1, -1):
                    old = PurePosixPath(_GROUPS, mount, *parts[:depth])
                    new = PurePosixPath(_GROUPS, mount, *hidden[:depth])
                    for name in GROUP_READS:
                        self._copy(str(old / name), str(new / name))
        self._write("proc/self/cgroup", "".join(lines))

    def _write(self, path: str, text: str) -> None:
        file = self._target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        self.count += not file.exists()
        file.write_bytes(text.encode())


def _hidden(part: str, names: dict[str, str]) -> str:
    return part if part == ".." else names.setdefault(part, f"group{len(names) + 1}")


def _patterns() -> Iterator[str]:
    yield from READS
    for kind in kinds.searched():
        offered = _offered(kind)
        yield from offered.READS if isinstance(offered, kinds.SupportsDump) else ()


def _matching(surroundings: Surroundings, pattern: str) -> list[str]:
    """Paths that match; a link that leads nowhere counts, which `glob` may leave out."""
    above, _, last = pattern.rpartition("/")
    if any(sign in last for sign in "*["):
        return sensorfile.folders(surroundings, pattern)
    wild = any(sign in above for sign in "*[")
    folders = sensorfile.folders(surroundings, above) if wild else [above]
    paths = [f"{folder}/{last}".lstrip("/") for folder in folders]
    return [path for path in paths if os.path.lexists(surroundings.root / path)]


def _recorded(kind: str, surroundings: Surroundings) -> dict[str, str]:
    """What the commands of a kind printed, by file name."""
    offered = _offered(kind)
    return dict(offered.record(surroundings)) if isinstance(offered, kinds.SupportsRecord) else {}


def _offered(kind: str) -> object:
    """The file of a kind; None for one that cannot be used: nothing was looked at."""
    try:
        return kinds.module(kind)
    except MeterError:
        return None
