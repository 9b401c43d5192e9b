"""Shapes that ONNX Runtime's own operators give: the standard's inference does not know them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from inferometer.models.cost.onnx.dialect import ALIGNED
from inferometer.models.cost.onnx.node import (
    FILLED,
    Node,
    OnnxDamagedError,
    ShapeUnknown,
    bodies,
    operator_of,
)
from inferometer.models.cost.onnx.tensor import Tensor

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

CONTRIB = "com.microsoft."
FLOAT = 1

Dims = tuple[int, ...]
Rule = Callable[[Node], tuple[Dims, ...]]

_SAME = (
    "BiasGelu FastGelu Gelu GroupNorm LayerNormalization QLinearLeakyRelu QLinearSigmoid "
    "QLinearSoftmax QuickGelu RotaryEmbedding SimplifiedLayerNormalization SkipLayerNormalization "
    "SkipSimplifiedLayerNormalization"
)
_EXPERIMENTAL = "Affine ImageScaler ParametricSoftplus Scale ScaledTanh"
"""What opsets before 7 had besides."""

_STAND_INS: dict[str, tuple[str, tuple[int, ...]]] = {
    **dict.fromkeys((f"{CONTRIB}{name}" for name in _SAME.split()), ("Identity", (0,))),
    "LayerNormalization": ("Identity", (0,)),  # which older opsets do not have
    "GroupNormalization": ("Identity", (0,)),
    "MeanVarianceNormalization": ("Identity", (0,)),
    "Scatter": ("Identity", (0,)),
    **dict.fromkeys(_EXPERIMENTAL.split(), ("Identity", (0,))),
    "SimplifiedLayerNormalization": ("Identity", (0,)),
    f"{CONTRIB}DequantizeLinear": ("DequantizeLinear", (0, 1, 2)),
    f"{CONTRIB}DynamicQuantizeLSTM": ("LSTM", (0, 1, 2)),
    f"{CONTRIB}DynamicQuantizeMatMul": ("MatMul", (0, 1)),
    f"{CONTRIB}FusedConv": ("Conv", (0, 1)),
    f"{CONTRIB}FusedGemm": ("Gemm", (0, 1)),
    f"{CONTRIB}MatMulIntegerToFloat": ("MatMul", (0, 1)),
    f"{CONTRIB}NhwcMaxPool": ("MaxPool", (0,)),
    f"{CONTRIB}QGemm": ("Gemm", (0, 3)),
    f"{CONTRIB}QLinearAdd": ("Add", (0, 3)),
    f"{CONTRIB}QLinearAveragePool": ("AveragePool", (0,)),
    f"{CONTRIB}QLinearConcat": ("Concat", ()),
    f"{CONTRIB}QLinearConv": ("Conv", (0, 3)),
    f"{CONTRIB}QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    f"{CONTRIB}QLinearMul": ("Mul", (0, 3)),
    f"{CONTRIB}QLinearWhere": ("Where", (0, 1, 4)),
    f"{CONTRIB}QuantizeLinear": ("QuantizeLinear", (0, 1, 2)),
}
"""The standard's operator that gives the same shape, and which of the inputs it takes."""

_WITH_SUM = "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"
_SUM = 3
"""Their output that is the sum before it is normalised, of the same shape."""

_QGEMM_SCALE = 7
"""With this input QGemm gives what it takes, without it floating numbers."""


