"""Parent: where the time of a call goes, profiled in a worker process that ends afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inferometer.backends import backend
from inferometer.core.cost import Cost
from inferometer.core.procedure import Procedure
from inferometer.core.profile import Profile
from inferometer.core.workload import Shape, Workload
from inferometer.runner.formats import check_model
from inferometer.runner.scheduling.task import typical_s
from inferometer.runner.workers.alone import worker_alone
from inferometer.runner.workers.messages import (
    CostsCounted,
    CountCosts,
    Failed,
    ProfileCalls,
    WarmedUp,
    WarmUp,
)
from inferometer.runner.workers.parent import WorkerFailed, WorkerProcess
from inferometer.runner.workers.pool import Clock

SECONDS = 5.0
LEAST_CALLS = 8
"""Calls that are made however slow they are: starting the profiler, and one replicate."""


@dataclass(frozen=True, kw_only=True)
class ProfileRequest:
    """What is to be profiled.

    Attributes:
        workload: what runs, where.
        seconds: how long to go on; slow calls take longer.
        seed: of random weights and inputs.
        trace: where to write the last profiled calls for Chrome and Perfetto; None for nowhere.
        timeout_s: how long the worker may stay silent.
        end: reading of `time.monotonic` at which it must be over.
        memory_limit_bytes: most that the worker may use; None is what the machine can give.
    """

    workload: Workload
    seconds: float = SECONDS
    timeout_s: float = Procedure.timeout_s
    seed: int = 0
    trace: Path | None = None
    end: float = math.inf
    memory_limit_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Profiled:
    """What the worker found.

    Attributes:
        workload: what was profiled.
        profile: where the time goes.
        cost: operations of a call; None where they were not counted.
        no_cost: why not; empty where they were.
    """

    workload: Workload
    profile: Profile
    cost: Cost | None = None
    no_cost: str = ""


def profile_of(request: ProfileRequest, *, say: Callable[[str], None] = lambda _: None) -> Profiled:
    """Load a workload in a worker, warm it up, profile it, and count its operations.

    Args:
        request: what is wanted.
        say: told what is done, one line at a time.

    Raises:
        InputError: the model or the backend is not known; nothing was started.
        WorkloadError: it could not be loaded, called or profiled; the worker may have crashed, run
            out of memory or taken too long.
    """
    workload = request.workload
    _check(workload)
    with worker_alone(
        workload.variant,
        device=workload.device,
        threads=workload.threads or 1,
        seed=request.seed,
        memory_limit_bytes=request.memory_limit_bytes,
    ) as worker:
        return _profiled(worker, request, say)


def _check(workload: Workload) -> None:
    """Refuse what cannot work before anything is started."""
    backend(workload.variant.backend)
    check_model(workload.variant.model, [workload.variant.backend])


def _profiled(
    worker: WorkerProcess, request: ProfileRequest, say: Callable[[str], None]
) -> Profiled:
    clock = Clock(end=request.end, timeout_s=request.timeout_s)
    workload = request.workload
    shape = workload.shape
    say(f"loading {workload.label}")
    worker.load(clock.deadline(0))
    say("warming up")
    warm = worker.ask(WarmUp(shape=shape), WarmedUp, stage="warmup", deadline=clock.deadline(0))
    say(f"profiling for {request.seconds:g} s")
    asked = ProfileCalls(
        shape=shape,
        seconds=request.seconds,
        trace=None if request.trace is None else str(request.trace.resolve()),
    )
    deadline = clock.deadline(request.seconds + LEAST_CALLS * typical_s(warm.round))
    profile = worker.ask(asked, Profile, stage="measure", deadline=deadline)
    cost, no_cost = _cost(worker, shape, clock)
    return Profiled(workload=workload, profile=profile, cost=cost, no_cost=no_cost)


def _cost(worker: WorkerProcess, shape: Shape, clock: Clock) -> tuple[Cost | None, str]:
    """The cost, or why there is none: a profile is of use without it."""
    request = CountCosts(shapes=(shape,), may_run=True)
    try:
        answer = worker.ask(request, CostsCounted, stage="measure", deadline=clock.deadline(0))
    except WorkerFailed as failed:
        return None, failed.failure.message
    (found,) = answer.costs
    if isinstance(found, Failed):
        return None, found.message
    return found, "the network cannot be looked into" if found is None else ""
