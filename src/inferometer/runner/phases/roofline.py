"""What the device attains at best, probed before a run, and what that says of each workload."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inferometer.core.cost import Cost
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.procedure import Procedure
from inferometer.core.protocols import SupportsRoofline
from inferometer.core.record import Value
from inferometer.core.roofline import ROOFLINES, ProbePlan, Roofline, known_rooflines, roofline_for
from inferometer.core.sections import Bounds
from inferometer.core.statement import Statement
from inferometer.core.units import duration, percent
from inferometer.core.workload import Variant, Workload
from inferometer.host.caches import last_level_bytes
from inferometer.host.files import LIVE, is_live
from inferometer.host.memory import available_bytes
from inferometer.runner.events import Listener, Notice
from inferometer.runner.journal import Journal
from inferometer.runner.workers.alone import worker_alone
from inferometer.runner.workers.messages import Probe
from inferometer.runner.workers.parent import Deadline, WorkerProcess
from inferometer.stats.roofline import OperatorBound, Rates, Work, bound, operator_bound

PROBE_S = 4.0
"""About what a probe of one precision takes, with a process of its own and its imports."""
AFFORDABLE = 10
"""A budget must leave so many times that."""
PATIENCE_S = 60.0
ROOM_SHARE = 0.25
"""Share of the available memory that the arrays of a probe may take."""

TOO_LITTLE_TIME = "the roofline of this device was not measured: the budget leaves less than {}"
FAILED = "the roofline of this device at {} was not measured: {}"
DISTURBED = (
    "other programs ran while the roofline of this device at {} was measured (the probe had {} of "
    "the processor): it may be too low"
)


def probe_roofline(
    backend: str,
    precision: str,
    *,
    device: str,
    threads: int,
    memory_limit_bytes: int | None = None,
    patience_s: float = PATIENCE_S,
    seconds: float = ProbePlan.seconds,
) -> Roofline:
    """Probe this machine in a process of its own.

    Args:
        backend: one that offers a probe (`offers_probe`).
        precision: of the arithmetic.
        device: the device to probe.
        threads: of the process.
        memory_limit_bytes: most that it may use; None is what the machine can give.
        patience_s: give up after so many seconds.
        seconds: about how long it measures.

    Raises:
        WorkloadError: there is no such device or precision, or the process died or was too slow.
    """
    limit = min(available_bytes(), memory_limit_bytes or math.inf)
    plan = ProbePlan(
        cache_bytes=last_level_bytes() if device == "cpu" else None,
        room_bytes=int(ROOM_SHARE * limit),
        seconds=seconds,
    )
    deadline = Deadline(
        at=time.monotonic() + patience_s,
        kind="timeout",
        message=f"no answer within {patience_s:.0f} s",
    )
    variant = Variant(model="", backend=backend, precision=precision)
    with worker_alone(
        variant, device=device, threads=threads, memory_limit_bytes=memory_limit_bytes
    ) as worker:
        return worker.ask(_request(worker, plan), Roofline, stage="measure", deadline=deadline)


def _request(worker: WorkerProcess, plan: ProbePlan) -> Probe:
    return Probe(
        backend=worker.variant.backend,
        precision=worker.variant.precision,
        device=worker.device,
        threads=worker.threads,
        plan=plan,
    )


def check_probe(backend: str, precisions: Sequence[str]) -> None:
    """Refuse what cannot be probed before anything is. Imports no runtime.

    Raises:
        InputError: no such backend, one without a probe or the precision, or a missing package.
    """
    from inferometer.backends import backend as backend_called

    if not offers_probe(backend):
        raise InputError(f"the backend {backend} cannot probe a device; take --backend torch")
    known = backend_called(backend).precisions
    for precision in precisions:
        if precision not in known:
            raise InputError(
                f"the backend {backend} has no precision {precision!r}; known: {', '.join(known)}"
            )


def offers_probe(backend: str) -> bool:
    """Whether a backend can say what the device attains. Imports no runtime."""
    from inferometer.backends import backend as backend_called

    return isinstance(backend_called(backend), SupportsRoofline)


def rooflines_of_run(
    procedure: Procedure, journal: Journal, workloads: Sequence[Workload], *, root: Path = LIVE
) -> list[Roofline]:
    """The rooflines that a run holds, and those that it lacks, probed now and kept with it.

    None is probed where the procedure does not ask for it, before continuous inference, which
    begins on a cool device, or where the device is a recorded one.
    """
    run = journal.run
    known = known_rooflines(run.device)
    if not procedure.roofline or procedure.sustain_s is not None or not is_live(root):
        return known
    left_s = math.inf if procedure.budget_s is None else procedure.budget_s
    found = probe_missing(
        workloads,
        known,
        left_s=left_s,
        memory_limit_bytes=procedure.memory_limit_bytes,
        listener=journal.listener,
    )
    if found:
        rooflines = [*known, *found]
        device = {**run.device, ROOFLINES: [roofline.to_json() for roofline in rooflines]}
        journal.store.set_device(run.id, device)
        return rooflines
    return known


def probe_missing(
    workloads: Sequence[Workload],
    known: Sequence[Roofline],
    *,
    left_s: float,
    listener: Listener,
    memory_limit_bytes: int | None = None,
) -> list[Roofline]:
    """Probe what the workloads lack, one precision after the other; a failure is a notice.

    Args:
        workloads: what will be measured.
        known: rooflines that there are already.
        left_s: time of the run; infinite without a budget.
        listener: told of what was not measured, and why.
        memory_limit_bytes: most that a probe may use; None is what the machine can give.
    """
    end = time.monotonic() + left_s
    found: list[Roofline] = []
    for workload in _lacking(workloads, known):
        left_s = end - time.monotonic()
        if left_s < AFFORDABLE * PROBE_S:
            listener(Notice(message=TOO_LITTLE_TIME.format(duration(AFFORDABLE * PROBE_S))))
            break
        precision = workload.variant.precision
        try:
            roofline = probe_roofline(
                workload.variant.backend,
                precision,
                device=workload.device,
                threads=workload.threads or 1,
                memory_limit_bytes=memory_limit_bytes,
                patience_s=min(PATIENCE_S, left_s / 2),
            )
        except WorkloadError as error:
            listener(Notice(message=FAILED.format(precision, error)))
            continue
        found.append(roofline)
        if roofline.disturbed:
            listener(Notice(message=DISTURBED.format(precision, percent(roofline.granted))))
    return found


def _lacking(workloads: Sequence[Workload], known: Sequence[Roofline]) -> list[Workload]:
    """One workload for each roofline that is not known and that its backend can probe."""
    lacking: dict[tuple[str, str, int | None], Workload] = {}
    for workload in workloads:
        if roofline_for(workload, known) is None and offers_probe(workload.variant.backend):
            place = (workload.device, workload.variant.precision, workload.threads)
            lacking.setdefault(place, workload)
    return list(lacking.values())


def rates_of(roofline: Roofline) -> Rates:
    """The best rates of a probe."""
    return Rates(
        flops_per_s=roofline.flops.best,
        memory_per_s=roofline.memory.best,
        cache_per_s=None if roofline.cache is None else roofline.cache.best,
        cache_bytes=roofline.cache_bytes,
    )


def bounds_of(cost: Cost, roofline: Roofline, latency_s: float) -> Bounds:
    """What follows from a cost, a roofline and the median of a call.

    A latency below the bound shows that the roofline is wrong: then the fields that rest on it
    are None, and `notes` says so. Without the operations of all operators only dispatch
    overhead is known.
    """
    dispatch_s = cost.operator_calls * roofline.dispatch_s
    if cost.unknown_operators:
        return Bounds(dispatch_latency_s=dispatch_s, notes=_incomplete(cost))
    least = bound(cost.flops, cost.compulsory_bytes, rates_of(roofline))
    share = least.share(latency_s)
    intensity = cost.flops / cost.operator_bytes if cost.operator_bytes else None
    if not 0 < share <= 1:
        above = Statement("faster_than_roofline", {"share": share})
        return Bounds(arithmetic_intensity=intensity, notes=(above,) if share > 1 else ())
    found = Bounds(
        arithmetic_intensity=intensity,
        roof_latency_s=least.latency_s,
        roof_share=share,
        roof_limit=least.limit,
    )
    if not cost.operator_bytes:
        return found
    one_by_one = _one_by_one(cost, roofline)
    return replace(
        found,
        operator_roof_latency_s=one_by_one.latency_s,
        memory_bound_share=one_by_one.memory_bound_share,
        dispatch_latency_s=dispatch_s,
    )


def _one_by_one(cost: Cost, roofline: Roofline) -> OperatorBound:
    """What a runtime takes at least that does one operator after the other."""
    work = (
        Work(flops=one.flops, moved=one.bytes_read + one.bytes_written, calls=one.calls)
        for one in cost.operators
        if one.bytes_written
    )
    return operator_bound(work, cost.compulsory_bytes, rates_of(roofline))


def _incomplete(cost: Cost) -> tuple[Statement, ...]:
    operators = ", ".join(cost.unknown_operators)
    return (Statement("operators_unknown", {"operators": operators}),)


def against_roofline(
    workload: Workload, cost: Cost | None, rooflines: Sequence[Roofline], latency_s: Value
) -> Bounds:
    """What the rooflines say of a workload; nothing where one of these is not known.

    Where operations are not known, a note says so with rooflines and without.

    Args:
        workload: of the record.
        cost: of a call.
        rooflines: of the device.
        latency_s: median of a call, seconds.
    """
    roofline = roofline_for(workload, rooflines)
    if cost is None:
        return Bounds()
    if roofline is None or not isinstance(latency_s, float) or latency_s <= 0:
        return Bounds(notes=_incomplete(cost) if cost.unknown_operators else ())
    return bounds_of(cost, roofline, latency_s)
