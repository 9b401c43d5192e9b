"""Which constants of an ONNX graph are parameters, and which are not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inferometer.models.cost.onnx_node import Node, bodies, operator_of
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
    "int16": "int16",
    "uint16": "int16",
    "int4": "int4",
    "uint4": "int4",
    "int2": "int2",
    "uint2": "int2",
    "float8e4m3fn": "fp8",
    "float8e4m3fnuz": "fp8",
    "float8e5m2": "fp8",
    "float8e5m2fnuz": "fp8",
    "float4e2m1": "fp4",
}
"""Types that weights have, and what their precision is called."""

DEFAULT_PRECISION = "fp32"

_PAIR = (1, 2, 4, 5, 6, 7)
"""Where two operands and a result are quantised: a scale and a zero point for each."""

_ONE = (1, 2, 3, 4)
"""The same for one operand."""

_STATISTICS = {
    "BatchNormalization": (3, 4),
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "QLinearConv": _PAIR,
    "QLinearMatMul": _PAIR,
    "MatMulInteger": (2, 3),
    "ConvInteger": (2, 3),
    "com.microsoft.QuantizeLinear": (1, 2),
    "com.microsoft.DequantizeLinear": (1, 2),
    "com.microsoft.QLinearConv": _PAIR,
    "com.microsoft.QLinearAdd": _PAIR,
    "com.microsoft.QLinearMul": _PAIR,
    "com.microsoft.QGemm": (1, 2, 4, 5, 7, 8),
    "com.microsoft.QLinearAveragePool": _ONE,
    "com.microsoft.QLinearGlobalAveragePool": _ONE,
    "com.microsoft.QLinearLeakyRelu": _ONE,
    "com.microsoft.QLinearSigmoid": _ONE,
    "com.microsoft.QLinearSoftmax": _ONE,
    "com.microsoft.QAttention": (3, 4, 6, 7),
    "com.microsoft.MatMulIntegerToFloat": (2, 3, 4, 5),
    "com.microsoft.DynamicQuantizeMatMul": (2, 3),
    "com.microsoft.DynamicQuantizeLSTM": (8, 9, 10, 11),
    "com.microsoft.MatMulNBits": (2, 3, 4),
}
"""Inputs that were gathered and not trained: means, variances, scales, zero points."""

_SHAPING = frozenset({"Clip", "Pad", "Range", "Reshape", "Resize", "Slice", "Tile", "Upsample"})
"""Operators whose constants say how, and not what."""

_QUANTISED = frozenset(
    {"DequantizeLinear", "QLinearConv", "com.microsoft.QLinearConv", "com.microsoft.QGemm"}
)
"""Operators whose biases are 32-bit integers."""

_PACKED = "com.microsoft.MatMulNBits"
"""Its matrix has several narrow elements in a byte."""


@dataclass(kw_only=True)
class _Constant:
    """A constant tensor, and what a graph does with it.

    Attributes:
        tensor: it.
        roles: operators that take it, or `buffer` or `shape`.
        uses: how many inputs it is.
        bits: of an element, where several share a byte; else None.
    """

    tensor: TensorProto
    roles: set[str] = field(default_factory=set)
    uses: int = 0
    bits: int | None = None

    @property
    def elements(self) -> int:
        return int(math.prod(self.tensor.dims)) * (8 // self.bits if self.bits else 1)

    @property
    def size_bytes(self) -> int:
        return Tensor(self.tensor.data_type, tuple(self.tensor.dims)).size_bytes

    @property
    def type_name(self) -> str:
        """Name of the element type, as torch writes it where both have it."""
        import onnx

        if self.bits:
            return f"uint{self.bits}"
        name = str(onnx.TensorProto.DataType.Name(self.tensor.data_type))
        return {"FLOAT": "float32", "DOUBLE": "float64"}.get(name, name.lower())

    @property
    def is_parameter(self) -> bool:
        if not self.roles - {"buffer", "shape"} or not self.tensor.dims:
            return False
        if self.type_name == "int32":
            return bool(self.roles & _QUANTISED)
        return self.type_name in PRECISIONS


def count_tensors(graph: GraphProto) -> dict[str, Any]:
    """Fields of `ParameterCount` that a graph tells; which ones are trained it does not.

    Parameters are constants of a floating or a narrow type with at least one axis, and the biases
    of quantised layers. Means, variances, scales and zero points are buffers.

    Args:
        graph: as the file has it: constants that follow from shapes would be taken for parameters.
    """
    constants = list(_constants(graph, {}))
    parameters = [one for one in constants if one.is_parameter]
    buffers = [one for one in constants if one.roles == {"buffer"}]
    by_type: Counter[str] = Counter()
    bytes_by_type: Counter[str] = Counter()
    for one in parameters:
        by_type[one.type_name] += one.elements
        bytes_by_type[one.type_name] += one.size_bytes
    return {
        "parameters": by_type.total(),
        "parameters_with_duplicates": sum(one.elements * one.uses for one in parameters),
        "parameter_bytes": bytes_by_type.total(),
        "buffers": sum(one.elements for one in buffers),
        "buffer_bytes": sum(one.size_bytes for one in buffers),
        "parameters_by_dtype": dict(by_type),
        "parameter_bytes_by_dtype": dict(bytes_by_type),
    }


def precision_of(by_type: Mapping[str, int]) -> str:
    """What the type of most of the parameters' elements is called; fp32 where there are none."""
    elements: Counter[str] = Counter()
    for name, count in by_type.items():
        if name in PRECISIONS:
            elements[PRECISIONS[name]] += count
    return elements.most_common(1)[0][0] if elements else DEFAULT_PRECISION


def _constants(graph: GraphProto, around: Mapping[str, _Constant]) -> Iterator[_Constant]:
    """Constants of a graph and of those in it; their roles are known when all have been given.

    Graphs side by side may have constants of the same name, which are others.
    """
    known = dict(around)
    for tensor in graph.initializer:
        known[tensor.name] = _Constant(tensor=tensor)
        yield known[tensor.name]
    for proto in graph.node:
        operator = operator_of(proto)
        if operator == "Constant":
            for tensor in (one.t for one in proto.attribute if one.HasField("t")):
                known[proto.output[0]] = _Constant(tensor=tensor)
                yield known[proto.output[0]]
        elif operator == "Identity" and proto.input[0] in known:
            known[proto.output[0]] = known[proto.input[0]]
        else:
            _note(Node(proto, {}), known)
            for body in bodies(proto):
                yield from _constants(body, known)


def _note(node: Node, known: Mapping[str, _Constant]) -> None:
    """Write down what a node does with the constants that it takes."""
    for place, name in enumerate(node.proto.input):
        if name not in known:
            continue
        one = known[name]
        one.uses += 1
        is_statistic = place in _STATISTICS.get(node.operator, ())
        is_shape = node.operator in _SHAPING and place > 0
        one.roles.add("buffer" if is_statistic else "shape" if is_shape else node.operator)
        if node.operator == _PACKED and place == 1:
            one.bits = int(node.attribute("bits", 4))
