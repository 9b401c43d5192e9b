"""How much memory there is, how much of it can be had, and whom its lack killed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from inferometer.host.cgroup import memory_groups
from inferometer.host.files import LIVE, fields, is_live, read_text, to_int


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The memory of a device; None where it is not observable.

    Attributes:
        total_bytes: of the machine.
        available_bytes: what the machine can give to this process without swapping.
        limit_bytes: the limit of a control group, where there is one below the total.
        swap_total_bytes: swap space.
        swap_used_bytes: of it, in use.
    """

    total_bytes: int | None
    available_bytes: int | None
    limit_bytes: int | None
    swap_total_bytes: int | None
    swap_used_bytes: int | None


def memory(root: Path = LIVE) -> Memory:
    """What is known about a device's memory now."""
    info = _meminfo(root)
    if not info and is_live(root):
        return _from_psutil()
    total, swap = info.get("MemTotal"), info.get("SwapTotal")
    available = info.get("MemAvailable")
    if available is None and "MemFree" in info:
        # Kernels before 3.14 do not say MemAvailable.
        available = sum(info.get(name, 0) for name in ("MemFree", "Buffers", "Cached"))
    groups = memory_groups(root)
    limit = min((group.limit_bytes for group in groups), default=None)
    if available is not None:
        room = [max(0, group.limit_bytes - group.used_bytes) for group in groups]
        available = min([available, *room])
    return Memory(
        total_bytes=total,
        available_bytes=available,
        limit_bytes=limit if total is None or (limit or total) < total else None,
        swap_total_bytes=swap,
        swap_used_bytes=None if swap is None else max(0, swap - info.get("SwapFree", swap)),
    )


def available_bytes(root: Path = LIVE) -> int:
    """Bytes that the machine can give to this process without swapping.

    The least of what the kernel calls available and what every control group around this process
    leaves to it.

    Raises:
        OSError: it is not observable: a recorded tree without a readable `proc/meminfo`.
    """
    return _observed(memory(root).available_bytes, root)


def total_bytes(root: Path = LIVE) -> int:
    """Bytes of the machine's memory.

    Raises:
        OSError: it is not observable: a recorded tree without a readable `proc/meminfo`.
    """
    return _observed(memory(root).total_bytes, root)


def oom_kills(root: Path = LIVE) -> int | None:
    """Processes killed so far by the out-of-memory killer (`oom_kill` of /proc/vmstat).

    Returns:
        The count, or None where it cannot be observed.
    """
    found = re.search(r"^oom_kill (\S+)$", read_text(root, "proc/vmstat") or "", re.MULTILINE)
    return to_int(found.group(1)) if found else None


def _observed(value: int | None, root: Path) -> int:
    if value is None:
        raise OSError(f"memory is not observable: {root / 'proc/meminfo'} says nothing of it")
    return value


def _meminfo(root: Path) -> dict[str, int]:
    """Bytes by the names of `proc/meminfo`."""
    lines = fields(read_text(root, "proc/meminfo"))
    kibibytes = {name: to_int(value.removesuffix("kB").strip()) for name, value in lines.items()}
    return {name: value * 1024 for name, value in kibibytes.items() if value is not None}


def _from_psutil() -> Memory:
    import psutil

    now, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Memory(
        total_bytes=now.total,
        available_bytes=now.available,
        limit_bytes=None,
        swap_total_bytes=swap.total,
        swap_used_bytes=swap.used,
    )
