"""Where the model is: count what its calls cost, in copies of this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.core.protocols import SupportsOperations
from inferometer.core.workload import Shape
from inferometer.runner.workers.apart import PATIENCE_S, apart
from inferometer.runner.workers.messages import CostsCounted, Failed

if TYPE_CHECKING:
    from inferometer.runner.workers.harness import Harness

Method = Literal["simulated", "run"]


def count(harness: Harness, shape: Shape, *, may_run: bool = False) -> Cost | None:
    """The analytical cost of a call; None where the network cannot be looked into.

    What counting imports is imported here, once: many models may be counted in this process.

    Args:
        harness: the loaded model.
        shape: of the call.
        may_run: whether a real call may be counted where there is no other way.

    Raises:
        WorkloadError: (unsupported) it cannot be counted without running it; the copy of the
            process died or took too long.
    """
    if not _can_be_counted(harness):
        return None
    from inferometer.models.cost import import_counter

    import_counter()
    return _counted(harness, shape, may_run=may_run)


def count_all(harness: Harness, shapes: Sequence[Shape], *, may_run: bool = False) -> CostsCounted:
    """The cost of each shape, or why it was not counted; None as above.

    One copy imports what counting takes, which this process shall not hold, and each shape is
    counted in a copy of that: what one leaves in caches is nothing to the next.
    """
    if not _can_be_counted(harness):
        return CostsCounted(costs=(None,) * len(shapes))

    def work() -> CostsCounted:
        from inferometer.models.cost import import_counter

        import_counter()
        return CostsCounted(costs=tuple(_answer(harness, one, may_run=may_run) for one in shapes))

    try:
        return apart(work, CostsCounted, patience_s=PATIENCE_S * len(shapes))
    except WorkloadError as error:
        return CostsCounted(costs=(_failed(error),) * len(shapes))


def _can_be_counted(harness: Harness) -> bool:
    return isinstance(harness.session, SupportsOperations)


def _answer(harness: Harness, shape: Shape, *, may_run: bool) -> Cost | Failed:
    try:
        return _counted(harness, shape, may_run=may_run)
    except WorkloadError as error:
        return _failed(error)


def _failed(error: WorkloadError) -> Failed:
    return Failed(kind=error.kind, message=str(error))


def _counted(harness: Harness, shape: Shape, *, may_run: bool) -> Cost:
    """A cost; a real call on the processor alone, for a copy has no accelerator."""
    session = harness.session
    assert isinstance(session, SupportsOperations)
    on_processor = harness.session.device == "cpu"
    fetched = None if on_processor else session.on_host(harness.inputs(shape))

    def by(method: Method) -> Cost:
        from inferometer.models.cost import count_operations

        inputs = fetched or session.on_host(harness.inputs(shape))
        return count_operations(session.network, inputs.args, inputs.kwargs, method=method)

    try:
        return apart(lambda: by("simulated"), Cost)
    except WorkloadError:
        if not (may_run and on_processor):
            raise
    return apart(lambda: by("run"), Cost)
