"""What happens in a run, as told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.workload import Workload


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """The run exists in the store.

    Attributes:
        run: the run.
        planned: workloads of the study.
        done: workloads that were finished before, in a run that is resumed.
        budget_s: wall-clock time that the run may take; None is no limit.
    """

    run: Run
    planned: int
    done: int
    budget_s: float | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Sent at most about once a second.

    Attributes:
        doing: `loading`, `counting`, `warming up` or `measuring`.
        workload: the workload at hand.
        fraction: share of the work that is done, 0 to 1, by estimated time.
        remaining_s: estimated seconds left; None while too little is known.
        calls: timed calls of that workload so far.
        mean_s: their mean, seconds; None before the first.
    """

    doing: str
    workload: Workload
    fraction: float
    remaining_s: float | None
    calls: int = 0
    mean_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How precise the latencies are, after one more replicate.

    Attributes:
        replicate: how many processes the workloads have had, at most.
        widest: the widest half-width of the workloads that are measured side by side, as a share:
            of their relative interval, or else of the other; infinite where one has none yet.
        median: their median half-width.
        target: half-width at which a workload is done.
    """

    replicate: int
    widest: float
    median: float
    target: float


@dataclass(frozen=True, kw_only=True)
class WorkloadDone:
    """A record is complete and stored.

    Attributes:
        record: the record, with its run's part.
        done: finished workloads so far.
        planned: workloads of the study.
    """

    record: Record
    done: int
    planned: int


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something the user should read, in one sentence."""

    message: str


@dataclass(frozen=True, kw_only=True)
class RunEnded:
    """Nothing more is measured.

    Attributes:
        run: the run; `finished_at` is None where something is left to do.
        interrupted: whether the user or a signal ended it.
    """

    run: Run
    interrupted: bool


Event = RunStarted | Progress | Precision | WorkloadDone | Notice | RunEnded
Listener = Callable[[Event], None]
