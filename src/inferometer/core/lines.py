"""Records that differ in their batch size alone: one line of a sweep, point by point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inferometer.core.metric import Estimate
from inferometer.core.procedure import Procedure
from inferometer.core.record import FailureKind, Record
from inferometer.core.workload import Workload

ONE_PROCESS = 0.25
"""What the interval of a single process leaves out: how much fresh processes differ."""
DISTURBED = 1.0
"""What a neighbour may have taken of a contended figure: the half of it. It may be more."""
PATIENCE = 4
"""A further batch may take so many times as long as a workload usually may, for its least calls."""
SMALLER_MAY_WORK: tuple[FailureKind, ...] = ("out_of_memory", "timeout")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One batch size of a line.

    Attributes:
        at: the batch size.
        rate: samples per second, by the median latency; None where it failed.
        low: lower end of its interval; None where there is none.
        high: upper end, likewise.
        allowance: relative error that the interval does not cover.
        failure: kind of the failure; empty where there was none.
        hopeful: of a failure: whether a smaller batch might work.
    """

    at: int
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    allowance: float = 0.0
    failure: str = ""
    hopeful: bool = False


def call_limit_s(procedure: Procedure) -> float:
    """Seconds that a call may take at a batch size that nobody asked for."""
    return PATIENCE * procedure.max_time_s / procedure.min_calls


def lines(records: Iterable[Record]) -> dict[Workload, list[Record]]:
    """Records by their line, which is named by its workload of batch size 1, in their order.

    What was skipped was not tried, and is left out.
    """
    found: dict[Workload, list[Record]] = {}
    for record in records:
        if record.status != "skipped":
            found.setdefault(record.workload.at(1), []).append(record)
    return found


def attempt(record: Record) -> Attempt | None:
    """A record as a point of its line; None where it has neither a latency nor a failure."""
    batch, failure, rate = record.workload.batch_size, record.failure, record.throughput
    if failure is not None:
        early = failure.stage in ("prepare", "load")
        hopeful = failure.kind in SMALLER_MAY_WORK and not early
        return Attempt(at=batch, failure=failure.kind, hopeful=hopeful)
    if rate is None:
        return None
    return Attempt(
        at=batch, rate=rate.value, low=rate.low, high=rate.high, allowance=_allowance(record, rate)
    )


def _allowance(record: Record, rate: Estimate) -> float:
    if record.figures.get("verdict") == "contended":
        return DISTURBED
    several = (record.number("latency_processes") or 1) > 1
    return 0.0 if several and rate.high else ONE_PROCESS
