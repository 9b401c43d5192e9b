"""What the device shows around one round: the canary and the counters of `host.signals`."""

import os
import re
import resource
import threading
from hashlib import blake2b
from time import perf_counter
from typing import Any, Dict, List, Optional

from inferometer.fleet.light.device import hottest_of, thermometers, usable_cpus
from inferometer.fleet.light.files import KeptFile, keep, keep_matching, numbers, to_int

CANARY_STEPS = 6000
CANARY_BLOCK = bytes(192 * 1024)
CANARY_REPEATS = 2
"""As in `host.canary`: figures of both are read by the same rules."""

_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
_MOST_CPUS_READ = 32
_PRESSURES = ("cpu", "memory", "io")
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_NOW, _SINCE_BOOT = 0xF, 0xF0000

Numbers = Dict[str, float]


class Canary:
    """Two fixed jobs whose duration shows what the device can give right now."""

    def __init__(self, threads: int) -> None:
        self._start = threading.Barrier(threads)
        self._done = threading.Barrier(threads)
        self._hashed_s = [0.0] * threads
        for number in range(1, threads):
            threading.Thread(target=self._help, args=(number,), daemon=True).start()

    def measure(self) -> Numbers:
        """Seconds of the two jobs, the fastest of a few tries."""
        return {
            "canary_loop_s": min(_timed_loop() for _ in range(CANARY_REPEATS)),
            "canary_compute_s": min(self._hash_at_once() for _ in range(CANARY_REPEATS)),
        }

    def _hash_at_once(self) -> float:
        self._hash(0)
        return max(self._hashed_s)

    def _hash(self, number: int) -> None:
        self._start.wait()
        begin = perf_counter()
        blake2b(CANARY_BLOCK)
        self._hashed_s[number] = perf_counter() - begin
        self._done.wait()

    def _help(self, number: int) -> None:
        while True:
            self._hash(number)


def _timed_loop() -> float:
    begin = perf_counter()
    total = 0
    for step in range(CANARY_STEPS):
        total += step
    return perf_counter() - begin


class Counters:
    """Reads all counters under a root; the files are looked for once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._stat = keep(root, "proc/stat")
        self._vmstat = keep(root, "proc/vmstat")
        self._pressures = {what: keep(root, "proc/pressure/" + what) for what in _PRESSURES}
        self._throttles = keep_matching(root, "sys/class/hwmon/hwmon*/oc*_event_cnt")
        for cpu in usable_cpus(root)[:_MOST_CPUS_READ]:
            folder = "sys/devices/system/cpu/cpu{}/thermal_throttle".format(cpu)
            self._throttles += keep_matching(root, folder + "/*_throttle_count")
        self._tasks: Dict[str, Optional[KeptFile]] = {}

    def read(self) -> Numbers:
        """All counters that can be read, by name."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        found = {
            "wall_s": perf_counter(),
            "own_cpu_s": used.ru_utime + used.ru_stime,
            "involuntary_switches": float(used.ru_nivcsw),
            "major_faults": float(used.ru_majflt),
        }
        found.update(self._delays())
        found.update(self._memory())
        found.update(self._pressure())
        found.update(self._processors())
        counts = numbers(self._throttles)
        if counts:
            found["throttle_events"] = float(sum(counts))
        return found

    def _delays(self) -> Numbers:
        try:
            tasks = os.listdir(os.path.join(self._root, "proc/self/task"))
        except OSError:
            return {}
        path = "proc/self/task/{}/schedstat"
        known = self._tasks
        self._tasks = {
            task: known[task] if task in known else keep(self._root, path.format(task))
            for task in tasks
        }
        found = {}
        for task, file in self._tasks.items():
            parts = file.text().split() if file else []
            wait_ns = to_int(parts[1]) if len(parts) > 1 else None
            if wait_ns is not None:
                found["run_delay_s " + task] = wait_ns / 1e9
        return found

    def _memory(self) -> Numbers:
        text = self._vmstat.text() if self._vmstat else ""
        names = {"swap_in_pages": "pswpin", "swap_out_pages": "pswpout"}
        read = {name: _number(r"^%s (\d{1,20})$" % key, text) for name, key in names.items()}
        return {name: value for name, value in read.items() if value is not None}

    def _pressure(self) -> Numbers:
        found = {}
        for what, file in self._pressures.items():
            total_us = _number(r"^some .*total=(\d{1,20})$", file.text() if file else "")
            if total_us is not None:
                found["pressure_{}_s".format(what)] = total_us / 1e6
        return found

    def _processors(self) -> Numbers:
        line = (self._stat.text() if self._stat else "").partition("\n")[0].split()
        ticks = [to_int(one) for one in line[1:9]]
        known = [tick for tick in ticks if tick is not None]
        if line[:1] != ["cpu"] or len(known) < 8:
            return {}
        idle = known[3] + known[4]
        return {
            "all_cpu_s": sum(known) * _TICK_S,
            "busy_cpu_s": (sum(known) - idle - known[7]) * _TICK_S,
            "steal_s": known[7] * _TICK_S,
        }


