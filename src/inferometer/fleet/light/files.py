"""Small files of the kernel under a root, which is `/` or a recorded tree."""

import glob
import os
import re
from typing import Dict, List, Optional

_MOST_BYTES = 4 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MOST_CPUS = 8192


def read_text(root: str, path: str) -> Optional[str]:
    """Text of a file without control characters and white space at its ends; None without any."""
    try:
        with open(os.path.join(root, path), "rb") as stream:
            content = stream.read(_MOST_BYTES)
    except OSError:
        return None
    return _CONTROL.sub(" ", content.decode("utf-8", "replace")).strip() or None


def read_line(root: str, path: str) -> Optional[str]:
    """Text of a file as one line."""
    return " ".join((read_text(root, path) or "").split()) or None


def read_int(root: str, path: str) -> Optional[int]:
    """The whole number that a file holds; None where it holds none."""
    return to_int(read_text(root, path))


def to_int(text: Optional[str]) -> Optional[int]:
    """A whole number as a 64-bit counter has; else None."""
    return int(text) if text and re.match("-?[0-9]{1,20}$", text) else None


def parse_list(text: Optional[str]) -> List[int]:
    """The numbers of a kernel list such as `0-3,8`; none where it is not one."""
    numbers: List[int] = []
    for part in (text or "").split(","):
        low, _, high = part.strip().partition("-")
        first, last = to_int(low), to_int(high or low)
        if first is None or last is None or not 0 <= first <= last <= first + _MOST_CPUS:
            return []
        numbers += range(first, last + 1)
    return numbers


def fields(text: Optional[str]) -> Dict[str, str]:
    """The `name: value` lines of a kernel file; of a name that comes again, the first."""
    found: Dict[str, str] = {}
    for line in (text or "").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found


def cpuinfo_blocks(root: str) -> List[Dict[str, str]]:
    """The blocks of `proc/cpuinfo`, one for each CPU, and on ARM boards one for the board."""
    blocks = (read_text(root, "proc/cpuinfo") or "").split("\n\n")
    return [block for block in map(fields, blocks) if block]


def matching(root: str, pattern: str) -> List[str]:
    """Paths under the root that match, in the order of their names; 2 comes before 10."""
    found = glob.glob(os.path.join(root, pattern))
    return sorted((os.path.relpath(path, root) for path in found), key=_natural)


def _natural(path: str) -> List[object]:
    return [part.zfill(9) for part in re.split("([0-9]+)", path)]


class KeptFile:
    """One file that exists, kept open: opening it takes ten times as long as reading it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def text(self) -> str:
        """The file's text now; nothing where it can no longer be read."""
        try:
            content = os.pread(self._descriptor, 1 << 16, 0)
        except OSError:
            return ""
        return content.decode("utf-8", "replace").strip()

    def number(self) -> Optional[int]:
        """The whole number that it holds; None where it holds none."""
        return to_int(self.text())


def keep(root: str, path: str) -> Optional[KeptFile]:
    """Open a file; None where nothing can be read from it."""
    if read_text(root, path) is None:
        return None
    try:
        return KeptFile(os.open(os.path.join(root, path), os.O_RDONLY))
    except OSError:
        return None


def keep_matching(root: str, pattern: str) -> List[KeptFile]:
    """Open all files that match."""
    kept = [keep(root, path) for path in matching(root, pattern)]
    return [file for file in kept if file is not None]


def numbers(files: List[KeptFile]) -> List[int]:
    """The numbers that files hold; a file without one is left out."""
    found = [file.number() for file in files]
    return [value for value in found if value is not None]
