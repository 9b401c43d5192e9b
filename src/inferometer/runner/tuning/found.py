"""What is searched for, and what the search found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Sweep
from inferometer.core.workload import Workload
from inferometer.runner.tuning.race import Contrast

Goal = Literal["latency", "throughput", "energy", "memory"]
State = Literal[
    "winner",
    "tied",
    "slower",
    "over_limit",
    "unfaithful",
    "inaccurate",
    "failed",
    "not_reached",
]
STATES: tuple[State, ...] = ("winner", "tied", "slower", "not_reached")
"""Those that are listed first, in this order."""


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """What is searched for.

    Attributes:
        sweep: of one model: backends, precisions, options, batch sizes, one input size, device.
        threads: to choose among.
        goal: what is to be least: time of a call, time or energy of a sample, or peak memory.
        max_latency_s: of a call; None is no limit.
        max_memory_bytes: of the peak; None is no limit.
        min_fidelity: cosine with the reference at the least; None is no limit.
        min_accuracy: on the data, at the least; None is no limit.
        data: labelled data, for calibration, fidelity and accuracy; None makes inputs up.
        metric: of the accuracy; None is the usual one of the task.
        budget_s: of wall-clock time.
        seed: of random weights, inputs and orders.
        memory_limit_bytes: of a worker; None is what the machine can give.
        timeout_s: how long a worker may stay silent.
    """

    sweep: Sweep
    threads: tuple[int, ...]
    goal: Goal = "latency"
    max_latency_s: float | None = None
    max_memory_bytes: float | None = None
    min_fidelity: float | None = None
    min_accuracy: float | None = None
    data: str | None = None
    metric: str | None = None
    budget_s: float = 600.0
    seed: int = 0
    memory_limit_bytes: int | None = None
    timeout_s: float = Procedure.timeout_s


@dataclass(kw_only=True)
class Outcome:
    """What became of a candidate.

    Attributes:
        workload: the candidate.
        state: what it is in the end.
        why: it left, a sentence; empty for the winner.
        contrast: its cost over the winner's; None where it was not measured.
        call_s: median of its rounds, seconds.
        peak_bytes: of its memory.
        energy_j: of a sample.
        rounds: that were measured.
        processes: that it had.
        fidelity: its cosine with the reference.
        accuracy: of its variant, where that was judged.
    """

    workload: Workload
    state: State = "not_reached"
    why: str = ""
    contrast: Contrast | None = None
    call_s: float | None = None
    peak_bytes: float | None = None
    energy_j: float | None = None
    rounds: int = 0
    processes: int = 0
    fidelity: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """The winner against others in fresh processes, by rounds that chose nobody.

    Attributes:
        holds: whether none of the others is better, as far as these rounds show.
        call_s: the winner's, seconds: median over its processes.
        rivals: of each other, its cost over the winner's.
        baseline: what it is compared with beside the tied ones: eager torch in fp32.
        rounds: of the winner.
        processes: of the winner.
    """

    holds: bool
    call_s: float
    rivals: dict[Workload, Contrast]
    baseline: Workload | None
    rounds: int
    processes: int


@dataclass(kw_only=True)
class Tuned:
    """What the search found.

    Attributes:
        outcomes: of all candidates, the best first.
        winner: None where no candidate is within all limits.
        confirmed: None where there was nobody to confirm, or no time.
        heats: of the race.
        seconds: that it took.
        notes: what a reader should know.
    """

    outcomes: list[Outcome]
    winner: Outcome | None = None
    confirmed: Confirmation | None = None
    heats: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def tied(self) -> list[Outcome]:
        """Those that may be as good as the winner."""
        return [one for one in self.outcomes if one.state == "tied"]
