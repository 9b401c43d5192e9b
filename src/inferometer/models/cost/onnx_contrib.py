"""Shapes that ONNX Runtime's own operators give: the standard's inference does not know them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from inferometer.models.cost.onnx_node import Node, ShapeUnknown
from inferometer.models.cost.onnx_tensor import Tensor

if TYPE_CHECKING:
    from onnx import GraphProto

CONTRIB = "com.microsoft"
FLOAT = 1

_SAME = (
    "BiasGelu FastGelu Gelu LayerNormalization QuickGelu RotaryEmbedding "
    "SimplifiedLayerNormalization SkipLayerNormalization SkipSimplifiedLayerNormalization"
)

Dims = tuple[int, ...]


def tell_contrib(graph: GraphProto, known: Mapping[str, Tensor]) -> bool:
    """Write the shapes of such operators' first outputs into a graph; whether there were any new.

    Args:
        graph: changed in place.
        known: types and shapes so far.
    """
    from onnx import helper

    found = []
    for proto in graph.node:
        rule = _RULES.get(proto.op_type) if proto.domain == CONTRIB else None
        if rule is None or known.get(proto.output[0], Tensor()).dims is not None:
            continue
        node = Node(proto, known)
        try:
            dims = rule(node)
        except (ShapeUnknown, IndexError, TypeError, ValueError):
            continue
        kind = FLOAT if "Integer" in proto.op_type else _kind(node)
        found.append(helper.make_tensor_value_info(proto.output[0], kind, dims))
    graph.value_info.extend(found)
    return bool(found)


def _kind(node: Node) -> int:
    return node.tensors.get(node.proto.input[0], Tensor()).kind or FLOAT


def _same(node: Node) -> Dims:
    return node.dims(0)


def _product(node: Node) -> Dims:
    """A product with a matrix of weights; only the first operand has axes of a batch."""
    return (*node.dims(0)[:-1], node.dims(1)[-1])


def _fused_product(node: Node) -> Dims:
    left, right = list(node.dims(0)), list(node.dims(1))
    if node.attribute("transA", 0):
        left[-2:] = left[:-3:-1]
    if node.attribute("transB", 0):
        right[-2:] = right[:-3:-1]
    longer = left if len(left) >= len(right) else right
    return (*longer[:-2], left[-2], right[-1])


def _narrow_product(node: Node) -> Dims:
    return (*node.dims(0)[:-1], int(node.attribute("N")))


def _convolution(node: Node) -> Dims:
    """Output of a convolution with explicit padding."""
    data, weight = node.dims(0), node.dims(1)
    axes = len(weight) - 2
    if node.attribute("auto_pad", "NOTSET") != "NOTSET":
        raise ShapeUnknown
    pads = node.attribute("pads", [0] * 2 * axes)
    strides, steps = node.attribute("strides", [1] * axes), node.attribute("dilations", [1] * axes)
    lengths = (
        (data[2 + i] + pads[i] + pads[i + axes] - steps[i] * (weight[2 + i] - 1) - 1) // strides[i]
        + 1
        for i in range(axes)
    )
    return (data[0], weight[0], *lengths)


def _attention(node: Node) -> Dims:
    sizes = node.attribute("qkv_hidden_sizes")
    return (*node.dims(0)[:2], int(sizes[2]) if sizes else node.dims(1)[1] // 3)


def _heads(node: Node) -> Dims:
    """Output of attention over separate or packed queries, keys and values."""
    query = node.dims(0)
    packed = 5
    if len(query) == packed:
        return (*query[:2], query[2] * query[4])
    value = node.dims(2)
    width = value[-1] if len(value) == len(query) else value[1] * value[3]
    return (*query[:2], width)


def _grouped(node: Node) -> Dims:
    query = node.dims(0)
    if node.has(1):
        return query
    heads, shared = int(node.attribute("num_heads")), int(node.attribute("kv_num_heads"))
    return (*query[:2], query[2] * heads // (heads + 2 * shared))


_RULES: dict[str, Callable[[Node], Dims]] = {
    **dict.fromkeys(_SAME.split(), _same),
    "Attention": _attention,
    "QAttention": _attention,
    "DynamicQuantizeMatMul": _product,
    "MatMulIntegerToFloat": _product,
    "FusedConv": _convolution,
    "FusedMatMul": _fused_product,
    "GroupQueryAttention": _grouped,
    "MatMulNBits": _narrow_product,
    "MultiHeadAttention": _heads,
}
