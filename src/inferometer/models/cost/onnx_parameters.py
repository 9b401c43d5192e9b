"""Which constants of an ONNX graph are parameters, and which are not."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from inferometer.models.cost.onnx_file import tensors
from inferometer.models.cost.onnx_node import Node
from inferometer.models.cost.onnx_tensor import Tensor

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto

PRECISIONS = {
    "FLOAT": "fp32",
    "FLOAT16": "fp16",
    "BFLOAT16": "bf16",
    "DOUBLE": "fp64",
    "INT8": "int8",
    "UINT8": "int8",
    "INT4": "int4",
    "UINT4": "int4",
}
DEFAULT_PRECISION = "fp32"

_STATISTICS = {
    "BatchNormalization": (3, 4),
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "QLinearConv": (1, 2, 4, 5, 6, 7),
    "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    "MatMulInteger": (2, 3),
    "ConvInteger": (2, 3),
}
"""Inputs that were gathered and not trained: means, variances, scales, zero points."""

_SHAPING = frozenset({"Clip", "Pad", "Range", "Reshape", "Resize", "Slice", "Tile", "Upsample"})
"""Operators whose constants say how, and not what."""


def count_tensors(graph: GraphProto) -> dict[str, Any]:
    """Fields of `ParameterCount` that a graph tells; which ones are trained it does not.

    Parameters are constants of a floating or a narrow type with at least one axis, and the biases
    of quantised layers. Means, variances, scales and zero points are buffers.
    """
    weights = {one.name: one for one in tensors(graph) if one.name}
    roles: dict[str, set[str]] = defaultdict(set)
    uses: Counter[str] = Counter()
    _assign(graph, set(weights), roles, uses)
    parameters = [one for name, one in weights.items() if _is_parameter(one, roles[name])]
    buffers = [one for name, one in weights.items() if roles[name] == {"buffer"}]
    by_type: Counter[str] = Counter()
    for one in parameters:
        by_type[_type_name(one)] += math.prod(one.dims)
    return {
        "parameters": sum(math.prod(one.dims) for one in parameters),
        "parameters_with_duplicates": sum(
            math.prod(one.dims) * max(1, uses[one.name]) for one in parameters
        ),
        "parameter_bytes": sum(_size(one) for one in parameters),
        "buffer_bytes": sum(_size(one) for one in buffers),
        "parameters_by_dtype": dict(by_type),
    }


def precision_of(graph: GraphProto) -> str:
    """The type of most of the weights' elements; fp32 where there are none."""
    elements: Counter[str] = Counter()
    for one in tensors(graph):
        name = PRECISIONS.get(_type_name(one).upper())
        if name and one.dims:
            elements[name] += math.prod(one.dims)
    return elements.most_common(1)[0][0] if elements else DEFAULT_PRECISION


def _assign(
    graph: GraphProto, names: set[str], roles: dict[str, set[str]], uses: Counter[str]
) -> None:
    for proto in graph.node:
        operator = Node(proto, {}).operator
        for place, name in enumerate(proto.input):
            if name not in names:
                continue
            uses[name] += 1
            is_statistic = place in _STATISTICS.get(operator, ())
            is_shape = operator in _SHAPING and place > 0
            roles[name].add("buffer" if is_statistic else "shape" if is_shape else operator)
        for attribute in proto.attribute:
            for inside in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                _assign(inside, names, roles, uses)


def _is_parameter(one: TensorProto, roles: set[str]) -> bool:
    if not roles - {"buffer", "shape"} or not one.dims:
        return False
    return _type_name(one).upper() in PRECISIONS or "QLinearConv" in roles


def _type_name(one: TensorProto) -> str:
    """Name of the element type, as torch writes it where both have it."""
    import onnx

    name = str(onnx.TensorProto.DataType.Name(one.data_type))
    return {"FLOAT": "float32", "DOUBLE": "float64"}.get(name, name.lower())


def _size(one: TensorProto) -> int:
    return Tensor(one.data_type, tuple(one.dims)).size_bytes
