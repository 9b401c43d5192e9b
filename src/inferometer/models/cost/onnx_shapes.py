"""Gives every tensor of an ONNX graph its shape at a batch and an input size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError, in_one_line, is_out_of_memory
from inferometer.models.cost.onnx_constants import fold, small_constants
from inferometer.models.cost.onnx_contrib import tell_contrib
from inferometer.models.cost.onnx_tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto

BATCH_NAMES = ("n", "b", "bs")
"""Names of an axis, besides those with `batch` in them, that say it is the batch."""

LONGEST_CHAIN = 32
"""Rounds of inference; each computes what the one before has made known."""


@dataclass(frozen=True, kw_only=True)
class Shaped:
    """A graph whose tensors have shapes.

    Attributes:
        model: with its open axes set.
        tensors: what is known of each tensor, by name.
        constants: values of the small ones that are known before any input is.
        notes: how open axes were set, for people.
    """

    model: ModelProto
    tensors: Mapping[str, Tensor]
    constants: Mapping[str, NDArray[Any]]
    notes: tuple[str, ...]


def shaped(model: ModelProto, path: Path, *, batch_size: int, input_size: int | None) -> Shaped:
    """Set the open axes of the inputs and infer all shapes that follow.

    Raises:
        WorkloadError: (unsupported) the file is for another shape, or open where nothing was said;
            (bad_model) its shapes contradict each other.
    """
    notes = _set_axes(model, path, batch_size, input_size)
    known: dict[str, Tensor] = {}
    for _ in range(LONGEST_CHAIN):
        known = _inferred(model, path)
        if not fold(model, known) | tell_contrib(model.graph, known):
            break
    constants = small_constants(model.graph)
    return Shaped(model=model, tensors=known, constants=constants, notes=notes)


def real_inputs(graph: GraphProto) -> list[Any]:
    """Inputs that a caller gives; old files list their weights among them."""
    weights = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def _set_axes(
    model: ModelProto, path: Path, batch_size: int, input_size: int | None
) -> tuple[str, ...]:
    inputs = [value for value in real_inputs(model.graph) if value.type.HasField("tensor_type")]
    named = {
        axis.dim_param
        for value in inputs
        for axis in value.type.tensor_type.shape.dim
        if _says_batch(axis.dim_param)
    }
    batch_names = named or {
        value.type.tensor_type.shape.dim[0].dim_param
        for value in inputs
        if value.type.tensor_type.shape.dim
    }
    used: dict[str, int] = {}
    sized = False
    for value in inputs:
        for place, axis in enumerate(value.type.tensor_type.shape.dim):
            fixed = axis.HasField("dim_value") and axis.dim_value > 0
            is_batch = axis.dim_param in batch_names if axis.dim_param else place == 0
            if fixed:
                if place == 0 and not named:
                    _require_batch(path, value.name, int(axis.dim_value), batch_size)
                sized |= place > 0 and axis.dim_value == input_size
                continue
            if not is_batch and input_size is None:
                name = axis.dim_param or f"axis {place}"
                raise WorkloadError(
                    "unsupported", f"{path}: input {value.name} is open along {name}; give a size"
                )
            length = batch_size if is_batch else int(input_size or 0)
            used[axis.dim_param or f"{value.name}[{place}]"] = length
            axis.dim_value = length
            sized |= not is_batch
    if input_size is not None and not sized:
        raise WorkloadError(
            "unsupported", f"{path} was made for one input size, not for {input_size}"
        )
    if not used:
        return ()
    return ("open axes: " + ", ".join(f"{name} = {length}" for name, length in used.items()),)


def _says_batch(name: str) -> bool:
    return "batch" in name.lower() or name.lower() in BATCH_NAMES


def _require_batch(path: Path, name: str, made_for: int, batch_size: int) -> None:
    if made_for != batch_size:
        raise WorkloadError(
            "unsupported",
            f"{path}: its first axis of input {name} is {made_for}, not {batch_size}; "
            f"give batch {made_for}",
        )


def _inferred(model: ModelProto, path: Path) -> dict[str, Tensor]:
    import onnx.shape_inference

    try:
        found = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        message = f"{path}: its shapes do not fit together: {in_one_line(error)}"
        raise WorkloadError("bad_model", message) from error
    known: dict[str, Tensor] = {}
    _collect(found.graph, known)
    return known


def _collect(graph: GraphProto, into: dict[str, Tensor]) -> None:
    for value in [*graph.input, *graph.output, *graph.value_info]:
        kind = value.type.tensor_type
        axes = kind.shape.dim if kind.HasField("shape") else None
        closed = axes is not None and all(axis.HasField("dim_value") for axis in axes)
        dims = tuple(int(axis.dim_value) for axis in axes) if axes is not None and closed else None
        if dims is not None or value.name not in into:
            into[value.name] = Tensor(kind.elem_type, dims)
    for tensor in graph.initializer:
        into[tensor.name] = Tensor(tensor.data_type, tuple(tensor.dims))
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.HasField("t"):
                into[node.output[0]] = Tensor(attribute.t.data_type, tuple(attribute.t.dims))
            for inside in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                _collect(inside, into)
