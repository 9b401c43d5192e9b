"""What the device shows around one round: a canary before it, and how far counters moved in it.

A signal that cannot be read is absent; nothing here ever takes "not observable" for "fine".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer.host.canary import Canary
from inferometer.host.counters import Counters, moved
from inferometer.host.files import LIVE
from inferometer.host.gpu import Events
from inferometer.host.levels import Levels, widest


@dataclass(frozen=True)
class Signal:
    """One thing that is watched.

    Attributes:
        unit: SI, or what is counted.
        meaning: what it is, in words for a student.
        source: where it is read.
    """

    unit: str
    meaning: str
    source: str


SIGNALS: dict[str, Signal] = {
    "canary_loop_s": Signal(
        "s", "time of a fixed loop on one core just before the round", "own clock"
    ),
    "canary_compute_s": Signal(
        "s", "time of a fixed job on as many cores as the workload has", "own clock"
    ),
    "wall_s": Signal("s", "time from the beginning of the round to its end", "own clock"),
    "own_cpu_s": Signal("s", "processor time of this process, over all its threads", "getrusage"),
    "other_cpu_s": Signal("s", "processor time of everything else, over all CPUs", "proc/stat"),
    "all_cpu_s": Signal("s", "processor time that all CPUs had to give, idle too", "proc/stat"),
    "run_delay_s": Signal(
        "s", "time that threads were ready and had no processor", "proc/self/task/*/schedstat"
    ),
    "involuntary_switches": Signal(
        "1", "times that this process was made to give up a processor", "getrusage"
    ),
    "major_faults": Signal("pages", "memory that had to be read from a disk", "getrusage"),
    "swap_in_pages": Signal("pages", "memory that came back from swap", "proc/vmstat"),
    "swap_out_pages": Signal("pages", "memory that was moved to swap", "proc/vmstat"),
    "pressure_cpu_s": Signal(
        "s", "time in which some program waited for a processor", "proc/pressure/cpu"
    ),
    "pressure_memory_s": Signal(
        "s", "time in which some program waited for memory", "proc/pressure/memory"
    ),
    "pressure_io_s": Signal(
        "s", "time in which some program waited for a disk", "proc/pressure/io"
    ),
    "steal_s": Signal(
        "s", "processor time that the host gave to others; zero proves nothing", "proc/stat"
    ),
    "frequency_min_hz": Signal(
        "Hz", "clock of the fastest CPU, the lower of two looks", "cpufreq/scaling_cur_freq"
    ),
    "frequency_max_hz": Signal("Hz", "the higher of these looks", "cpufreq/scaling_cur_freq"),
    "throttle_events": Signal(
        "1",
        "times that the device lowered its clock because of heat or current",
        "thermal_throttle/*_throttle_count, hwmon*/oc*_event_cnt",
    ),
    "throttled_bits": Signal(
        "bits", "a Raspberry Pi's reasons for throttling, now or new", "soc:firmware/get_throttled"
    ),
    "gpu_clock_event_bits": Signal("bits", "why the workload's GPU holds its clock back", "NVML"),
    "temperature_c": Signal(
        "°C", "highest temperature", "thermal_zone*/temp, hwmon*/temp*_input of the processor"
    ),
}
"""Name → unit, meaning and source."""


class Watch:
    """Watches the device round by round. Nothing here raises.

    Args:
        root: where `proc/` and `sys/` are read. What the system tells this process about itself by
            a call, and the canary, are always those of the machine itself.
        threads: threads of the workload; the canary uses as many.
        gpu: reads why the clock of the workload's GPU is held back; None where it has none.
    """

    def __init__(self, root: Path = LIVE, *, threads: int = 1, gpu: Events | None = None) -> None:
        self._canary = Canary(threads)
        self._counters = Counters(root)
        self._levels = Levels(root, gpu)
        self._canaries: dict[str, float] = {}
        self._level: dict[str, float] = {}
        self._before: dict[str, float] = {}

    def begin(self) -> None:
        """Run the canary, then read everything: just before a round."""
        self._canaries = self._canary.measure()
        self._level = self._levels.read()
        self._before = self._counters.read()

    def end(self) -> dict[str, float]:
        """The signals of the round that ends now, by name."""
        counted = moved(self._before, self._counters.read())
        return {**self._canaries, **counted, **widest(self._level, self._levels.read())}
