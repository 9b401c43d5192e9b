"""What the device attains at best, probed before a run, and what that says of each workload."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inferometer.core.cost import Cost
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.procedure import Procedure
from inferometer.core.protocols import SupportsRoofline
from inferometer.core.record import Value
from inferometer.core.roof import ROOFS, ProbePlan, Roof, known_roofs, roof_for
from inferometer.core.units import duration, percent
from inferometer.core.workload import Variant, Workload
from inferometer.host.caches import last_level_bytes
from inferometer.host.files import LIVE, is_live
from inferometer.host.memory import available_bytes
from inferometer.runner.events import Listener, Notice
from inferometer.runner.journal import Journal
from inferometer.runner.workers.alone import worker_alone
from inferometer.runner.workers.parent import Deadline, WorkerProcess
from inferometer.stats.roofline import Rates, Work, bound, operator_bound

PROBE_S = 4.0
"""About what a probe of one precision takes, with a process of its own and its imports."""
AFFORDABLE = 10
"""A budget must leave so many times that."""
PATIENCE_S = 60.0
ROOM_SHARE = 0.25
"""Share of the available memory that the arrays of a probe may take."""

TOO_LITTLE_TIME = "the roofs of this device were not measured: the budget leaves less than {}"
FAILED = "the roofs of this device at {} were not measured: {}"
DISTURBED = (
    "other programs ran while the roofs of this device at {} were measured (the probe had {} of "
    "the processor): they may be too low"
)
ABOVE = (
    "it was faster than the roof that was measured before ({} of it), which therefore is none: "
    "other programs slowed the probe down, or the runtime does less than is counted, or does it in "
    "fewer bits (TF32)"
)
RESTING = (
    *("arithmetic_intensity", "roof_latency_s", "roof_share", "roof_limit"),
    *("operator_roof_latency_s", "memory_bound_share"),
)
"""Fields that rest on the number of all operations."""

INCOMPLETE = (
    "operations of {} are not known: MACs and FLOPs are lower bounds, and arithmetic intensity and "
    "roofs are null"
)


def probe_roof(
    backend: str,
    precision: str,
    *,
    device: str,
    threads: int,
    memory_limit_bytes: int | None = None,
    patience_s: float = PATIENCE_S,
    seconds: float = ProbePlan.seconds,
) -> Roof:
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
        answer = worker.ask(_request(worker, plan), stage="measure", deadline=deadline)
    return Roof.from_json(answer["roof"])


def _request(worker: WorkerProcess, plan: ProbePlan) -> dict[str, Any]:
    return {
        "do": "probe",
        "backend": worker.variant.backend,
        "precision": worker.variant.precision,
        "device": worker.device,
        "threads": worker.threads,
        "plan": asdict(plan),
    }


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


def roofs_of_run(
    procedure: Procedure, journal: Journal, workloads: Sequence[Workload], *, root: Path = LIVE
) -> list[Roof]:
    """The roofs that a run holds, and those that its workloads lack, probed now and kept with it.

    None is probed where the procedure does not ask for it, before continuous inference, which
    begins on a cool device, or where the device is a recorded one.
    """
    run = journal.run
    known = known_roofs(run.device)
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
        roofs = [*known, *found]
        device = {**run.device, ROOFS: [roof.to_json() for roof in roofs]}
        journal.store.set_device(run.id, device)
        return roofs
    return known


def probe_missing(
    workloads: Sequence[Workload],
    known: Sequence[Roof],
    *,
    left_s: float,
    listener: Listener,
    memory_limit_bytes: int | None = None,
) -> list[Roof]:
    """Probe what the workloads lack, one precision after the other; a failure is a notice.

    Args:
        workloads: what will be measured.
        known: roofs that there are already.
        left_s: time of the run; infinite without a budget.
        listener: told of what was not measured, and why.
        memory_limit_bytes: most that a probe may use; None is what the machine can give.
    """
    end = time.monotonic() + left_s
    found: list[Roof] = []
    for workload in _lacking(workloads, known):
        left_s = end - time.monotonic()
        if left_s < AFFORDABLE * PROBE_S:
            listener(Notice(message=TOO_LITTLE_TIME.format(duration(AFFORDABLE * PROBE_S))))
            break
        precision = workload.variant.precision
        try:
            roof = probe_roof(
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
        found.append(roof)
        if roof.disturbed:
            listener(Notice(message=DISTURBED.format(precision, percent(roof.granted))))
    return found


def _lacking(workloads: Sequence[Workload], known: Sequence[Roof]) -> list[Workload]:
    """One workload for each roof that is not known and that its backend can probe."""
    lacking: dict[tuple[str, str, int | None], Workload] = {}
    for workload in workloads:
        if roof_for(workload, known) is None and offers_probe(workload.variant.backend):
            place = (workload.device, workload.variant.precision, workload.threads)
            lacking.setdefault(place, workload)
    return list(lacking.values())


def rates_of(roof: Roof) -> Rates:
    """The best rates of a probe."""
    return Rates(
        flops_per_s=roof.flops.best,
        memory_per_s=roof.memory.best,
        cache_per_s=None if roof.cache is None else roof.cache.best,
        cache_bytes=roof.cache_bytes,
    )


def roof_figures(cost: Cost, roof: Roof, latency_s: float) -> dict[str, Value]:
    """The fields of the record that follow from a cost, a roof and the median of a call.

    A latency below the roof shows that the roof is wrong: then the fields that rest on it are None,
    and `notes` says so. Without the operations of all operators nothing is known but what starting
    them takes.
    """
    if cost.unknown_operators:
        return dict.fromkeys(RESTING) | _dispatch(cost, roof) | _incomplete(cost)
    least = bound(cost.flops, cost.compulsory_bytes, rates_of(roof))
    share = least.share(latency_s)
    holds = 0 < share <= 1
    intensity = cost.flops / cost.operator_bytes if cost.operator_bytes else None
    figures: dict[str, Value] = {
        "arithmetic_intensity": intensity,
        "roof_latency_s": least.latency_s if holds else None,
        "roof_share": share if holds else None,
        "roof_limit": least.limit if holds else None,
    }
    if share > 1:
        figures["notes"] = [ABOVE.format(percent(share))]
    return figures | (_operator_figures(cost, roof) if holds and cost.operator_bytes else {})


def _operator_figures(cost: Cost, roof: Roof) -> dict[str, Value]:
    """What a runtime takes at least that does one operator after the other."""
    work = (
        Work(flops=one.flops, moved=one.bytes_read + one.bytes_written, calls=one.calls)
        for one in cost.operators
        if one.bytes_written
    )
    one_by_one = operator_bound(work, cost.compulsory_bytes, rates_of(roof))
    return {
        "operator_roof_latency_s": one_by_one.latency_s,
        "memory_bound_share": one_by_one.memory_bound_share,
        **_dispatch(cost, roof),
    }


def _dispatch(cost: Cost, roof: Roof) -> dict[str, Value]:
    return {"dispatch_latency_s": cost.operator_calls * roof.dispatch_s}


def _incomplete(cost: Cost) -> dict[str, Value]:
    return {"notes": [INCOMPLETE.format(", ".join(cost.unknown_operators))]}


def against_roof(
    workload: Workload, cost: Cost | None, roofs: Sequence[Roof], latency_s: Value
) -> dict[str, Value]:
    """What the roofs add to the figures of a record; nothing where one of the three is not known.

    Where operations are not known, a note says so with roofs and without.

    Args:
        workload: the record's.
        cost: of a call.
        roofs: of the device.
        latency_s: median of a call, seconds.
    """
    roof = roof_for(workload, roofs)
    if cost is None or roof is None or not isinstance(latency_s, float) or latency_s <= 0:
        return {} if cost is None or not cost.unknown_operators else _incomplete(cost)
    return roof_figures(cost, roof, latency_s)
