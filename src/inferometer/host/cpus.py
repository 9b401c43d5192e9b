"""How many CPUs and cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

from inferometer.host.cgroup import cpu_quota
from inferometer.host.files import LIVE, fields, is_live, parse_list, read_text, to_int


def physical_cores(root: Path = LIVE) -> int:
    """Physical cores that this process may use: the default number of threads, at least 1.

    Two hardware threads of a core count once. A quota of a control group counts rounded down: more
    threads than it grants would be held back in the middle of a call.
    """
    cpus = usable_cpus(root)
    return _within_quota(root, len(set(_cores(root, cpus))) or _physical_elsewhere(root))


def logical_cores(root: Path = LIVE) -> int:
    """Hardware threads that this process may use, at least 1."""
    return _within_quota(root, len(usable_cpus(root)) or _logical_elsewhere(root))


def usable_cpus(root: Path = LIVE) -> list[int]:
    """Numbers of the CPUs that this process may use; none where that is not observable."""
    if is_live(root) and hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    online = parse_list(read_text(root, "sys/devices/system/cpu/online"))
    online = online or [cpu for cpu in map(_number, cpuinfo_blocks(root)) if cpu is not None]
    allowed = parse_list(fields(read_text(root, "proc/self/status")).get("Cpus_allowed_list"))
    return [cpu for cpu in online if cpu in allowed] or online


def cpuinfo_blocks(root: Path) -> list[dict[str, str]]:
    """The blocks of `proc/cpuinfo`, one for each CPU, and on ARM boards one for the board."""
    blocks = (read_text(root, "proc/cpuinfo") or "").split("\n\n")
    return [block for block in map(fields, blocks) if block]


def _number(block: dict[str, str]) -> int | None:
    return to_int(block.get("processor"))


def _cores(root: Path, cpus: list[int]) -> list[str]:
    """For each CPU, what names its core: the list of the CPUs that share it, or its ids."""
    ids = {_number(block): block for block in cpuinfo_blocks(root)}
    return [_core(root, cpu, ids.get(cpu, {})) for cpu in cpus]


def _core(root: Path, cpu: int, block: dict[str, str]) -> str:
    topology = f"sys/devices/system/cpu/cpu{cpu}/topology"
    for name in ("core_cpus_list", "thread_siblings_list"):
        siblings = read_text(root, f"{topology}/{name}")
        if cpu in parse_list(siblings):
            return f"cpus {siblings}"
    if "core id" in block:
        return f"core {block.get('physical id')} {block['core id']}"
    return f"cpu {cpu}"


def _within_quota(root: Path, cores: int) -> int:
    quota = cpu_quota(root)
    return max(1, cores if quota is None else min(cores, int(quota)))


def _physical_elsewhere(root: Path) -> int:
    """Cores of a live machine without `sched_getaffinity`, such as a Mac; 0 for a recorded one."""
    if not is_live(root):
        return 0
    import psutil

    return psutil.cpu_count(logical=False) or os.cpu_count() or 0


def _logical_elsewhere(root: Path) -> int:
    return (os.cpu_count() or 0) if is_live(root) else 0
