"""What the signals of the rounds say against a figure: one statement for each cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from inferometer.core.record import Round
from inferometer.core.statement import Statement

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
        statement: what was seen.
    """

    verdict: str
    statement: Statement


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
        checks: dict[Callable[[], Iterator[Statement]], str] = {
            self._memory: "swapped",
            self._throttling: "throttled",
            self._clock: "throttled",
            self._reference_kernel: "contended",
            self._neighbours: "contended",
            self._stood_still: "contended",
        }
        return [
            Cause(verdict=verdict, statement=statement)
            for check, verdict in checks.items()
            for statement in check()
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

    def _memory(self) -> Iterator[Statement]:
        pages = self._total("swap_in_pages") + self._total("swap_out_pages")
        if pages:
            yield Statement("swapped", {"pages": pages})
        faults = self._total("major_faults")
        if faults > FAULTS_PER_ROUND * len(self._rounds):
            yield Statement("major_faults", {"pages": faults, "rounds": len(self._rounds)})

    def _throttling(self) -> Iterator[Statement]:
        events = self._total("throttle_events")
        if events:
            yield Statement("clock_lowered", {"events": events})
        bits = _all_bits(self._values("throttled_bits"))
        if bits:
            yield Statement("firmware_throttled", {"bits": bits})
        gpu = _all_bits(self._values("gpu_clock_event_bits"))
        if gpu & GPU_SLOWED:
            yield Statement("gpu_slowed", {"bits": gpu & GPU_SLOWED})
        if gpu & GPU_POWER_CAP:
            yield Statement("gpu_power_limit")

    def _clock(self) -> Iterator[Statement]:
        """A lower clock counts where the rounds that had it were slower."""
        rounds = [
            (done.signals["frequency_min_hz"], done.median_s)
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
            seen = {
                "highest_hz": highest,
                "lowest_hz": min(clock for clock, _ in rounds),
                "lower": len(low),
                "rounds": len(rounds),
                "slower": median(low) / median(rest) - 1,
            }
            yield Statement("clock_fell", seen)

    def _reference_kernel(self) -> Iterator[Statement]:
        """A kernel that comes and goes counts where the latency comes and goes too."""
        latencies = _levelled(self._rounds)
        if not self._too_many(_slow(latencies), len(latencies)):
            return
        for name in ("canary_compute_s", "canary_loop_s"):
            values = self._values(name)
            slow = _slow(values)
            if self._too_many(slow, len(values)):
                seen = {"above": CANARY_SLOWER, "slow": slow, "rounds": len(values)}
                risen = {"risen": _slow(latencies), **self._quiet(name)}
                yield Statement("kernel_slow", {"kernel": name, **seen, **risen})

    def _quiet(self, name: str) -> dict[str, float]:
        """What the calls took where the kernel was not slowed down: the figure is of all rounds."""
        values = self._values(name)
        limit = _slow_above(values)
        calm = [done for done in self._rounds if done.signals.get(name, limit + 1) <= limit]
        quiet = [value for done in calm for value in done.settled_s]
        if not quiet or len(calm) == len(values):
            return {}
        return {"calm": len(calm), "calm_s": median(quiet)}

    def _neighbours(self) -> Iterator[Statement]:
        others, cpus = self._share("other_cpu_s"), self._share("all_cpu_s")
        if others > max(OTHER_CPU, OTHER_CPU_OF_ALL * cpus):
            yield Statement("other_programs", {"share": others})
        delay = self._share("run_delay_s") / max(self._share("own_cpu_s"), 1.0)
        if delay > RUN_DELAY:
            yield Statement("run_delay", {"share": delay})
        for what, limit in (("cpu", CPU_PRESSURE), ("memory", PRESSURE), ("io", PRESSURE)):
            share = self._share(f"pressure_{what}_s")
            if share > limit:
                yield Statement(f"{what}_pressure", {"share": share})
        stolen = self._share("steal_s") / (cpus or 1.0)
        if stolen > STEAL:
            yield Statement("stolen", {"share": stolen})
        switches, calls = self._total("involuntary_switches"), sum(r.calls for r in self._rounds)
        crowded = self._share("involuntary_switches") > SWITCHES_PER_S
        if crowded and calls and switches / calls > SWITCHED_CALLS:
            yield Statement("switched", {"switches": switches, "calls": calls})

    def _stood_still(self) -> Iterator[Statement]:
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
            seen = {"still_s": sum(long), "long": len(long), "rounds": len(rounds)}
            yield Statement("stood_still", seen)

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
    medians = [done.median_s for done in usable]
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
