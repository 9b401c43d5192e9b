"""Parent: the cost of a model reference, counted in a worker process that ends afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.costing import Costing
from inferometer.core.errors import InputError, ModelReferenceError
from inferometer.core.procedure import Procedure
from inferometer.core.shown import shown
from inferometer.core.workload import Shape, Variant
from inferometer.host.cpus import physical_cores
from inferometer.models import check, format_of
from inferometer.models.cost.onnx.file import onnx_path
from inferometer.runner.workers.alone import patience, worker_alone
from inferometer.runner.workers.costed import OWN_BATCH
from inferometer.runner.workers.messages import CostFile, CostModel

BACKEND = "torch"
DEFAULT_PRECISION = "fp32"


@dataclass(frozen=True, kw_only=True)
class CostRequest:
    """What is to be counted.

    Attributes:
        model: its reference.
        batch_size: samples in the call; None is the model's own: that of its file or its example,
            else 1.
        input_size: height and width of images or length of sequences; None for the model's own.
        precision: None is fp32, or what a file has that is counted as it is.
        seed: of random weights and inputs.
        may_run: whether a real call may be counted where nothing else tells what the network does.
        timeout_s: how long the worker may take to load, and then to count.
    """

    model: str
    batch_size: int | None = None
    input_size: int | None = None
    precision: str | None = None
    seed: int = 0
    may_run: bool = False
    timeout_s: float = Procedure.timeout_s


def cost_of(request: CostRequest) -> Costing:
    """Load a model in a worker, count a call of it, and end the worker.

    Raises:
        InputError: the reference is wrong, or a package is missing; nothing was started.
        WorkloadError: it could not be loaded or counted; the worker may have crashed, run out of
            memory or taken too long.
    """
    file = onnx_path(request.model)
    if file is None:
        _check(request)
    clock = patience(request.timeout_s)
    with worker_alone(_variant(request), threads=physical_cores(), seed=request.seed) as worker:
        if file is None:
            worker.load(clock.deadline(0))
        asked = _asked(request, None if file is None else str(file), worker.memory_limit_bytes)
        return worker.ask(asked, Costing, stage="load", deadline=clock.deadline(0))


def _check(request: CostRequest) -> None:
    """Refuse what cannot work before anything is started."""
    from inferometer.backends import backend

    found = format_of(request.model)
    if found is not None and found not in backend(BACKEND).accepts:
        raise ModelReferenceError(
            f"{shown(request.model)} is a model in the format {found.value}, which cannot be "
            f"counted; models of {BACKEND} and ONNX files can"
        )
    check(request.model)
    known = backend(BACKEND).precisions
    if request.precision not in (None, *known):
        raise InputError(
            f"{BACKEND} has no precision {request.precision!r}; known: {', '.join(known)}"
        )


def _variant(request: CostRequest) -> Variant:
    precision = request.precision or DEFAULT_PRECISION
    return Variant(model=request.model, backend=BACKEND, precision=precision)


def _asked(request: CostRequest, file: str | None, memory_limit_bytes: int) -> CostModel | CostFile:
    batch_size = OWN_BATCH if request.batch_size is None else request.batch_size
    shape = Shape(batch_size=batch_size, input_size=request.input_size)
    if file is None:
        return CostModel(shape=shape, may_run=request.may_run)
    return CostFile(
        model=request.model,
        file=file,
        shape=shape,
        precision=request.precision,
        memory_limit_bytes=memory_limit_bytes,
    )
