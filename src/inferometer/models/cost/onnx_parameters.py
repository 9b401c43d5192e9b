"""Which constants of an ONNX graph are parameters, and which are not."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inferometer.models.cost.onnx_file import tensors
from inferometer.models.cost.onnx_node import Node
from inferometer.models.cost.onnx_shapes import bodies
from inferometer.models.cost.onnx_tensor import Tensor

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto

PRECISIONS = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float64": "fp64",
    "int8": "int8",
    "uint8": "int8",
    "int4": "int4",
    "uint4": "int4",
}
"""Types that weights have, and what their precision is called."""

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
    weights = dict(_named(graph))
    roles: dict[str, set[str]] = defaultdict(set)
    uses: Counter[str] = Counter()
    _assign(graph, set(weights), roles, uses)
    parameters = {name: one for name, one in weights.items() if _is_parameter(one, roles[name])}
    buffers = [one for name, one in weights.items() if roles[name] == {"buffer"}]
    by_type: Counter[str] = Counter()
    bytes_by_type: Counter[str] = Counter()
    for one in parameters.values():
        by_type[_type_name(one)] += math.prod(one.dims)
        bytes_by_type[_type_name(one)] += _size(one)
    return {
        "parameters": sum(math.prod(one.dims) for one in parameters.values()),
        "parameters_with_duplicates": sum(
            math.prod(one.dims) * uses[name] for name, one in parameters.items()
        ),
        "parameter_bytes": sum(_size(one) for one in parameters.values()),
        "buffers": sum(math.prod(one.dims) for one in buffers),
        "buffer_bytes": sum(_size(one) for one in buffers),
        "parameters_by_dtype": dict(by_type),
        "parameter_bytes_by_dtype": dict(bytes_by_type),
    }


def precision_of(graph: GraphProto) -> str:
    """The type of most of the weights' elements; fp32 where there are none."""
    elements: Counter[str] = Counter()
    for one in tensors(graph):
        name = PRECISIONS.get(_type_name(one))
        if name and one.dims:
            elements[name] += math.prod(one.dims)
    return elements.most_common(1)[0][0] if elements else DEFAULT_PRECISION


def _named(graph: GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """Constants by the names that operators know them by."""
    yield from ((one.name, one) for one in graph.initializer)
    for proto in graph.node:
        if proto.op_type == "Constant":
            values = (one.t for one in proto.attribute if one.HasField("t"))
            yield from ((proto.output[0], one) for one in values)
        for body in bodies(proto):
            yield from _named(body)


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
        for body in bodies(proto):
            _assign(body, names, roles, uses)


def _is_parameter(one: TensorProto, roles: set[str]) -> bool:
    if not roles - {"buffer", "shape"} or not one.dims:
        return False
    return _type_name(one) in PRECISIONS or "QLinearConv" in roles


def _type_name(one: TensorProto) -> str:
    """Name of the element type, as torch writes it where both have it."""
    import onnx

    name = str(onnx.TensorProto.DataType.Name(one.data_type))
    return {"FLOAT": "float32", "DOUBLE": "float64"}.get(name, name.lower())


def _size(one: TensorProto) -> int:
    return Tensor(one.data_type, tuple(one.dims)).size_bytes
