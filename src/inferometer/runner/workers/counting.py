"""Where the model is: count what its calls cost, in copies of this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.protocols import SupportsOperations
from inferometer.core.workload import Shape
from inferometer.models.inputs import GeneratedInputs
from inferometer.runner.workers.apart import PATIENCE_S, apart
from inferometer.runner.workers.messages import CostsCounted, Failed

if TYPE_CHECKING:
    from inferometer.models.cost.onnx.graph import OnnxCost
    from inferometer.runner.workers.harness import Harness

Method = Literal["simulated", "run"]

COUNTED = ("parameters", "parameters_with_duplicates", "parameter_bytes", "buffer_bytes")
"""Fields of the record that an ONNX file tells of its constants."""


@dataclass(frozen=True, kw_only=True)
class _Parameters:
    """Fields of the record, on their way from a copy of the process."""

    fields: dict[str, int]


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
    _import_counter(harness)
    return _counted(harness, shape, may_run=may_run)


def count_all(harness: Harness, shapes: Sequence[Shape], *, may_run: bool = False) -> CostsCounted:
    """The cost of each shape, or why it was not counted; None as above.

    One copy imports what counting takes, which this process shall not hold, and each shape is
    counted in a copy of that: what one leaves in caches is nothing to the next.
    """
    if not _can_be_counted(harness):
        return CostsCounted(costs=(None,) * len(shapes))

    def work() -> CostsCounted:
        _import_counter(harness)
        return CostsCounted(costs=tuple(_answer(harness, one, may_run=may_run) for one in shapes))

    try:
        return apart(work, CostsCounted, patience_s=PATIENCE_S * len(shapes))
    except WorkloadError as error:
        return CostsCounted(costs=(_failed(error),) * len(shapes))


def _can_be_counted(harness: Harness) -> bool:
    return isinstance(harness.session, SupportsOperations) or reads_onnx(harness.model)


def reads_onnx(model: LoadedModel) -> bool:
    """Whether a model is an ONNX file that can be counted here."""
    return model.format is Format.ONNX and bool(model.files) and find_spec("onnx") is not None


def parameters_of_file(model: LoadedModel) -> dict[str, int]:
    """Fields of the record on the parameters of an ONNX file; none where it cannot be counted.

    A copy of the process counts: the file is large in memory, and this process is measured.
    """

    def work() -> _Parameters:
        found = _of_file(model, Shape(batch_size=model.inputs.batch_size, input_size=None))
        return _Parameters(fields={name: found.parameters[name] for name in COUNTED})

    try:
        return apart(work, _Parameters).fields
    except WorkloadError:
        return {}


def _of_file(model: LoadedModel, shape: Shape) -> OnnxCost:
    from inferometer.models.cost.onnx.graph import count_onnx

    return count_onnx(
        Path(model.files[0]),
        batch_size=shape.batch_size,
        input_size=shape.input_size,
        shapes=_shapes(model, shape),
    )


def _shapes(model: LoadedModel, shape: Shape) -> list[tuple[str, tuple[int, ...]]] | None:
    """Names and shapes of the inputs of a call; None where nothing tells them without making any.

    Raises:
        WorkloadError: (unsupported) there is no such shape.
    """
    inputs = model.inputs
    if not isinstance(inputs, GeneratedInputs):
        return None
    return [(one.name, one.whole(shape.batch_size, shape.input_size)) for one in inputs.tensors]


def _import_counter(harness: Harness) -> None:
    """Import what counting takes, once."""
    if isinstance(harness.session, SupportsOperations):
        from inferometer.models.cost import import_counter

        import_counter()


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
    if not isinstance(session, SupportsOperations):
        return apart(lambda: _of_file(harness.model, shape).cost, Cost)
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
