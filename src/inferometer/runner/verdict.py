"""How far a figure can be trusted, and why: from the signals of its rounds and its own shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.stats.trend import trend

ORDER = ("swapped", "throttled", "contended", "drifting", "unstable", "noisy")
"""The worst cause gives the verdict; all are told."""

CANARY_SLOWER = 0.05
"""A round counts as disturbed where the canary took so much longer than its 5th percentile."""
SHARE_OF_ROUNDS = 0.10
"""So many rounds may be disturbed by chance."""
PRESSURE = 0.02
RUN_DELAY = 0.01
OTHER_CPU = 0.10
"""Share of one core that other programs may use on average; the parent uses under 2 %."""
STEAL = 0.005
SWITCHED_CALLS = 0.05
FREQUENCY_RANGE = 0.03
TAU_CALLS = 50.0

NOT_OBSERVED = "the state of the device during the measurement was not observed"
ONE_PROCESS = "one process: how much a fresh process differs was not observed"
GROUPS = {
    "a reference kernel": ("canary_compute_s",),
    "the wait for a processor": ("run_delay_s",),
    "other programs": ("other_cpu_s",),
    "swap": ("swap_in_pages", "swap_out_pages"),
    "pressure": ("pressure_cpu_s", "pressure_memory_s"),
    "stolen time": ("steal_s",),
    "clock frequency": ("frequency_min_hz",),
    "throttling": ("throttle_events", "throttled_bits"),
    "temperature": ("temperature_c",),
}
"""What may be unobservable, and the signals of which one is enough to observe it."""
NEEDED = ("a reference kernel", "the wait for a processor", "swap")
"""Without these nothing is called trusted."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One word, and the sentences behind it."""

    verdict: str
    causes: list[str]


def judge(
    rounds: Sequence[Round],
    *,
    procedure: Procedure,
    figures: Mapping[str, Value],
    steady: bool | None,
) -> Verdict:
    """Judge a workload.

    Args:
        rounds: those that count.
        procedure: the target it had.
        figures: of its record, as far as they are known.
        steady: whether a steady state was found; None where nobody looked.
    """
    signals = _Signals(rounds)
    found = [*signals.causes(), *_shape(rounds, procedure, figures, steady=steady)]
    unseen = [name for name, names in GROUPS.items() if not signals.has(names)]
    caveats = _caveats(unseen, figures)
    causes = [sentence for _, sentence in found] + caveats
    kinds = {kind for kind, _ in found}
    worst = next((kind for kind in ORDER if kind in kinds), None)
    if worst is None:
        worst = "unknown" if any(name in unseen for name in NEEDED) else "trusted"
    return Verdict(verdict=worst, causes=causes)