def stand_in(graph: GraphProto) -> None:
    """Put the standard's operators in the place of others that give the same shapes.

    Args:
        graph: changed in place; good for the inference of shapes, and for nothing else.
    """
    for sparse in graph.sparse_initializer:  # whose shapes are not inferred, either
        values = sparse.values
        graph.initializer.add(name=values.name, data_type=values.data_type, dims=sparse.dims)
    del graph.sparse_initializer[:]
    for node in graph.node:
        shape = Node(node, {}).attribute("shape") if operator_of(node) in FILLED else None
        if shape and not (isinstance(shape, list) and all(isinstance(one, int) for one in shape)):
            raise OnnxDamagedError("the shape that an operator fills is not a list of lengths")
        if shape and node.output and not node.input:
            graph.initializer.add(name=node.output[0], data_type=FLOAT, dims=shape)
    filled = {one.name for one in graph.initializer}
    nodes = [
        one
        for proto in graph.node
        if not (proto.output and proto.output[0] in filled)
        for one in _standing_in(proto)
    ]
    del graph.node[:]
    graph.node.extend(nodes)
    for proto in graph.node:
        for body in bodies(proto):
            stand_in(body)


def _standing_in(proto: NodeProto) -> Iterator[NodeProto]:
    """Nodes instead of one."""
    operator = operator_of(proto)
    if operator == "Upsample" and len(proto.input) > 1:
        scales = [proto.input[0], "", proto.input[1]]
        yield _made("Resize", scales, proto.output[:1], mode="nearest")
        return
    if proto.input and _keeps_the_first(proto):
        name = operator if operator in ALIGNED else "Identity"
        yield _made(name, [proto.input[0]] * (1 + (operator in ALIGNED)), proto.output[:1])
        return
    if operator not in _STAND_INS or not proto.output:
        copy = type(proto)()
        copy.CopyFrom(proto)
        yield copy
        return
    name, places = _STAND_INS[operator]
    places = places or tuple(range(2, len(proto.input), 3))
    taken = [proto.input[place] for place in places if place < len(proto.input)]
    yield from _laid_out(proto, name, taken)
    if operator.endswith(_WITH_SUM) and len(proto.output) > _SUM:
        yield _made("Identity", taken, [proto.output[_SUM]])


def _keeps_the_first(proto: NodeProto) -> bool:
    """Whether the result surely has the shape of the first input, and rules of today deny it.

    Operands that an axis aligns, and normalisation whose statistics are a number for each place.
    """
    node = Node(proto, {})
    if node.operator in ALIGNED:
        return node.attribute("axis") is not None
    return node.operator == "BatchNormalization" and not node.attribute("training_mode", 0)


def _laid_out(proto: NodeProto, name: str, taken: list[str]) -> Iterator[NodeProto]:
    """A node, and others around it where channels are last or the type changes."""
    node, outer = Node(proto, {}), proto.output[0]
    inner = outer
    last = node.attribute("channels_last", 0) or "Nhwc" in proto.op_type
    if last:
        axes = list(range(1, len(node.attribute("kernel_shape", [0, 0])) + 1))
        first, inner = f"{outer}:channels first", f"{outer}:result"
        yield _made("Transpose", taken[:1], [first], perm=[0, len(axes) + 1, *axes])
        taken = [first, *taken[1:]]
    to_float = proto.op_type == "MatMulIntegerToFloat" or (
        proto.op_type == "QGemm" and not node.has(_QGEMM_SCALE)
    )
    outputs = [f"{outer}:integers"] if to_float else [inner, *proto.output[1:]]
    made = _made(name, taken, outputs if name == "LSTM" else outputs[:1])
    made.attribute.extend(proto.attribute)
    yield made
    if to_float:
        yield _made("Cast", outputs, [outer], to=FLOAT)
    if last:
        yield _made("Transpose", [inner], [outer], perm=[0, *(axis + 1 for axis in axes), 1])


def _made(name: str, inputs: list[str], outputs: list[str], **attributes: Any) -> NodeProto:  # noqa: ANN401 - as in ONNX
    from onnx import helper

    return helper.make_node(name, inputs, outputs, **attributes)


