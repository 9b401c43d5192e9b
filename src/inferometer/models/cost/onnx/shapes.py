"""Gives every tensor of an ONNX graph its shape at a batch and an input size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.models.cost.onnx.axes import Shapes, set_axes
from inferometer.models.cost.onnx.constants import fold, small_constants, take_branches
from inferometer.models.cost.onnx.contrib import stand_in, tell_contrib
from inferometer.models.cost.onnx.node import bodies, library, needed, operator_of
from inferometer.models.cost.onnx.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, ValueInfoProto


@dataclass(frozen=True, kw_only=True)
class Shaped:
    """A graph whose tensors have shapes.

    Attributes:
        model: with its open axes set.
        tensors: what is known of each tensor, by name.
        constants: values of the small ones that are known before any input is.
        batch_size: samples in the call.
        notes: how open axes were set, for people.
    """

    model: ModelProto
    tensors: Mapping[str, Tensor]
    constants: Mapping[str, NDArray[Any]]
    batch_size: int
    notes: tuple[str, ...]


def shaped(
    model: ModelProto,
    path: Path,
    *,
    batch_size: int | None,
    input_size: int | None,
    shapes: Shapes | None = None,
) -> Shaped:
    """Set the open axes of the inputs and infer all shapes that follow.

    Args:
        model: changed in place.
        path: its file, for messages.
        batch_size: samples in the call; None is as many as the file is for.
        input_size: length of the axes that are open besides; None where none is.
        shapes: of all inputs, where they are known.

    Raises:
        WorkloadError: (unsupported) the file is for another shape, or open where nothing was said.
    """
    setting = set_axes(model, path, batch_size=batch_size, input_size=input_size, shapes=shapes)
    tensors = _settled(model)
    _check_reshapes(model.graph, path, tensors)
    constants = small_constants(model.graph)
    return Shaped(
        model=model,
        tensors=tensors,
        constants=constants,
        batch_size=setting.batch_size,
        notes=setting.notes,
    )


def inside(found: Shaped, graph: GraphProto) -> Shaped:
    """The same for a graph in a node: a branch of a condition, or the body of a loop.

    Args:
        found: what is known around it.
        graph: the graph; what it takes from outside becomes an input, or a known constant.
    """
    from onnx import ModelProto, helper, numpy_helper

    model = ModelProto(ir_version=found.model.ir_version, opset_import=found.model.opset_import)
    model.graph.CopyFrom(graph)
    own = {value.name for value in graph.input} | {one.name for one in graph.initializer}
    own |= {one.values.name for one in graph.sparse_initializer}
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
        batch_size=found.batch_size,
        notes=found.notes,
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
                f"{shown(path)} holds together at another shape only: "
                f"{shown(node.name) or 'a Reshape'} makes {after.elements:,} elements of "
                f"{before.elements:,}",
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
    with library():
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
    for sparse in graph.sparse_initializer:
        into[sparse.values.name] = Tensor(sparse.values.data_type, tuple(sparse.dims))
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.HasField("t"):
                into[node.output[0]] = Tensor(attribute.t.data_type, tuple(attribute.t.dims))
        for body in bodies(node):
            _collect(body, into)
