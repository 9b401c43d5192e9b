"""Gives every tensor of an ONNX graph its shape at a batch and an input size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.models.cost.onnx_constants import fold, small_constants, take_branches
from inferometer.models.cost.onnx_contrib import stand_in, tell_contrib
from inferometer.models.cost.onnx_node import bodies, needed, operator_of
from inferometer.models.cost.onnx_tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, ValueInfoProto

BATCH_NAMES = ("n", "b", "bs")
"""Names of an axis, besides those with `batch` in them, that say it is the batch."""

NAMELESS = ("", "?")
"""Names of axes that are none."""


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
        WorkloadError: (unsupported) the file is for another shape, or open where nothing was said.
    """
    notes = _set_axes(model, path, batch_size, input_size)
    tensors = _settled(model)
    _check_reshapes(model.graph, path, tensors)
    constants = small_constants(model.graph)
    return Shaped(model=model, tensors=tensors, constants=constants, notes=notes)


def inside(found: Shaped, graph: GraphProto) -> Shaped:
    """The same for a graph in a node: a branch of a condition, or the body of a loop.

    Args:
        found: what is known around it.
        graph: it; what it takes from outside becomes an input, or a constant where it is known.
    """
    from onnx import ModelProto, helper, numpy_helper

    model = ModelProto(ir_version=found.model.ir_version, opset_import=found.model.opset_import)
    model.graph.CopyFrom(graph)
    own = {value.name for value in graph.input} | {one.name for one in graph.initializer}
    own |= {name for node in graph.node for name in node.output}
    for name in dict.fromkeys(name for node in graph.node for name in needed(node)):
        tensor = found.tensors.get(name)
        if name in own or tensor is None:
            continue
        if name in found.constants:
            value = numpy_helper.from_array(found.constants[name], name)
            model.graph.initializer.append(value)
        else:
            told = helper.make_tensor_value_info(name, tensor.kind, tensor.dims)
            model.graph.input.append(told)
    tensors = _settled(model)
    return Shaped(
        model=model,
        tensors={**found.tensors, **tensors},
        constants={**found.constants, **small_constants(model.graph)},
        notes=found.notes,
    )


def real_inputs(graph: GraphProto) -> list[Any]:
    """Inputs that a caller gives; old files list their weights among them."""
    weights = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def _set_axes(
    model: ModelProto, path: Path, batch_size: int, input_size: int | None
) -> tuple[str, ...]:
    """Set open axes to the batch or to the size; gives a note on how, where there were any."""
    axes = [
        _Axis(input=value.name, place=place, axis=axis)
        for value in real_inputs(model.graph)
        if value.type.HasField("tensor_type")
        for place, axis in enumerate(value.type.tensor_type.shape.dim)
    ]
    batch = _batch_axes(axes)
    if not batch:
        _require_batch(path, axes, batch_size)
    used: dict[str, int] = {}
    for one in [one for one in axes if one.is_open]:
        if one.label not in batch and input_size is None:
            raise WorkloadError(
                "unsupported", f"{path}: input {one.input} is open along {one.label}; give a size"
            )
        used[one.label] = batch_size if one.label in batch else int(input_size or 0)
        one.axis.dim_value = used[one.label]
    sized = {
        one.axis.dim_value for one in axes if one.label not in batch and (one.place or one.is_open)
    }
    if input_size is not None and input_size not in sized:
        raise WorkloadError(
            "unsupported", f"{path} was made for one input size, not for {input_size}"
        )
    if not used:
        return ()
    for value in _values(model.graph):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param in used:
                axis.dim_value = used[axis.dim_param]
    return ("open axes: " + ", ".join(f"{name} = {length}" for name, length in used.items()),)


def _values(graph: GraphProto) -> Iterator[ValueInfoProto]:
    """What a graph tells of its tensors, and the graphs in it of theirs."""
    yield from [*graph.input, *graph.output, *graph.value_info]
    for node in graph.node:
        for body in bodies(node):
            yield from _values(body)


@dataclass(kw_only=True)
class _Axis:
    """An axis of an input, as the file has it.

    Attributes:
        input: name of the input.
        place: number of the axis.
        axis: its length or its name; set in place.
        label: what it is called.
        is_open: whether the file leaves its length to the caller.
    """

    input: str
    place: int
    axis: Any
    label: str = ""
    is_open: bool = False

    def __post_init__(self) -> None:
        name = self.axis.dim_param
        self.label = name if name not in NAMELESS else f"{self.input}[{self.place}]"
        self.is_open = self.axis.dim_value <= 0


