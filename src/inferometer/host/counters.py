"""What the system counts: read before and after a round, of interest is how far it moved."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from inferometer.host.cpus import usable_cpus
from inferometer.host.files import to_int
from inferometer.host.kept import KeptFile, keep, keep_matching, numbers

_TICK_S = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01
_MOST_CPUS = 32
"""Of so many CPUs the own files are read: a round has no time for hundreds."""
_PRESSURES = ("cpu", "memory", "io")
_IDLE, _IOWAIT, _STEAL = 3, 4, 7
"""Places in the first line of `proc/stat`; see proc_stat(5)."""
_STAT_FIELDS = 8


def some_cpus(root: Path) -> Sequence[str]:
    """Folders of the CPUs that this process may use, at most 32 of them."""
    cpus = usable_cpus(root)[:_MOST_CPUS]
    return [f"sys/devices/system/cpu/cpu{cpu}" for cpu in cpus]


class Counters:
    """Reads all counters under a root; the files are looked for once.

    Args:
        root: where `proc/` and `sys/` are.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stat = keep(root, "proc/stat")
        self._vmstat = keep(root, "proc/vmstat")
        self._pressures = {what: keep(root, f"proc/pressure/{what}") for what in _PRESSURES}
        self._throttles = [
            file
            for cpu in some_cpus(root)
            for file in keep_matching(root, f"{cpu}/thermal_throttle", "*_throttle_count")
        ] + keep_matching(root, "sys/class/hwmon", "hwmon*/oc*_event_cnt")
        self._tasks: dict[str, KeptFile | None] = {}

    def read(self) -> dict[str, float]:
        """All counters that can be read, by name."""
        return {
            "wall_s": time.perf_counter(),
            **_own(),
            **self._delays(),
            **self._memory(),
            **self._pressure(),
            **self._processors(),
            **self._throttling(),
        }

    def _delays(self) -> dict[str, float]:
        """Nanoseconds on a run queue are the second number of `schedstat`, thread by thread."""
        try:
            tasks = os.listdir(self._root / "proc/self/task")  # noqa: PTH208 - iterdir is slower
        except OSError:
            return {}
        self._tasks = {
            task: self._tasks[task]
            if task in self._tasks
            else keep(self._root, f"proc/self/task/{task}/schedstat")
            for task in tasks
        }
        found = {}
        for task, file in self._tasks.items():
            fields = file.text().split() if file else []
            wait_ns = to_int(fields[1]) if len(fields) > 1 else None
            if wait_ns is not None:
                found[f"run_delay_s {task}"] = wait_ns / 1e9
        return found

    def _memory(self) -> dict[str, float]:
        text = self._vmstat.text() if self._vmstat else ""
        names = {"swap_in_pages": "pswpin", "swap_out_pages": "pswpout"}
        found = {name: _number(rf"^{key} (\d{{1,20}})$", text) for name, key in names.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _pressure(self) -> dict[str, float]:
        found = {}
        for what, file in self._pressures.items():
            total_us = _number(r"^some .*total=(\d{1,20})$", file.text() if file else "")
            if total_us is not None:
                found[f"pressure_{what}_s"] = total_us / 1e6
        return found

    def _processors(self) -> dict[str, float]:
        """Seconds over all CPUs; guests are in the user time already, so eight fields are all."""
        line = (self._stat.text() if self._stat else "").partition("\n")[0]
        name, *rest = line.split() or [""]
        ticks = [to_int(field) for field in rest[:_STAT_FIELDS]]
        known = [tick for tick in ticks if tick is not None]
        if name != "cpu" or len(known) < _STAT_FIELDS:
            return {}
        idle = known[_IDLE] + known[_IOWAIT]
        return {
            "all_cpu_s": sum(known) * _TICK_S,
            "busy_cpu_s": (sum(known) - idle - known[_STEAL]) * _TICK_S,
            "steal_s": known[_STEAL] * _TICK_S,
        }

    def _throttling(self) -> dict[str, float]:
        counts = numbers(self._throttles)
        return {"throttle_events": float(sum(counts))} if counts else {}


def moved(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """How far each counter went; one that is not in both, or went backwards, is absent.

    The waits of the threads are added up; a thread that is new began at nothing. The time of other
    programs is all busy time less our own: the system counts in ticks of 10 ms and we exactly, so
    over a short round it is a little below zero as often as above.
    """
    found = {
        name: value - before[name]
        for name, value in after.items()
        if name in before and value >= before[name]
    }
    waits = [
        value - before.get(name, 0.0)
        for name, value in after.items()
        if name.startswith("run_delay_s ") and value >= before.get(name, 0.0)
    ]
    if waits:
        found["run_delay_s"] = sum(waits)
    busy, own = found.pop("busy_cpu_s", None), found.get("own_cpu_s")
    if busy is not None and own is not None:
        found["other_cpu_s"] = busy - own
    return {name: value for name, value in found.items() if " " not in name}


def _own() -> dict[str, float]:
    try:
        import resource
    except ImportError:  # not on this system
        return {}
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "own_cpu_s": used.ru_utime + used.ru_stime,
        "involuntary_switches": float(used.ru_nivcsw),
        "major_faults": float(used.ru_majflt),
    }


def _number(pattern: str, text: str) -> float | None:
    match = re.search(pattern, text, re.MULTILINE)
    return float(match[1]) if match else None
