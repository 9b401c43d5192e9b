"""Parent: the cost of a model reference, counted in a worker process that ends afterwards."""

from __future__ import annotations

from dataclasses import asdict, dataclass

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
from inferometer.runner.workers.messages import Message

BACKEND = "torch"
DEFAULT_PRECISION = "fp32"


@dataclass(frozen=True, kw_only=True)
class CostWish:
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


def cost_of(wish: CostWish) -> Costing:
    """Load a model in a worker, count a call of it, and end the worker.

    Raises:
        InputError: the reference is wrong, or a package is missing; nothing was started.
        WorkloadError: it could not be loaded or counted; the worker may have crashed, run out of
            memory or taken too long.
    """
    file = onnx_path(wish.model)
    if file is None:
        _check(wish)
    clock = patience(wish.timeout_s)
    with worker_alone(_variant(wish), threads=physical_cores(), seed=wish.seed) as worker:
        if file is None:
            worker.load(clock.deadline(0))
        request = _request(wish, None if file is None else str(file), worker.memory_limit_bytes)
        answer = worker.ask(request, stage="load", deadline=clock.deadline(0))
    return Costing.from_json(answer["costing"])


def _check(wish: CostWish) -> None:
    """Refuse what cannot work before anything is started."""
    from inferometer.backends import backend

    found = format_of(wish.model)
    if found is not None and found not in backend(BACKEND).accepts:
        raise ModelReferenceError(
            f"{shown(wish.model)} is a model in the format {found.value}, which cannot be counted; "
            f"models of {BACKEND} and ONNX files can"
        )
    check(wish.model)
    known = backend(BACKEND).precisions
    if wish.precision not in (None, *known):
        raise InputError(
            f"{BACKEND} has no precision {wish.precision!r}; known: {', '.join(known)}"
        )


def _variant(wish: CostWish) -> Variant:
    precision = wish.precision or DEFAULT_PRECISION
    return Variant(model=wish.model, backend=BACKEND, precision=precision)


def _request(wish: CostWish, file: str | None, memory_limit_bytes: int) -> Message:
    batch_size = OWN_BATCH if wish.batch_size is None else wish.batch_size
    shape = Shape(batch_size=batch_size, input_size=wish.input_size)
    if file is None:
        return {"do": "costing", "shape": asdict(shape), "may_run": wish.may_run}
    return {
        "do": "file costing",
        "model": wish.model,
        "file": file,
        "precision": wish.precision,
        "shape": asdict(shape),
        "memory_limit_bytes": memory_limit_bytes,
    }
