"""Count the operations and bytes of an ONNX file from its graph: nothing in it is run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.models.cost.onnx.axes import Shapes
from inferometer.models.cost.onnx.file import read_onnx
from inferometer.models.cost.onnx.node import reading, real_inputs
from inferometer.models.cost.onnx.parameters import Constants, count_tensors, precision_of
from inferometer.models.cost.onnx.shapes import Shaped, shaped
from inferometer.models.cost.onnx.sources import sparse_tensors
from inferometer.models.cost.onnx.walk import Walk

if TYPE_CHECKING:
    from onnx import GraphProto

METHOD = "from the graph of the ONNX file; what follows from constants and shapes alone left out"
LARGEST = 2**63 - 1
"""Bytes that can be addressed; no file that is meant asks for more, of anything."""


@dataclass(frozen=True, kw_only=True)
class OnnxCost:
    """What an ONNX file costs.

    Attributes:
        cost: operations and bytes of one call.
        parameters: fields of `ParameterCount` that a file tells.
        batch_size: samples in the call.
        precision: of most of its weights: `fp32`, `int8` …
        input_shape: for people.
        files: the file, and those that hold its weights.
        notes: what a reader of the figures should know.
    """

    cost: Cost
    parameters: Mapping[str, Any]
    batch_size: int
    precision: str
    input_shape: str
    files: tuple[str, ...]
    notes: tuple[str, ...]


def count_onnx(
    path: Path,
    *,
    batch_size: int | None,
    input_size: int | None,
    shapes: Shapes | None = None,
) -> OnnxCost:
    """Count one call of an ONNX file.

    Args:
        path: the file; weights outside of it must lie in its folder.
        batch_size: samples in the call; None is as many as the file was made for, and 1 where it
            leaves that open.
        input_size: length of the axes that are open, besides the batch's; None where none is.
        shapes: of all inputs, where they are known.

    Raises:
        WorkloadError: (bad_model) the file is damaged, or its shapes are absurd; (unsupported) it
            was made for another shape; (crash) our own code failed.
    """
    with reading(path):
        counted = _read_and_counted(path, batch_size, input_size, shapes)
    cost, parameters = counted.cost, counted.parameters
    most = max(cost.macs, cost.elementwise_flops, cost.operator_bytes, cost.compulsory_bytes)
    if max(most, parameters["parameters"], parameters["buffers"]) > LARGEST:
        raise WorkloadError("bad_model", f"{shown(path)}: its shapes are larger than any machine")
    return counted


def _read_and_counted(
    path: Path, batch_size: int | None, input_size: int | None, shapes: Shapes | None
) -> OnnxCost:
    model, files = read_onnx(path)
    graph = type(model.graph)()
    graph.CopyFrom(model.graph)  # before shapes become constants, too
    found = shaped(model, path, batch_size=batch_size, input_size=input_size, shapes=shapes)
    constants = count_tensors(graph, found.tensors)
    return _counted(found, constants, files, _sparse_note(graph))


def _sparse_note(graph: GraphProto) -> tuple[str, ...]:
    """On what sparse constants count as, where there are some."""
    sparse = list(sparse_tensors(graph))
    if not sparse:
        return ()
    stored = sum(math.prod(one.values.dims) for one in sparse)
    places = sum(math.prod(one.dims) for one in sparse)
    note = (
        f"sparse constants hold {stored:,} numbers for {places:,} places: the numbers are "
        "parameters, and products count all places, as the standard's operators do"
    )
    return (note,)


def _counted(
    found: Shaped, constants: Constants, files: tuple[str, ...], notes: tuple[str, ...]
) -> OnnxCost:
    graph, parameters = found.model.graph, constants.count
    inputs = [value.name for value in real_inputs(graph)]
    walk = Walk(found=found, made_weights=constants.made, is_closed=not inputs)
    peak = walk.graph(graph)
    sizes = {name: tensor.size_bytes for name, tensor in found.tensors.items()}
    cost = Cost(
        operators=walk.operators(),
        input_bytes=sum(sizes.get(name, 0) for name in inputs),
        output_bytes=sum(sizes.get(value.name, 0) for value in graph.output),
        weight_bytes=sum(walk.read_weights.values()),
        activation_bytes=walk.written_bytes,
        activation_peak_bytes=peak,
        method=METHOD,
    )
    shapes = [(name, "x".join(map(str, found.tensors[name].dims or ()))) for name in inputs]
    one = len(shapes) == 1
    return OnnxCost(
        cost=cost,
        parameters=parameters,
        batch_size=found.batch_size,
        precision=precision_of(parameters["parameters_by_dtype"]),
        input_shape=", ".join(shape if one else f"{name}={shape}" for name, shape in shapes)
        or "none",
        files=files,
        notes=(*found.notes, *notes, *walk.notes()),
    )
