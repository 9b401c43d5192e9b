"""What of a device's files may be passed on: no serial numbers, names of people, or addresses.

A file that holds more than is read of it is cut down to what is read; from the rest, addresses and
the names of the host and its users are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path

from inferometer.host.files import read_text

_MAC = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
_ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f]*[.:][0-9A-Fa-f:.]*[0-9A-Fa-f](?![\w:])")
_SERIAL = re.compile(r"^(Serial\s*:).*$", re.MULTILINE | re.IGNORECASE)
_CONTAINERS = re.compile(r"docker|kubepods|containerd|lxc|libpod")
_LEAST_UID = 1000
_SHORTEST_NAME = 3
_COMMON = frozenset(
    [
        *("localhost", "root", "nobody", "user", "linux", "ubuntu", "debian", "fedora", "arch"),
        *("raspberrypi", "raspberry", "jetson", "nano", "orin", "xavier", "nvidia", "unknown"),
        *("none", "performance", "powersave", "balanced", "battery", "mains"),
    ]
)
"""Words that name nobody."""


def _lines(pattern: str) -> Callable[[str], str]:
    """Keeps the lines that begin with a pattern."""
    wanted = re.compile(pattern)

    def keep(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if wanted.match(line))

    return keep


def _release(text: str) -> str:
    """`proc/version` without who built the kernel, and where."""
    return " ".join(text.split()[:3])


def _container(text: str) -> str:
    """Which kind of container `proc/1/cgroup` shows, without its id."""
    found = _CONTAINERS.search(text)
    return f"0::/{found[0] if found else ''}\n"


CUT: Mapping[str, Callable[[str], str]] = {
    "proc/cpuinfo": lambda text: _SERIAL.sub(r"\1 0", text),
    "proc/version": _release,
    "proc/stat": _lines("cpu"),
    "proc/self/status": _lines("Cpus_allowed_list:"),
    "proc/1/cgroup": _container,
    "run/.containerenv": lambda _: "",
    ".dockerenv": lambda _: "",
    "etc/os-release": _lines("PRETTY_NAME="),
    "usr/lib/os-release": _lines("PRETTY_NAME="),
    "etc/nvpmodel.conf": _lines(r"<\s*POWER_MODEL\b"),
}
"""Files of which only a part is read, or must not be passed on."""
_VERSIONS = ("proc/version", "proc/sys/kernel/osrelease")
"""Versions of four numbers look like addresses."""


class Sanitiser:
    """Replaces what identifies somebody, the same thing by the same word each time.

    Args:
        names: of the host and of people, as `private_names` finds them.
    """

    def __init__(self, names: Iterable[str]) -> None:
        words = "|".join(map(re.escape, sorted(set(names), key=len, reverse=True)))
        self._names = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE)
        self._any = bool(words)
        self._macs: dict[str, str] = {}

    def content(self, path: str, text: str) -> str:
        """What may be passed on of a file."""
        text = CUT.get(path, str)(text)
        if path in _VERSIONS:
            return self._without_names(text)
        return self.line(text)

    def line(self, text: str) -> str:
        """Text without addresses and names."""
        return self._without_names(_ADDRESS.sub(_no_address, _MAC.sub(self._no_mac, text)))

    def name(self, part: str) -> str:
        """A name of a file or folder: Bluetooth devices are named by their address."""
        return self._without_names(_MAC.sub(self._no_mac, part))

    def _without_names(self, text: str) -> str:
        return self._names.sub("NAME", text) if self._any else text

    def _no_mac(self, found: re.Match[str]) -> str:
        known = self._macs.setdefault(found[0].lower(), f"{len(self._macs) + 1:02x}")
        return f"00:00:00:00:00:{known}"


def _no_address(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("00:00:00:00:00:"):
        return text
    try:
        ip_address(text)
    except ValueError:
        return text
    return "0.0.0.0" if "." in text else "::"  # noqa: S104 - nothing is bound


def private_names(root: Path, others: Iterable[str] = ()) -> set[str]:
    """Names of the host and of people under a root, without those that name a product as well.

    Args:
        root: where `etc/` and `proc/` are.
        others: more names, such as those of the environment.
    """
    found = {read_text(root, path) or "" for path in ("proc/sys/kernel/hostname", "etc/hostname")}
    found |= set(others) | _people(read_text(root, "etc/passwd") or "")
    found |= {name.partition(".")[0] for name in found}
    public = _public(root)
    return {name for name in found if len(name) >= _SHORTEST_NAME and name.lower() not in public}


def _people(passwd: str) -> set[str]:
    """Accounts of people, and their names in full."""
    found: set[str] = set()
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) > 4 and fields[2].isdecimal() and int(fields[2]) >= _LEAST_UID:  # noqa: PLR2004 - name, password, uid, gid, full name
            found |= {fields[0], fields[4].partition(",")[0]}
    return found


def _public(root: Path) -> set[str]:
    """Words of the product's and the system's names."""
    places = (
        *("proc/device-tree/model", "proc/device-tree/compatible"),
        *("sys/firmware/devicetree/base/model", "sys/firmware/devicetree/base/compatible"),
        *("sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name"),
    )
    text = " ".join(read_text(root, place) or "" for place in places).lower()
    return {*_COMMON, *re.findall(r"[a-z0-9]+", text)}
