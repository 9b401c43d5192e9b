"""Where the model is: count what its calls cost, in copies of this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.core.protocols import SupportsOperations
from inferometer.core.record import Failure
from inferometer.core.workload import Shape
from inferometer.runner.workers.apart import PATIENCE_S, apart
from inferometer.runner.workers.messages import Message, failure_to_json

if TYPE_CHECKING:
    from inferometer.runner.workers.harness import Bench

Method = Literal["simulated", "run"]


def count(bench: Bench, shape: Shape, *, may_run: bool = False) -> Cost | None:
    """What a call costs on paper; None where the network cannot be looked into.

    What counting imports is imported here, once: many models may be counted in this process.

    Args:
        bench: the loaded model.
        shape: of the call.
        may_run: whether a real call may be counted where there is no other way.

    Raises:
        WorkloadError: (unsupported) it cannot be counted without running it; the copy of the
            process died or took too long.
    """
    if not _can_be_counted(bench):
        return None
    from inferometer.models.cost import import_counter

    import_counter()
    return Cost.from_json(_counted(bench, shape, may_run=may_run))


def count_all(bench: Bench, shapes: Sequence[Shape], *, may_run: bool = False) -> list[Message]:
    """An answer for each shape, `cost` or `failure`; a `cost` of None as above.

    One copy imports what counting takes, which this process shall not hold, and each shape is
    counted in a copy of that: what one leaves in caches is nothing to the next.
    """
    if not _can_be_counted(bench):
        return [{"cost": None} for _ in shapes]

    def work() -> Message:
        from inferometer.models.cost import import_counter

        import_counter()
        return {"answers": [_answer(bench, shape, may_run=may_run) for shape in shapes]}

    try:
        answers: list[Message] = apart(work, patience_s=PATIENCE_S * len(shapes))["answers"]
    except WorkloadError as error:
        return [_failure(error) for _ in shapes]
    return answers


def _can_be_counted(bench: Bench) -> bool:
    return isinstance(bench.session, SupportsOperations)


def _answer(bench: Bench, shape: Shape, *, may_run: bool) -> Message:
    try:
        return {"cost": _counted(bench, shape, may_run=may_run)}
    except WorkloadError as error:
        return _failure(error)


def _failure(error: WorkloadError) -> Message:
    return failure_to_json(Failure(stage="warmup", kind=error.kind, message=str(error)))


def _counted(bench: Bench, shape: Shape, *, may_run: bool) -> Message:
    """A cost as JSON; a real call on the processor alone, for a copy has no accelerator."""
    session = bench.session
    assert isinstance(session, SupportsOperations)
    on_processor = bench.session.device == "cpu"
    fetched = None if on_processor else session.on_host(bench.inputs(shape))

    def by(method: Method) -> Message:
        from inferometer.models.cost import count_operations

        inputs = fetched or session.on_host(bench.inputs(shape))
        return count_operations(
            session.network, inputs.args, inputs.kwargs, method=method
        ).to_json()

    try:
        return apart(lambda: by("simulated"))
    except WorkloadError:
        if not (may_run and on_processor):
            raise
    return apart(lambda: by("run"))