def _batch_axes(axes: list[_Axis]) -> set[str]:
    """Open axes that are the batch: those that are called so, else the first of each input.

    A first axis without a name is the batch beside those that are called so.
    """
    first = [one for one in axes if one.is_open and one.place == 0]
    named = {one.label for one in axes if one.is_open and _says_batch(one.axis.dim_param)}
    if not named:
        return {one.label for one in first}
    return named | {one.label for one in first if one.axis.dim_param in NAMELESS}


def _says_batch(name: str) -> bool:
    return "batch" in name.lower() or name.lower() in BATCH_NAMES


def _require_batch(path: Path, axes: list[_Axis], batch_size: int) -> None:
    """Refuse another batch than the file has: the first axis of the first input that has several.

    Raises:
        WorkloadError: (unsupported) it has another.
    """
    deep = {one.input for one in axes if one.place == 1}
    first = next((one for one in axes if one.input in deep and one.place == 0), None)
    if first is None and batch_size != 1:
        raise WorkloadError("unsupported", f"{path}: no input has an axis for a batch")
    if first is not None and first.axis.dim_value != batch_size:
        raise WorkloadError(
            "unsupported",
            f"{path} was made for batch {first.axis.dim_value} (first axis of {first.input}), "
            f"not {batch_size}",
        )


def _check_reshapes(graph: GraphProto, path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuse a file that some exporter made for one shape only, whatever its inputs promise.

    Raises:
        WorkloadError: (unsupported) a shape in it does not fit the elements that go there.
    """
    for node in graph.node:
        if operator_of(node) != "Reshape" or not (node.input and node.output):
            continue
        before, after = (tensors.get(name, Tensor()) for name in (node.input[0], node.output[0]))
        if None not in (before.dims, after.dims) and before.elements != after.elements:
            raise WorkloadError(
                "unsupported",
                f"{path} holds together at another shape only: {node.name or 'a Reshape'} makes "
                f"{after.elements:,} elements of {before.elements:,}",
            )


def _settled(model: ModelProto) -> dict[str, Tensor]:
    """Infer shapes and compute constants from them in turn, until nothing new is known.

    What the file tells of its tensors is believed where nothing else tells: it may be of another
    batch.
    """
    told = _without_shapes(model.graph)
    while True:
        known = _inferred(model)
        new = [fold(model, known), tell_contrib(model.graph, known), take_branches(model.graph)]
        if any(new):
            continue
        hints = [one for one in told if known.get(one.name, Tensor()).dims is None]
        if not hints:
            return known
        model.graph.value_info.extend(hints)
        told = []


def _without_shapes(graph: GraphProto) -> list[ValueInfoProto]:
    """Take away what a graph tells of its results and of what is in between; gives that."""
    told = []
    for value in [*graph.value_info, *graph.output]:
        told.append(type(value)())
        told[-1].CopyFrom(value)
    del graph.value_info[:]
    for value in graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    return told


def _inferred(model: ModelProto) -> dict[str, Tensor]:
    import onnx.shape_inference

    copy = type(model)()
    copy.CopyFrom(model)
    stand_in(copy.graph)
    # Without its own propagation of values, which never ends where a list is absurdly long.
    found = onnx.shape_inference.infer_shapes(copy, data_prop=False)
    known: dict[str, Tensor] = {}
    _collect(found.graph, known)
    return known


def _collect(graph: GraphProto, into: dict[str, Tensor]) -> None:
    for value in [*graph.input, *graph.output, *graph.value_info]:
        kind = value.type.tensor_type
        axes = kind.shape.dim if kind.HasField("shape") else None
        closed = axes is not None and all(
            axis.HasField("dim_value") and axis.dim_value >= 0 for axis in axes
        )
        dims = tuple(int(axis.dim_value) for axis in axes) if axes is not None and closed else None
        if dims is not None or value.name not in into:
            into[value.name] = Tensor(kind.elem_type, dims)
    for tensor in graph.initializer:
        into[tensor.name] = Tensor(tensor.data_type, tuple(tensor.dims))
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.HasField("t"):
                into[node.output[0]] = Tensor(attribute.t.data_type, tuple(attribute.t.dims))
        for body in bodies(node):
            _collect(body, into)
