"""Profile a loaded model in this process, by plain and profiled calls that alternate."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferometer.core.errors import WorkloadError
from inferometer.core.metric import Estimate
from inferometer.core.model import Inputs
from inferometer.core.profile import Profile, Profiler
from inferometer.core.protocols import Session, SupportsProfile
from inferometer.core.workload import Shape
from inferometer.runner.workers.harness import Harness, sized
from inferometer.runner.workers.loop import timed_values

if TYPE_CHECKING:  # SciPy is not where a backend has an environment of its own
    from inferometer.stats.comparison import Block

CONFIDENCE = 0.95
GROUPS = 12
"""Replicates that the time is divided into; an interval needs four."""
MOST_EVENTS = 50_000
"""Held by the profiler at a time; reading so many takes about a second."""
EVENT_S = 20e-6
"""What an event costs, its reading included, about; it only divides the time."""
MOST_CALLS = 100
SETTLED_BELOW_S = 0.05


@dataclass(kw_only=True)
class _Replicates:
    """Latencies of blocks in the order plain, profiled, plain; seconds, a block per entry."""

    plain: list[Block] = field(default_factory=list)
    profiled: list[Block] = field(default_factory=list)


def profile_here(
    harness: Harness, shape: Shape, *, seconds: float, trace: str | None = None
) -> Profile:
    """Profile a shape that is warm.

    Each replicate is a block of plain calls, one of profiled calls and one of plain calls again, so
    that a steady drift hits both alike; at least one replicate is made, however long it takes.

    Args:
        harness: the loaded model.
        shape: batch size and input size of the calls.
        seconds: how long to go on, the reading of what the profiler saw included.
        trace: where to write the last profiled calls for Chrome and Perfetto; None for nowhere.

    Raises:
        WorkloadError: (unsupported) the backend has no profiler, or none for the device; the input
            size has no effect.
        InputError: the trace cannot be written.
    """
    inputs = sized(harness.inputs(shape), shape)
    profiler = _profiler(harness.session, inputs)
    call = harness.session.bind(inputs)
    with harness.session.running():
        replicates = _alternate(call, profiler, seconds)
    if trace is not None:
        profiler.save_trace(trace)
    return Profile(
        plain=_median(replicates.plain),
        profiled=_median(replicates.profiled),
        added=_added(replicates),
        tree=profiler.tree(),
        input_shape=inputs.shape,
    )


def _profiler(session: Session, inputs: Inputs) -> Profiler:
    if not isinstance(session, SupportsProfile):
        raise WorkloadError(
            "unsupported", "this backend has no profiler: profile with --backend torch"
        )
    return session.profiler(inputs)


def _alternate(call: Callable[[], object], profiler: Profiler, seconds: float) -> _Replicates:
    from inferometer.stats.comparison import Block

    replicates = _Replicates()
    call_s = profiler.run(1, warmup=1)[0]  # the first session starts the profiler up
    calls = _calls_in_block(call_s, profiler.events, seconds)
    warmup = int(call_s < SETTLED_BELOW_S)
    profiler.forget()
    end = time.perf_counter() + seconds
    while not replicates.profiled or time.perf_counter() < end:
        group = len(replicates.profiled)
        before = _plain(call, calls, warmup)
        middle = profiler.run(2 * calls, warmup=warmup)
        after = _plain(call, calls, warmup)
        replicates.plain += [Block(process=0, group=group, values=part) for part in (before, after)]
        replicates.profiled.append(Block(process=0, group=group, values=middle))
    return replicates


def _calls_in_block(call_s: float, events: int, seconds: float) -> int:
    """Calls in a plain block; a profiled one has twice as many."""
    replicate_s = 4 * call_s + 2 * EVENT_S * events
    within_events = MOST_EVENTS // (2 * max(events, 1))
    return max(1, min(int(seconds / GROUPS / replicate_s), within_events, MOST_CALLS))


def _plain(call: Callable[[], object], calls: int, warmup: int) -> list[float]:
    """Latencies of plain calls after some that count for nothing, seconds."""
    total = warmup + calls
    starts, ends = array("q", bytes(8 * total)), array("q", bytes(8 * total))
    timed_values(call, starts, ends)
    return [(b - a) / 1e9 for a, b in zip(starts, ends, strict=True)][warmup:]


def _median(blocks: Sequence[Block]) -> Estimate:
    from inferometer.stats.intervals import quantile_interval

    found = quantile_interval([block.values for block in blocks], 0.5, CONFIDENCE)
    return Estimate(
        value=found.value,
        low=found.low,
        high=found.high,
        confidence=CONFIDENCE,
        method="median of clustered rounds",
        n=sum(len(block.values) for block in blocks),
    )


def _added(replicates: _Replicates) -> Estimate:
    """What the profiler adds to a call, as a share; no interval from fewer than four replicates."""
    from inferometer.stats.comparison import group_ratios, paired

    found = paired(group_ratios(replicates.plain, replicates.profiled))
    interval = found.interval(CONFIDENCE)
    return Estimate(
        value=found.ratio - 1,
        low=None if interval is None else interval.low - 1,
        high=None if interval is None else interval.high - 1,
        confidence=CONFIDENCE,
        method="trimmed mean of the log-ratios of replicates",
        n=len(replicates.profiled),
    )
