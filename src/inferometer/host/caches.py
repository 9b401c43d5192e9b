"""What the caches of the last level hold."""

from __future__ import annotations

import re
from pathlib import Path

from inferometer.host.cpus import usable_cpus
from inferometer.host.files import LIVE, read_int, read_line

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
_MOST_CACHES = 16


def last_level_bytes(root: Path = LIVE) -> int | None:
    """Bytes of the last-level caches of all CPUs that this process may use, together.

    Each cache counts once, however many CPUs share it. None where the kernel does not say, as on
    many ARM boards, on macOS and in some containers.
    """
    sizes: dict[str, int] = {}
    for cpu in usable_cpus(root):
        found = [one for one in (_cache(root, cpu, i) for i in range(_MOST_CACHES)) if one]
        if found:
            _, shared, size = max(found)
            sizes[shared] = size
    return sum(sizes.values()) or None


def _cache(root: Path, cpu: int, index: int) -> tuple[int, str, int] | None:
    """Level, sharing CPUs and size of a cache for data; None where there is none."""
    folder = f"sys/devices/system/cpu/cpu{cpu}/cache/index{index}"
    level, size = read_int(root, f"{folder}/level"), _size(read_line(root, f"{folder}/size"))
    if level is None or size is None or read_line(root, f"{folder}/type") == "Instruction":
        return None
    return level, read_line(root, f"{folder}/shared_cpu_list") or str(cpu), size


def _size(text: str | None) -> int | None:
    """Bytes of a size as the kernel writes it: `32768K`."""
    match = re.fullmatch(r"([0-9]{1,12})([KMG]?)", text or "")
    return int(match[1]) * _UNITS[match[2]] or None if match else None