def moved(before: Numbers, after: Numbers) -> Numbers:
    """How far each counter went; one that is not in both, or went backwards, is absent."""
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


def _number(pattern: str, text: str) -> Optional[float]:
    match = re.search(pattern, text, re.MULTILINE)
    return float(match.group(1)) if match else None


class Levels:
    """Clock, temperature and reasons for throttling at one moment."""

    def __init__(self, root: str) -> None:
        cpus = usable_cpus(root)[:_MOST_CPUS_READ]
        path = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
        clocks = [keep(root, path.format(cpu)) for cpu in cpus]
        self._clocks = [file for file in clocks if file is not None]
        self._thermometers: List[Any] = thermometers(root)
        self._throttled = keep(root, _THROTTLED)
        self._known = self._firmware_bits() or 0

    def read(self) -> Numbers:
        """All levels that can be read, by name."""
        found: Numbers = {}
        clocks_khz = [clock for clock in numbers(self._clocks) if clock > 0]
        if clocks_khz:  # the fastest one: idle CPUs slow down
            found["frequency_min_hz"] = found["frequency_max_hz"] = 1e3 * max(clocks_khz)
        degrees = hottest_of(self._thermometers)
        if degrees is not None:
            found["temperature_c"] = degrees
        bits = self._firmware_bits()
        if bits is not None:
            found["throttled_bits"] = float(bits & _NOW | bits & ~self._known & _SINCE_BOOT)
        return found

    def _firmware_bits(self) -> Optional[int]:
        text = self._throttled.text() if self._throttled else ""
        return int(text, 16) if re.match("(0x)?[0-9a-fA-F]{1,8}$", text) else None


def widest(before: Numbers, after: Numbers) -> Numbers:
    """Levels before and after in one: the extremes of what is in both, and all bits set."""
    found = dict(before)
    found.update(after)
    for name in set(before) & set(after):
        pair = before[name], after[name]
        if name.endswith("_bits"):
            found[name] = float(int(pair[0]) | int(pair[1]))
        else:
            found[name] = min(pair) if name == "frequency_min_hz" else max(pair)
    return found


class Watch:
    """Watches the device round by round. Nothing here raises."""

    def __init__(self, root: str, threads: int) -> None:
        self._canary = Canary(threads)
        self._counters = Counters(root)
        self._levels = Levels(root)
        self._canaries: Numbers = {}
        self._level: Numbers = {}
        self._before: Numbers = {}

    def begin(self) -> None:
        """Run the canary, then read everything: just before a round."""
        self._canaries = self._canary.measure()
        self._level = self._levels.read()
        self._before = self._counters.read()

    def end(self) -> Numbers:
        """The signals of the round that ends now, by name."""
        found = dict(self._canaries)
        found.update(moved(self._before, self._counters.read()))
        found.update(widest(self._level, self._levels.read()))
        return found
