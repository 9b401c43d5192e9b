"""What the device shows around one round: a canary before it, and how far counters moved in it.

A signal that cannot be read is absent; nothing here ever takes "not observable" for "fine".
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from inferometer.host.canary import Canary
from inferometer.host.files import LIVE, read_int, read_text, to_int

SIGNALS: dict[str, str] = {
    "canary_loop_s": "seconds of a fixed loop just before the round",
    "canary_compute_s": "seconds of a fixed job on all its cores just before the round",
    "wall_s": "seconds from the beginning of the round to its end",
    "run_delay_s": "seconds that threads of this process were ready and had no processor",
    "involuntary_switches": "times that this process was made to give up a processor",
    "major_faults": "pages of this process that had to be read from a disk",
    "swap_in_pages": "pages that the system read back from swap",
    "swap_out_pages": "pages that the system moved to swap",
    "pressure_cpu_s": "seconds in which some task waited for a processor",
    "pressure_memory_s": "seconds in which some task waited for memory",
    "pressure_io_s": "seconds in which some task waited for a disk",
    "steal_s": "processor seconds that the host gave to other machines",
    "other_cpu_s": "processor seconds of all other programs",
    "frequency_min_hz": "lowest processor clock seen",
    "frequency_max_hz": "highest processor clock seen",
    "throttle_events": "times that the device lowered its clock because of heat or current",
    "throttled_bits": "reasons for throttling that the firmware reports, as bits",
    "temperature_c": "highest temperature, degrees Celsius",
}
"""Name → what it is."""

_TICK_S = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01
_STEAL = 8
_IDLE = (4, 5)
_STAT_FIELDS = 9
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_NOW_BITS = 0xF

Counters = dict[str, float]


class Watch:
    """Watches the device round by round.

    Args:
        root: where `proc/` and `sys/` are read. What the system tells this process about itself by
            a call, and the canary, are always those of the machine itself.
        threads: threads of the workload; the canary uses as many.
    """

    def __init__(self, root: Path = LIVE, *, threads: int = 1) -> None:
        self._root = root
        self._canary = Canary(threads)
        self._frequencies = _found(root, "sys/devices/system/cpu", "cpu*/cpufreq/scaling_cur_freq")
        self._throttles = [
            *_found(root, "sys/devices/system/cpu", "cpu*/thermal_throttle/*_throttle_count"),
            *_found(root, "sys/class/hwmon", "hwmon*/oc*_event_cnt"),
        ]
        self._temperatures = [
            *_found(root, "sys/class/thermal", "thermal_zone*/temp"),
            *_found(root, "sys/class/hwmon", "hwmon*/temp*_input"),
        ]
        self._before: Counters = {}
        self._seen: dict[str, float] = {}

    def begin(self) -> None:
        """Run the canary, then read the counters: just before a round."""
        self._seen = {**self._canary.measure(), **self._levels()}
        self._before = self._counters()

    def end(self) -> dict[str, float]:
        """The signals of the round that ends now, by name."""
        after = self._counters()
        moved = {
            name: value - self._before[name]
            for name, value in after.items()
            if name in self._before and value >= self._before[name]
        }
        if "busy_s" in moved and "own_cpu_s" in moved:
            moved["other_cpu_s"] = max(moved["busy_s"] - moved["own_cpu_s"], 0.0)
        found = {name: value for name, value in moved.items() if name in SIGNALS}
        return {**self._seen, **_widened(self._seen, self._levels()), **found}

    def _levels(self) -> dict[str, float]:
        """What has a level at a moment: clock, temperature, state of throttling."""
        found: dict[str, float] = {}
        clocks = [1e3 * f for f in self._numbers(self._frequencies) if f > 0]
        if clocks:
            found |= {"frequency_min_hz": min(clocks), "frequency_max_hz": max(clocks)}
        degrees = [t / 1000 for t in self._numbers(self._temperatures)]
        sane = [t for t in degrees if -50 < t < 150]  # noqa: PLR2004 - else no thermometer
        if sane:
            found["temperature_c"] = max(sane)
        bits = _hexadecimal(read_text(self._root, _THROTTLED))
        if bits is not None:
            found["throttled_bits"] = float(bits & _NOW_BITS)
        return found

    def _counters(self) -> Counters:
        """What only ever grows."""
        found: Counters = {"wall_s": time.perf_counter()}
        sources: tuple[Callable[[], Counters], ...] = (
            self._own, self._delays, self._swap, self._pressure, self._processors, self._throttling,
        )  # fmt: skip
        for source in sources:
            found |= source()
        return found

    def _own(self) -> Counters:
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

    def _delays(self) -> Counters:
        try:
            tasks = [entry.name for entry in (self._root / "proc/self/task").iterdir()]
        except OSError:
            return {}
        texts = [read_text(self._root, f"proc/self/task/{task}/schedstat") for task in tasks]
        waits = [to_int(fields[1]) for t in texts if t and len(fields := t.split()) > 1]
        known = [wait for wait in waits if wait is not None]
        return {"run_delay_s": sum(known) / 1e9} if known else {}

    def _swap(self) -> Counters:
        text = read_text(self._root, "proc/vmstat") or ""
        names = {"pswpin": "swap_in_pages", "pswpout": "swap_out_pages"}
        found: Counters = {}
        for line in text.splitlines():
            name, _, number = line.partition(" ")
            value = to_int(number.strip())
            if name in names and value is not None:
                found[names[name]] = float(value)
        return found

    def _pressure(self) -> Counters:
        found: Counters = {}
        for what in ("cpu", "memory", "io"):
            text = read_text(self._root, f"proc/pressure/{what}") or ""
            match = re.search(r"^some .*total=(\d{1,20})", text, re.MULTILINE)
            if match:
                found[f"pressure_{what}_s"] = int(match[1]) / 1e6
        return found

    def _processors(self) -> Counters:
        text = read_text(self._root, "proc/stat") or ""
        fields = text.partition("\n")[0].split()
        ticks = [to_int(field) for field in fields[1:]]
        known = [tick for tick in ticks if tick is not None]
        if not fields or fields[0] != "cpu" or len(known) < _STAT_FIELDS - 1:
            return {}
        busy = sum(known[:_STEAL]) - sum(known[index - 1] for index in _IDLE)
        steal = known[_STEAL - 1]
        return {"busy_s": (busy - steal) * _TICK_S, "steal_s": steal * _TICK_S}

    def _throttling(self) -> Counters:
        counts = self._numbers(self._throttles)
        return {"throttle_events": float(sum(counts))} if counts else {}

    def _numbers(self, paths: Iterable[str]) -> list[int]:
        values = (read_int(self._root, path) for path in paths)
        return [value for value in values if value is not None]


def _found(root: Path, folder: str, pattern: str) -> list[str]:
    """Paths under the root that match, looked for once: a round has no time for it."""
    try:
        return sorted(str(path.relative_to(root)) for path in (root / folder).glob(pattern))
    except (OSError, ValueError):
        return []


def _widened(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Levels at the end of a round; the extremes of both looks for clock, heat and bits."""
    found = dict(after)
    for name, worst in (
        ("frequency_min_hz", min),
        ("frequency_max_hz", max),
        ("temperature_c", max),
    ):
        if name in before and name in after:
            found[name] = worst(before[name], after[name])
    if "throttled_bits" in before and "throttled_bits" in after:
        found["throttled_bits"] = float(
            int(before["throttled_bits"]) | int(after["throttled_bits"])
        )
    return found


def _hexadecimal(text: str | None) -> int | None:
    try:
        return None if text is None else int(text, 16)
    except ValueError:
        return None
