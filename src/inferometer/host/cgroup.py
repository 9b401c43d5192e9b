"""The control groups that this process is in, with every group around them, v1 and v2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from inferometer.host.files import fields, read_int, read_text, to_int

_NO_LIMIT = 2**60
"""Version 1 writes the largest number of pages where there is no limit."""

_MOST_LINES = 64
_DEEPEST = 64
"""Hierarchies, and groups within groups: no kernel has as many."""


@dataclass(frozen=True, kw_only=True)
class MemoryGroup:
    """A control group that limits memory.

    Attributes:
        limit_bytes: most that the group may use.
        used_bytes: what it uses, less the page cache that the kernel gives back first.
    """

    limit_bytes: int
    used_bytes: int


def memory_groups(root: Path) -> list[MemoryGroup]:
    """Every group around this process that limits memory."""
    groups = [_memory_v2(root, folder) for folder in _folders(root, "")]
    groups += [_memory_v1(root, folder) for folder in _folders(root, "memory")]
    return [group for group in groups if group is not None]


def cpu_quota(root: Path) -> float | None:
    """CPUs' worth of time that the tightest group grants; None where none limits it."""
    quotas = [_quota_v2(root, folder) for folder in _folders(root, "")]
    quotas += [_quota_v1(root, folder) for folder in _folders(root, "cpu")]
    return min((quota for quota in quotas if quota is not None), default=None)


def groups(root: Path) -> list[tuple[str, str, PurePosixPath]]:
    """The groups of this process: number of the hierarchy, its controllers, the path below it.

    A recorded tree may say anything: lines and depths that no kernel has are left out.
    """
    lines = (read_text(root, "proc/self/cgroup") or "0::/").splitlines()
    found = []
    for line in list(dict.fromkeys(lines))[:_MOST_LINES]:
        number, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        group = PurePosixPath(path.strip("/"))
        if colon and len(group.parts) <= _DEEPEST:
            found.append((number, controllers, group))
    return found


def _folders(root: Path, controller: str) -> Iterator[str]:
    """Folders of a controller's group and of those around it; `` is the unified hierarchy (v2).

    In a container the path that the kernel names may lie outside of what is mounted there; the
    folders that do not exist are read as nothing, and the mount itself always comes last.
    """
    for _, controllers, group in groups(root):
        if controller not in controllers.split(","):
            continue
        inner = [] if ".." in group.parts else [group, *group.parents]
        for mount in dict.fromkeys([controller, controllers]):
            for folder in dict.fromkeys([*inner, PurePosixPath()]):
                yield str(PurePosixPath("sys/fs/cgroup", mount, folder))


def _memory_v2(root: Path, folder: str) -> MemoryGroup | None:
    limits = [read_int(root, f"{folder}/{name}") for name in ("memory.max", "memory.high")]
    known = [limit for limit in limits if limit is not None]
    if not known:
        return None
    used = read_int(root, f"{folder}/memory.current") or 0
    return MemoryGroup(
        limit_bytes=min(known), used_bytes=_without_cache(root, folder, used, "inactive_file")
    )


def _memory_v1(root: Path, folder: str) -> MemoryGroup | None:
    limit = read_int(root, f"{folder}/memory.limit_in_bytes")
    if limit is None or limit >= _NO_LIMIT:
        return None
    used = read_int(root, f"{folder}/memory.usage_in_bytes") or 0
    return MemoryGroup(
        limit_bytes=limit, used_bytes=_without_cache(root, folder, used, "total_inactive_file")
    )


def _without_cache(root: Path, folder: str, used: int, counter: str) -> int:
    lines = read_text(root, f"{folder}/memory.stat") or ""
    cache = to_int(fields(lines.replace(" ", ":")).get(counter)) or 0
    return max(0, used - cache)


def _quota_v2(root: Path, folder: str) -> float | None:
    quota, _, period = (read_text(root, f"{folder}/cpu.max") or "").partition(" ")
    return _share(to_int(quota), to_int(period))


def _quota_v1(root: Path, folder: str) -> float | None:
    quota = read_int(root, f"{folder}/cpu.cfs_quota_us")
    return _share(quota, read_int(root, f"{folder}/cpu.cfs_period_us"))


def _share(quota: int | None, period: int | None) -> float | None:
    if quota is None or period is None or quota <= 0 or period <= 0:
        return None
    return quota / period
