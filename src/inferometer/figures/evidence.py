"""What the signals of the rounds say against a figure: one sentence for each cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from inferometer.core import units
from inferometer.core.record import Round

CANARY_SLOWER = 0.05
"""A round counts as disturbed where the reference kernel took so much longer than its P5; the same
holds for the calls, without which a slow kernel harmed nothing."""
SHARE_OF_ROUNDS = 0.10
"""So many rounds may be disturbed by chance; see docs/method/verdicts.md for what was measured."""
FEWEST_ROUNDS = 2
"""One disturbed round of five is no pattern."""
OTHER_CPU = 0.10
"""Share of one core; what is always there (the parent, the system) takes under 5 %."""
OTHER_CPU_OF_ALL = 1 / 16
"""Share of all CPUs: a large server is never quite idle."""
RUN_DELAY = 0.02
"""Share of wall-clock time for each busy thread; a quiet machine reached 1.6 %."""
PRESSURE = 0.02
"""Share of wall-clock time in which some program waited for memory or a disk."""
CPU_PRESSURE = 0.10
"""The same for a processor: others that wait for each other do so without touching the workload."""
STEAL = 0.005
"""Share of all processor time that the host gave to others."""
SWITCHES_PER_S = 10.0
"""Long calls are switched now and then on any system; ten times a second is a crowd."""
SWITCHED_CALLS = 0.05
"""Share of the calls; below it the median does not notice."""
STOOD_STILL = 0.01
"""Share of wall-clock time in which the process neither ran nor waited, though it usually runs."""
USUALLY_RUNS = 0.5
"""Share of wall-clock time; of a workload that mostly sleeps, nobody can tell sleep from a halt."""
STILL_S = 0.02
"""In one round; less is the grain of the counters."""
FREQUENCY_RANGE = 0.03
"""Clocks closer than this are one clock."""
FAULTS_PER_ROUND = 1.0
"""Major faults; a few in a whole run are code that is used for the first time."""
GPU_SLOWED = 0x8 | 0x20 | 0x40 | 0x80
"""NVML: hardware slowdown, thermal in software, thermal in hardware, power brake."""
GPU_POWER_CAP = 0x4
"""NVML: the power limit that was set for the card."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Something that speaks against a figure.

    Attributes:
        verdict: what it makes of the figure.
        sentence: what was seen, for people.
    """

    verdict: str
    sentence: str


class Evidence:
    """The signals of one workload's rounds.

    Args:
        rounds: measured ones.
    """

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._rounds = rounds
        self._seen = [done.signals for done in rounds]
        self._wall_s = self._total("wall_s")

    def has(self, names: Sequence[str]) -> bool:
        """Whether any of these signals was seen in any round."""
        return any(name in seen for seen in self._seen for name in names)

    def causes(self) -> list[Cause]:
        """What the signals say against the figures."""
        checks: dict[Callable[[], Iterator[str]], str] = {
            self._memory: "swapped",
            self._throttling: "throttled",
            self._clock: "throttled",
            self._reference_kernel: "contended",
            self._neighbours: "contended",
            self._stood_still: "contended",
        }
        return [
            Cause(verdict=verdict, sentence=sentence)
            for check, verdict in checks.items()
            for sentence in check()
        ]

    def _values(self, name: str) -> list[float]:
        """A signal, round by round."""
        return [seen[name] for seen in self._seen if name in seen]

    def _total(self, name: str) -> float:
        """Sum over the rounds; 0 where it was not seen, which accuses nobody."""
        return sum(self._values(name))

    def _share(self, name: str) -> float:
        """Total over the wall-clock time of the rounds in which it was seen."""
        wall_s = sum(seen.get("wall_s", 0.0) for seen in self._seen if name in seen)
        return max(self._total(name), 0.0) / wall_s if wall_s else 0.0

    def _memory(self) -> Iterator[str]:
        pages = self._total("swap_in_pages") + self._total("swap_out_pages")
        if pages:
            yield f"memory was short: {_times(pages, 'page')} went to swap or came back"
        faults = self._total("major_faults")
        if faults > FAULTS_PER_ROUND * len(self._rounds):
            yield (
                f"{_times(faults, 'page')} had to be read from a disk in {len(self._rounds)} "
                "rounds (major faults)"
            )

    def _throttling(self) -> Iterator[str]:
        events = self._total("throttle_events")
        if events:
            yield f"the device lowered its clock {_times(events, 'time')}: heat or current"
        bits = _all_bits(self._values("throttled_bits"))
        if bits:
            yield f"the firmware reported throttling or too low a voltage (bits {bits:#x})"
        gpu = _all_bits(self._values("gpu_clock_event_bits"))
        if gpu & GPU_SLOWED:
            yield f"the GPU slowed down because of heat or power (bits {gpu & GPU_SLOWED:#x})"
        if gpu & GPU_POWER_CAP:
            yield "the GPU ran into its power limit"

    def _clock(self) -> Iterator[str]:
        """A lower clock counts where the rounds that had it were slower."""
        rounds = [
            (done.signals["frequency_min_hz"], median(done.settled_s))
            for done in self._rounds
            if "frequency_min_hz" in done.signals and done.settled_s
        ]
        if not rounds:
            return
        highest = max(clock for clock, _ in rounds)
        low = [seconds for clock, seconds in rounds if clock < (1 - FREQUENCY_RANGE) * highest]
        rest = [seconds for clock, seconds in rounds if clock >= (1 - FREQUENCY_RANGE) * highest]
        if not self._too_many(len(low), len(rounds)):
            return
        if median(low) > (1 + FREQUENCY_RANGE / 2) * median(rest):
            lowest = min(clock for clock, _ in rounds)
            yield (
                f"the clock fell from {highest / 1e9:.2f} to {lowest / 1e9:.2f} GHz; in "
                f"{len(low)} of {len(rounds)} rounds it was lower, and they were "
                f"{median(low) / median(rest) - 1:.0%} slower"
            )

    def _reference_kernel(self) -> Iterator[str]:
        """A kernel that comes and goes counts where the latency comes and goes too."""
        latencies = _levelled(self._rounds)
        if not self._too_many(_slow(latencies), len(latencies)):
            return
        for name, where in (("canary_compute_s", "hashing"), ("canary_loop_s", "a plain loop")):
            values = self._values(name)
            slow = _slow(values)
            if self._too_many(slow, len(values)):
                yield (
                    f"a reference kernel ({where}) ran more than {CANARY_SLOWER:.0%} slower than "
                    f"its best in {slow} of {len(values)} rounds, and the latency rose by as much "
                    f"in {_slow(latencies)}{self._quiet(name)}"
                )

    def _quiet(self, name: str) -> str:
        """What the calls took where the kernel was not slowed down: the figure is of all rounds."""
        values = self._values(name)
        limit = _slow_above(values)
        calm = [done for done in self._rounds if done.signals.get(name, limit + 1) <= limit]
        quiet = [value for done in calm for value in done.settled_s]
        if not quiet or len(calm) == len(values):
            return ""
        return f" (in the other {len(calm)} a call took {units.seconds(median(quiet))})"

    def _neighbours(self) -> Iterator[str]:
        others, cpus = self._share("other_cpu_s"), self._share("all_cpu_s")
        if others > max(OTHER_CPU, OTHER_CPU_OF_ALL * cpus):
            yield f"other programs used {others:.0%} of a core (other_cpu_s)"
        delay = self._share("run_delay_s") / max(self._share("own_cpu_s"), 1.0)
        if delay > RUN_DELAY:
            yield f"its threads waited for a processor {delay:.1%} of the time (run_delay_s)"
        for what, limit, words in (
            ("cpu", CPU_PRESSURE, "a processor"),
            ("memory", PRESSURE, "memory"),
            ("io", PRESSURE, "a disk"),
        ):
            share = self._share(f"pressure_{what}_s")
            if share > limit:
                yield f"some program waited for {words} {share:.1%} of the time (pressure_{what}_s)"
        stolen = self._share("steal_s") / (cpus or 1.0)
        if stolen > STEAL:
            yield f"the host gave {stolen:.1%} of the processor time to others (steal_s)"
        switches, calls = self._total("involuntary_switches"), sum(r.calls for r in self._rounds)
        crowded = self._share("involuntary_switches") > SWITCHES_PER_S
        if crowded and calls and switches / calls > SWITCHED_CALLS:
            yield f"it was made to give up a processor {switches:.0f} times in {calls} calls"

    def _stood_still(self) -> Iterator[str]:
        """Time in which the process did not run, beyond what it usually sleeps in a round."""
        rounds = [seen for seen in self._seen if {"wall_s", "own_cpu_s"} <= seen.keys()]
        rounds = [seen for seen in rounds if seen["wall_s"] > 0]
        if len(rounds) <= FEWEST_ROUNDS:
            return
        usual = median(seen["own_cpu_s"] / seen["wall_s"] for seen in rounds)
        if usual < USUALLY_RUNS:
            return
        still = [
            seen["wall_s"] - seen["own_cpu_s"] / usual - seen.get("run_delay_s", 0.0)
            for seen in rounds
        ]
        long = [seconds for seconds in still if seconds > STILL_S]
        if sum(long) > STOOD_STILL * self._wall_s:
            yield (
                f"the process stood still for {sum(long):.2f} s in {len(long)} of {len(rounds)} "
                "rounds: it neither ran nor waited for a processor"
            )

    @staticmethod
    def _too_many(disturbed: int, rounds: int) -> bool:
        return disturbed >= FEWEST_ROUNDS and disturbed > SHARE_OF_ROUNDS * rounds


def _slow(values: Sequence[float]) -> int:
    """How many lie well above the 5th percentile."""
    limit = _slow_above(values)
    return sum(value > limit for value in values)


def _slow_above(values: Sequence[float]) -> float:
    return (1 + CANARY_SLOWER) * float(np.quantile(values, 0.05)) if values else 0.0


def _levelled(rounds: Sequence[Round]) -> list[float]:
    """Medians of the rounds over that of their process: processes differ without any neighbour."""
    usable = [done for done in rounds if done.settled_s]
    medians = [median(done.settled_s) for done in usable]
    by_process: dict[int, list[float]] = {}
    for done, seconds in zip(usable, medians, strict=True):
        by_process.setdefault(done.process, []).append(seconds)
    levels = {process: median(mine) for process, mine in by_process.items()}
    return [
        seconds / levels[done.process]
        for done, seconds in zip(usable, medians, strict=True)
        if levels[done.process] > 0
    ]


def _all_bits(values: Sequence[float]) -> int:
    bits = 0
    for value in values:
        bits |= int(value)
    return bits


def _times(number: float, noun: str) -> str:
    return f"{number:.0f} {noun}{'s' if number != 1 else ''}"
