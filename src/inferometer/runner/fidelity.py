"""Parent: fidelity of variants of a model, or of a file against another, without timing them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.fidelity import OperatorError, Recovery
from inferometer.core.procedure import Procedure
from inferometer.core.sections import Fidelity
from inferometer.core.shown import shown
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Variant, Workload
from inferometer.runner.comparing import SAMPLES, Comparer, Reference, reference_of, variant_label
from inferometer.runner.locating.locator import Locator
from inferometer.runner.run import check, settled
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import Clock, WorkerPool


@dataclass(frozen=True, kw_only=True)
class FidelityRequest:
    """What is to be compared.

    Attributes:
        sweep: variants of one model, at one shape.
        reference: another model, a backend, or `BACKEND:PRECISION`; None is fp32 eager, or the
            same file at fp32 without optimisations.
        samples: how many, at the most.
        data: reference of labelled data of which they are; None makes inputs up.
        seed: of random weights and samples.
        timeout_s: how long a worker may stay silent.
    """

    sweep: Sweep
    reference: str | None = None
    samples: int = SAMPLES
    data: str | None = None
    seed: int = 0
    timeout_s: float = Procedure.timeout_s


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A variant against the reference.

    Attributes:
        workload: the variant, at the shape of the samples.
        fidelity: what was found, or why nothing was.
        operators: that differ, the likeliest origin first.
        recover: what leaving some of them in fp32 gives back and costs.
    """

    workload: Workload
    fidelity: Fidelity
    operators: tuple[OperatorError, ...] = ()
    recover: tuple[Recovery, ...] = ()


def compare_variants(
    request: FidelityRequest, *, say: Callable[[str], None] = lambda _: None
) -> list[Compared]:
    """Load the reference and each variant in workers, and compare what they give.

    Args:
        request: what is wanted.
        say: told what is done, one line at a time.

    Raises:
        InputError: the model, a backend or the reference is wrong; nothing was started.
        WorkloadError: the reference could not be loaded or called.
    """
    procedure = Procedure(seed=request.seed, timeout_s=request.timeout_s, data=request.data)
    study = settled(Study(name="fidelity", sweep=request.sweep, procedure=procedure))
    check(study)
    workloads = study.workloads()
    reference = _reference(request.reference, workloads[0].variant)
    others = [one for one in workloads if one.variant != reference]
    if not others:
        raise InputError(
            f"{variant_label(reference)} is the reference itself: choose other --backends or "
            "--precisions, or name a --reference"
        )
    pool = WorkerPool(procedure, Clock(end=math.inf, timeout_s=request.timeout_s))
    try:
        with tempfile.TemporaryDirectory() as folder:
            comparer = Comparer(pool, Path(folder), samples=request.samples, data=request.data)
            say(f"reference: {variant_label(reference)}")
            made = _made(comparer, reference, others[0])
            locator = Locator(pool, made, say)
            return [_compared(comparer, made, one, say, locator) for one in others]
    finally:
        pool.end_all()


def _made(comparer: Comparer, reference: Variant, like: Workload) -> Reference:
    try:
        return comparer.reference(reference, like, seconds=math.inf)
    except WorkerFailed as failed:
        message = f"the reference {variant_label(reference)}: {failed.failure.message}"
        raise WorkloadError(failed.failure.kind, message) from None


def _compared(
    comparer: Comparer,
    reference: Reference,
    workload: Workload,
    say: Callable[[str], None],
    locator: Locator,
) -> Compared:
    say(f"comparing {variant_label(workload.variant)}")
    try:
        found = comparer.against(reference, workload.variant, workload.device, seconds=math.inf)
    except WorkerFailed as failed:
        seen = {"message": failed.failure.message, "kind": failed.failure.kind}
        return Compared(
            workload=workload, fidelity=Fidelity(fidelity_reason=Statement("fidelity_failed", seen))
        )
    here = replace(reference.workload, variant=workload.variant)
    origins = locator.origins(here)
    return Compared(workload=workload, fidelity=found, **vars(origins))


def _reference(text: str | None, variant: Variant) -> Variant:
    """The reference that the user named, or the usual one.

    Raises:
        InputError: it is wrong, or there is none.
    """
    if text is None:
        found = reference_of(variant)
        if found is None:
            raise InputError(f"nothing else runs {shown(variant.model)}: name a --reference")
        return found
    from inferometer.backends import BACKENDS, backend
    from inferometer.models import check as check_reference

    name, _, precision = text.partition(":")
    if name in BACKENDS.plugins():
        known = backend(name).precisions
        if precision and precision not in known:
            raise InputError(
                f"{name} has no precision {shown(precision)}; known: {', '.join(known)}"
            )
        return Variant(model=variant.model, backend=name, precision=precision or "fp32")
    check_reference(text)
    named = replace(variant, model=text, precision="fp32", options=())
    return reference_of(named) or named


def usual_backend(model: str) -> str:
    """The backend of a model where none is named: torch, or the first that reads its file.

    Raises:
        ModelReferenceError: the reference is wrong.
    """
    from inferometer.backends import BACKENDS, backend
    from inferometer.models import format_of

    found = format_of(model)
    for name in BACKENDS.plugins():
        with suppress(InputError):
            if found is not None and found in backend(name).accepts:
                return name
    return "torch"