class _Signals:
    """Sums and shares over the rounds of one workload."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self.rounds = [done.signals for done in rounds]
        self.calls = sum(done.calls for done in rounds)
        self.wall_s = self.total("wall_s") or 0.0

    def has(self, names: Sequence[str]) -> bool:
        """Whether any of these was seen."""
        return any(name in seen for seen in self.rounds for name in names)

    def values(self, name: str) -> list[float]:
        """A signal, round by round."""
        return [seen[name] for seen in self.rounds if name in seen]

    def total(self, name: str) -> float | None:
        """Sum over the rounds; None where it was not seen."""
        values = self.values(name)
        return sum(values) if values else None

    def share(self, name: str) -> float:
        """Total over the wall-clock time of the rounds; 0 where it was not seen."""
        return (self.total(name) or 0.0) / self.wall_s if self.wall_s else 0.0

    def causes(self) -> list[tuple[str, str]]:
        """What the signals say against the figures."""
        found = [*self._memory(), *self._throttling(), *self._neighbours()]
        return found + self._canary("canary_compute_s") + self._canary("canary_loop_s")

    def _memory(self) -> list[tuple[str, str]]:
        found = []
        pages = (self.total("swap_in_pages") or 0) + (self.total("swap_out_pages") or 0)
        if pages:
            found.append(("swapped", f"memory was short: {pages:.0f} pages were swapped"))
        faults = self.total("major_faults") or 0
        if faults:
            found.append(
                ("swapped", f"{faults:.0f} pages had to be read from a disk while calls were timed")
            )
        return found

    def _throttling(self) -> list[tuple[str, str]]:
        found = []
        events = self.total("throttle_events") or 0
        if events:
            found.append(
                ("throttled", f"the device lowered its clock {events:.0f} times (heat or current)")
            )
        bits = {int(value) for value in self.values("throttled_bits")} - {0}
        if bits:
            found.append(("throttled", f"the firmware reported throttling (bits {max(bits):#x})"))
        low, high = self.values("frequency_min_hz"), self.values("frequency_max_hz")
        if low and (spread := max(high) / min(low) - 1) > FREQUENCY_RANGE:
            found.append(
                ("throttled", f"the clock moved by {spread:.0%}, to {min(low) / 1e9:.2f} GHz")
            )
        return found

    def _neighbours(self) -> list[tuple[str, str]]:
        limits = {
            "other_cpu_s": (OTHER_CPU, "other programs used {:.0%} of a core"),
            "run_delay_s": (RUN_DELAY, "its threads waited {:.1%} of the time for a processor"),
            "pressure_cpu_s": (PRESSURE, "some program waited for a processor {:.1%} of the time"),
            "pressure_memory_s": (PRESSURE, "some program waited for memory {:.1%} of the time"),
            "pressure_io_s": (PRESSURE, "some program waited for a disk {:.1%} of the time"),
            "steal_s": (STEAL, "the host gave {:.1%} of the time to other machines"),
        }
        found = [
            ("contended", words.format(share))
            for name, (limit, words) in limits.items()
            if (share := self.share(name)) > limit
        ]
        switches = self.total("involuntary_switches") or 0.0
        if self.calls and switches / self.calls > SWITCHED_CALLS and self._often_switched():
            found.append(("contended", f"it had to give up a processor {switches:.0f} times"))
        return found

    def _often_switched(self) -> bool:
        """Long calls are switched now and then on any system: ten times a second is a crowd."""
        return self.share("involuntary_switches") > 10  # noqa: PLR2004

    def _canary(self, name: str) -> list[tuple[str, str]]:
        values = np.array(self.values(name))
        if values.size == 0:
            return []
        slow = int((values > (1 + CANARY_SLOWER) * np.quantile(values, 0.05)).sum())
        if slow <= SHARE_OF_ROUNDS * values.size:
            return []
        what = "on all cores " * (name == "canary_compute_s")
        sentence = (
            f"a reference kernel {what}ran more than {CANARY_SLOWER:.0%} slower than its best in "
            f"{slow} of {values.size} rounds"
        )
        return [("contended", sentence)]


def _shape(
    rounds: Sequence[Round],
    procedure: Procedure,
    figures: Mapping[str, Value],
    *,
    steady: bool | None,
) -> list[tuple[str, str]]:
    """What the latencies themselves say against the figures."""
    found: list[tuple[str, str]] = []
    if steady is False:
        found.append(("drifting", "no steady state: the latency kept changing while it was timed"))
    moved = _drift(rounds)
    if moved is not None and abs(moved) > procedure.target:
        found.append(("drifting", f"the latency moved by {moved:+.1%} from beginning to end"))
    tau = figures.get("latency_tau_calls")
    if isinstance(tau, float) and tau > TAU_CALLS:
        found.append(
            (
                "unstable",
                f"calls resemble their neighbours over {tau:.0f} calls: slow and fast spells",
            )
        )
    if figures.get("latency_target_met") is False:
        found.append(("noisy", _width(procedure, figures)))
    return found


def _drift(rounds: Sequence[Round]) -> float | None:
    """Relative change over the span of a process where it is not chance."""
    usable = [done for done in rounds if done.settled_s]
    medians = [float(np.median(done.settled_s)) for done in usable]
    found = trend([done.started_at for done in usable], medians, [done.process for done in usable])
    if found is None or found.low is None or found.high is None or found.low <= 0 <= found.high:
        return None
    return found.change


def _width(procedure: Procedure, figures: Mapping[str, Value]) -> str:
    low, high = figures.get("latency_ci_low_s"), figures.get("latency_ci_high_s")
    median = figures.get("latency_median_s")
    if not (isinstance(low, float) and isinstance(high, float) and isinstance(median, float)):
        return "there is too little to make an interval"
    reached = (high - low) / 2 / median if median else 0.0
    return f"the interval is ± {reached:.1%}, the target ± {procedure.target:.1%}"


def _caveats(unseen: Sequence[str], figures: Mapping[str, Value]) -> list[str]:
    found = []
    if len(unseen) == len(GROUPS):
        found.append(NOT_OBSERVED)
    elif unseen:
        found.append(f"not observable: {', '.join(unseen)}")
    if figures.get("latency_processes") == 1:
        found.append(ONE_PROCESS)
    return found
