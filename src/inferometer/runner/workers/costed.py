"""Where the model is: put the cost of a call together with what is known of the model."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from inferometer.core.costing import Costing
from inferometer.core.errors import WorkloadError
from inferometer.core.protocols import SupportsOperations
from inferometer.core.workload import Shape, Variant
from inferometer.runner.workers.counting import count
from inferometer.runner.workers.harness import Harness, sized

NO_MODULE = "only a torch.nn.Module can be looked into, and this model is another callable"
OWN_BATCH = 0
"""The batch size of a request where none was asked for: the model's own."""


def costing_of(harness: Harness, variant: Variant, shape: Shape, *, may_run: bool) -> Costing:
    """The cost of a loaded model.

    Args:
        harness: holds the loaded model.
        variant: what it is called, and what runs it.
        shape: of the call; its batch may be `OWN_BATCH`.
        may_run: whether a real call may be counted where nothing else tells what it does.

    Raises:
        WorkloadError: (unsupported) it cannot be looked into, or not at this shape.
    """
    from inferometer.models.cost import count_parameters
    from inferometer.models.cost.torch.artifacts import artifacts, safetensors_bytes
    from inferometer.models.inputs import own_batch_size

    if shape.batch_size == OWN_BATCH:
        shape = replace(shape, batch_size=own_batch_size(harness.model.inputs))
    session = harness.session
    if not isinstance(session, SupportsOperations):
        raise WorkloadError("unsupported", NO_MODULE)
    shown = sized(harness.inputs(shape), shape).shape  # not kept: counting makes its own
    cost = count(harness, shape, may_run=may_run)
    if cost is None:
        raise WorkloadError("unsupported", NO_MODULE)
    return Costing(
        model=variant.model,
        source=harness.model.source,
        weights=harness.model.weights,
        backend=variant.backend,
        precision=variant.precision,
        batch_size=shape.batch_size,
        input_size=shape.input_size,
        input_shape=shown,
        cost=cost,
        parameters=asdict(count_parameters(session.network)),
        artifacts=artifacts(harness.model.files),
        safetensors_bytes=safetensors_bytes(session.network),
        notes=harness.model.notes,
    )


def costing_of_file(model: str, file: str, shape: Shape, *, precision: str | None) -> Costing:
    """The cost of an ONNX file, counted from its graph.

    Args:
        model: the reference as the user gave it.
        file: its path.
        shape: of the call; its batch may be `OWN_BATCH`.
        precision: what the user expects it to have; None accepts any.

    Raises:
        WorkloadError: (bad_model) the file is damaged; (unsupported) it was made for another shape
            or another precision.
    """
    from inferometer.models.cost.onnx.graph import count_onnx
    from inferometer.models.cost.torch.artifacts import artifacts

    batch_size = None if shape.batch_size == OWN_BATCH else shape.batch_size
    found = count_onnx(Path(file), batch_size=batch_size, input_size=shape.input_size)
    if precision not in (None, found.precision):
        raise WorkloadError(
            "unsupported",
            f"an ONNX file is counted as it is, and this one is {found.precision}, "
            f"not {precision}; leave the precision out",
        )
    return Costing(
        model=model,
        source="file",
        weights=f"file {Path(file).name}",
        backend=None,
        precision=found.precision,
        batch_size=found.batch_size,
        input_size=shape.input_size,
        input_shape=found.input_shape,
        cost=found.cost,
        parameters=found.parameters,
        artifacts=artifacts(found.files),
        notes=found.notes,
    )