def tell_contrib(graph: GraphProto, known: Mapping[str, Tensor]) -> bool:
    """Write the shapes that such operators give into a graph; whether there were any new.

    Args:
        graph: changed in place.
        known: types and shapes so far.
    """
    from onnx import helper

    found = []
    for proto in graph.node:
        node = Node(proto, known)
        rule = _RULES.get(node.operator)
        if rule is None or all(one.dims is not None for one in node.outputs):
            continue
        try:
            shapes = rule(node)
        except (ShapeUnknown, ArithmeticError, LookupError, TypeError, ValueError):
            continue
        floats = node.operator in _FLOATS
        kind = FLOAT if floats else known.get(proto.input[0], Tensor()).kind or FLOAT
        for name, dims in zip(proto.output, shapes, strict=False):
            if name and known.get(name, Tensor()).dims is None and min(dims, default=0) >= 0:
                found.append(helper.make_tensor_value_info(name, kind, dims))
    graph.value_info.extend(found)
    return bool(found)


def _fused_product(node: Node) -> tuple[Dims]:
    if node.attribute("transBatchA", 0) or node.attribute("transBatchB", 0):
        raise ShapeUnknown
    left, right = list(node.dims(0)), list(node.dims(1))
    if node.attribute("transA", 0):
        left[-2:] = left[:-3:-1]
    if node.attribute("transB", 0):
        right[-2:] = right[:-3:-1]
    longer = left if len(left) >= len(right) else right
    return ((*longer[:-2], left[-2], right[-1]),)


def _narrow_product(node: Node) -> tuple[Dims]:
    return ((*node.dims(0)[:-1], int(node.attribute("N"))),)


def _attention(past: int) -> Rule:
    """Result, and keys with values for the next call."""

    def shapes(node: Node) -> tuple[Dims, Dims]:
        batch, length = node.dims(0)[:2]
        sizes = node.attribute("qkv_hidden_sizes") or [node.dims(1)[1] // 3] * 3
        heads = int(node.attribute("num_heads"))
        keys = length + (node.dims(past)[3] if node.has(past) else 0)
        return (batch, length, int(sizes[2])), (2, batch, heads, keys, int(sizes[2]) // heads)

    return shapes


def _heads(node: Node) -> tuple[Dims, ...]:
    """Result of attention over separate or packed ones; keys and values for the next call."""
    query, heads = node.dims(0), int(node.attribute("num_heads"))
    packed = 5
    if len(query) == packed:
        return ((*query[:2], query[2] * query[4]),)
    value = node.dims(2)
    apart = len(value) > len(query)
    keys, width = (value[2], value[3]) if apart else (value[1], value[2] // heads)
    keys += node.dims(6)[2] if node.has(6) else 0
    return (
        (*query[:2], heads * width),
        (query[0], heads, keys, query[2] // heads),
        (query[0], heads, keys, width),
    )


def _grouped(node: Node) -> tuple[Dims, ...]:
    """Result, and keys and values for the next call."""
    query = node.dims(0)
    heads, shared = int(node.attribute("num_heads")), int(node.attribute("kv_num_heads"))
    width = query[2] // (heads if node.has(1) else heads + 2 * shared)
    keys = query[1] + (node.dims(3)[2] if node.has(3) else 0)
    present = (query[0], shared, keys, width)
    return (*query[:2], heads * width), present, present


def _embedded(node: Node) -> tuple[Dims]:
    """A row of the table of words for each of them."""
    return ((*node.dims(0), node.dims(2)[-1]),)


_FLOATS = (f"{CONTRIB}EmbedLayerNormalization", f"{CONTRIB}QAttention")
"""These take integers, and give floating numbers."""

_RULES: dict[str, Rule] = {
    f"{CONTRIB}Attention": _attention(4),
    f"{CONTRIB}QAttention": _attention(8),
    f"{CONTRIB}EmbedLayerNormalization": _embedded,
    f"{CONTRIB}FusedMatMul": _fused_product,
    f"{CONTRIB}GroupQueryAttention": _grouped,
    f"{CONTRIB}MatMulNBits": _narrow_product,
    f"{CONTRIB}MultiHeadAttention": _heads,
}
"""Shapes of their first outputs, where no operator of the standard gives the same."""
