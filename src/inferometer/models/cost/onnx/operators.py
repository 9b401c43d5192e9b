"""What ONNX operators are and how much they multiply: the standard's, and ONNX Runtime's own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from inferometer.core.cost import Kind
from inferometer.models.cost.formulas import CELL_FLOPS, SOFTMAX_FLOPS, Work
from inferometer.models.cost.onnx.node import Node, ShapeUnknown

Formula = Callable[[Node], Work]


class Rule(NamedTuple):
    """What is known of an operator: what it is, and its work from the shapes at hand."""

    kind: Kind
    work: Formula

    def of(self, node: Node) -> Work | None:
        """Its work; None where a shape is not known, or the node is not as the standard says."""
        try:
            work = self.work(node)
        except (ShapeUnknown, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            return None
        known = any(one.dims is not None for one in node.outputs)
        return work if known and min(work) >= 0 else None


def _convolution(weight: int) -> Formula:
    """Each output takes a filter's length; weights (outputs, inputs of a group, *kernel)."""

    def work(node: Node) -> Work:
        return Work(math.prod(node.made()) * math.prod(node.dims(weight)[1:]))

    return work


def _transposed(node: Node) -> Work:
    """Each input meets a filter; weights (inputs, outputs of a group, *kernel)."""
    return Work(math.prod(node.dims(0)) * math.prod(node.dims(1)[1:]))


def _product(left: int = 0, right: int = 1) -> Formula:
    """Of (…, m, k) and (…, k, n), where either may be a vector: k for each result."""

    def work(node: Node) -> Work:
        node.dims(right)
        return Work(math.prod(node.made()) * node.dims(left)[-1])

    return work


def _transposable(name: str) -> Formula:
    """A product whose first operand an attribute may transpose."""

    def work(node: Node) -> Work:
        inner = -2 if node.attribute(name, 0) else -1
        return Work(math.prod(node.made()) * node.dims(0)[inner])

    return work


def _einsum(node: Node) -> Work:
    """Operands meet from left to right; each pair takes one for each combination of its letters."""
    left, arrow, right = node.attribute("equation").replace(" ", "").partition("->")
    terms = left.split(",")
    lengths: dict[str, int] = {}
    letters = []
    for place, term in enumerate(terms):
        names = _letters(term, len(node.dims(place)))
        letters.append(names)
        for name, length in zip(names, node.dims(place), strict=True):
            lengths[name] = max(length, lengths.get(name, 1))
    wanted = (
        set(_letters(right, len(node.made())))
        if arrow
        else {name for name, times in Counter(sum(letters, [])).items() if times == 1}  # noqa: RUF017
    )
    if len(letters) == 1:
        summed = set(letters[0]) - wanted
        return Work(0, math.prod(node.dims(0)) if summed else 0)
    return _contracted(letters, wanted, lengths)


def _contracted(letters: list[list[str]], wanted: set[str], lengths: dict[str, int]) -> Work:
    macs = flops = 0
    current = set(letters[0])
    for place, names in enumerate(letters[1:], 2):
        together = current | set(names)
        needed = wanted.union(*letters[place:])
        size = math.prod(lengths[name] for name in together)
        if together - needed:
            macs += size
        else:  # nothing is added up: a product element by element
            flops += size
        current = together & needed
    return Work(macs, flops)


def _letters(term: str, rank: int) -> list[str]:
    """Letters of the axes of an operand; those that `…` stands for are numbered from the right."""
    before, dots, after = term.partition("...")
    hidden = rank - len(before) - len(after) if dots else 0
    return [*before, *(f".{place}" for place in range(hidden, 0, -1)), *after]


def _recurrent(gates: int) -> Formula:
    """Input (steps, batch, inputs), weights (directions, gates · hidden, inputs) or turned."""

    def work(node: Node) -> Work:
        first, second = node.dims(1), node.dims(2)
        steps = math.prod(node.dims(0)[:2])
        macs = steps * (math.prod(first) + math.prod(second))
        return Work(macs, steps * second[0] * min(second[1:]) * CELL_FLOPS[gates])

    return work


def _scores(batch: int, heads: int, queries: int, keys: int, widths: int) -> Work:
    """Attention: `widths` is what a head's query and value hold together."""
    scores = batch * heads * queries * keys
    return Work(scores * widths, SOFTMAX_FLOPS * scores)


def _attention(node: Node) -> Work:
    """The standard's: (batch, heads, length, width), or with the heads side by side."""
    query, key, value = node.dims(0), node.dims(1), node.dims(2)
    past = node.dims(4)[2] if node.has(4) else 0
    if len(query) == 3:  # noqa: PLR2004 - heads side by side
        heads, shared = int(node.attribute("q_num_heads")), int(node.attribute("kv_num_heads"))
        widths = query[2] // heads + value[2] // shared
        return _scores(query[0], heads, query[1], key[1] + past, widths)
    return _scores(query[0], query[1], query[2], key[2] + past, query[3] + value[3])


def _projected_attention(past: int) -> Formula:
    """ONNX Runtime's with the projections of queries, keys and values in it."""

    def work(node: Node) -> Work:
        batch, length, width = node.dims(0)
        columns, heads = node.dims(1)[1], int(node.attribute("num_heads"))
        sizes = node.attribute("qkv_hidden_sizes") or [columns // 3] * 3
        keys = length + (node.dims(past)[3] if node.has(past) else 0)
        inside = _scores(batch, heads, length, keys, int(sizes[0] + sizes[2]) // heads)
        return Work(batch * length * width * columns + inside.macs, inside.elementwise_flops)

    return work


def _many_heads(node: Node) -> Work:
    """ONNX Runtime's over queries, keys and values that are projected already."""
    query, heads = node.dims(0), int(node.attribute("num_heads"))
    past = node.dims(6)[2] if node.has(6) else 0
    if len(query) == 5:  # noqa: PLR2004 - packed: batch, length, heads, 3, width
        return _scores(query[0], heads, query[1], query[1] + past, 2 * query[4])
    if not node.has(2):
        raise ShapeUnknown
    key, value = node.dims(1), node.dims(2)
    apart = len(value) == 4  # noqa: PLR2004 - batch, heads, length, width
    keys, width = (key[2], value[3]) if apart else (key[1], value[2] // heads)
    return _scores(query[0], heads, query[1], keys + past, query[2] // heads + width)


def _grouped_heads(node: Node) -> Work:
    """ONNX Runtime's, where several heads share keys and values; the past included."""
    query, heads = node.dims(0), int(node.attribute("num_heads"))
    shared = int(node.attribute("kv_num_heads"))
    width = query[2] // heads if node.has(1) else query[2] // (heads + 2 * shared)
    past = node.dims(3)[2] if node.has(3) else 0
    return _scores(query[0], heads, query[1], query[1] + past, 2 * width)


def _each(times: int = 1) -> Formula:
    """So many operations for each element of the output."""

    def work(node: Node) -> Work:
        return Work(0, times * math.prod(node.made()))

    return work


def _each_input(node: Node) -> Work:
    """One operation for each element of the input."""
    return Work(0, math.prod(node.dims(0)))


def _pool(node: Node) -> Work:
    """One for each place under the window of each output."""
    return Work(0, math.prod(node.made()) * math.prod(node.attribute("kernel_shape")))


def _interpolated(node: Node) -> Work:
    """A product and a sum for each neighbour along each axis that changes; none for the nearest.

    A grid may be anywhere: all axes of its image count.
    """
    is_grid = node.operator == "GridSample"
    mode = node.attribute("mode", "linear" if is_grid else "nearest")
    around = 4 if "cubic" in mode else 2 if "linear" in mode else 0
    pairs = zip(node.dims(0), node.made(), strict=True)
    changed = sum(before != after for before, after in pairs)
    axes = len(node.dims(0)) - 2 if is_grid else changed
    return Work(0, 2 * around**axes * math.prod(node.made()) if around else 0)


def _neighbours_across(node: Node) -> Work:
    """A square and a sum for each neighbouring channel, a power and a division."""
    return Work(0, (2 * int(node.attribute("size")) + 2) * math.prod(node.made()))


def _nothing(node: Node) -> Work:
    """Moves data, and computes nothing."""
    del node
    return Work(0)


VIEWS = frozenset({"Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators whose output is their input under another shape: nothing is read or written."""


def _table() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}

    def add(names: str, kind: Kind, work: Formula) -> None:
        rules.update(dict.fromkeys(names.split(), Rule(kind, work)))

    add("Conv ConvInteger com.microsoft.FusedConv", "convolution", _convolution(1))
    add("QLinearConv com.microsoft.QLinearConv", "convolution", _convolution(3))
    add("ConvTranspose", "convolution", _transposed)
    add("MatMul MatMulInteger com.microsoft.MatMulNBits", "matrix product", _product(0, 1))
    add("com.microsoft.MatMulIntegerToFloat", "matrix product", _product(0, 1))
    add("com.microsoft.DynamicQuantizeMatMul", "matrix product", _product(0, 1))
    add("QLinearMatMul", "matrix product", _product(0, 3))
    add("Gemm com.microsoft.FusedMatMul", "matrix product", _transposable("transA"))
    add("com.microsoft.FusedGemm com.microsoft.QGemm", "matrix product", _transposable("transA"))
    add("Einsum", "matrix product", _einsum)
    add("LSTM com.microsoft.DynamicQuantizeLSTM", "recurrent", _recurrent(4))
    add("GRU", "recurrent", _recurrent(3))
    add("RNN", "recurrent", _recurrent(1))
    add("Attention", "attention", _attention)
    add("com.microsoft.Attention", "attention", _projected_attention(4))
    add("com.microsoft.QAttention", "attention", _projected_attention(8))
    add("com.microsoft.MultiHeadAttention", "attention", _many_heads)
    add("com.microsoft.GroupQueryAttention", "attention", _grouped_heads)
    add("BatchNormalization", "normalisation", _each(2))
    add(
        "InstanceNormalization GroupNormalization LayerNormalization com.microsoft.GroupNorm "
        "com.microsoft.LayerNormalization",
        "normalisation",
        _each(7),
    )
    add("RMSNormalization SimplifiedLayerNormalization", "normalisation", _each(4))
    add("com.microsoft.SimplifiedLayerNormalization", "normalisation", _each(4))
    add("com.microsoft.SkipLayerNormalization", "normalisation", _each(8))
    add("com.microsoft.EmbedLayerNormalization", "normalisation", _each(9))
    add("com.microsoft.SkipSimplifiedLayerNormalization", "normalisation", _each(5))
    add("MeanVarianceNormalization", "normalisation", _each(5))
    add("Affine ImageScaler Scale", "element-wise", _each(2))
    add("LpNormalization", "normalisation", _each(3))
    add("LRN", "normalisation", _neighbours_across)
    add("Softmax LogSoftmax Hardmax", "normalisation", _each(SOFTMAX_FLOPS))
    add("com.microsoft.QLinearSoftmax", "normalisation", _each(SOFTMAX_FLOPS))
    add("MaxPool AveragePool LpPool com.microsoft.NhwcMaxPool", "pooling", _pool)
    add("com.microsoft.QLinearAveragePool", "pooling", _pool)
    add("Resize Upsample GridSample", "pooling", _interpolated)
    add("GlobalAveragePool GlobalMaxPool GlobalLpPool", "pooling", _each_input)
    add("com.microsoft.QLinearGlobalAveragePool", "pooling", _each_input)
    add(
        "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
        "ReduceSum ReduceSumSquare ArgMax ArgMin CumSum TopK",
        "reduction",
        _each_input,
    )
    add(
        "Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr "
        "BitwiseXor Ceil Celu Clip Cos Cosh DequantizeLinear Div DynamicQuantizeLinear Elu Equal "
        "Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN LeakyRelu "
        "Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow QuantizeLinear "
        "Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum "
        "ParametricSoftplus RandomNormal RandomNormalLike RandomUniform RandomUniformLike "
        "ScaledTanh "
        "Swish Tan Tanh ThresholdedRelu Xor com.microsoft.BiasGelu com.microsoft.FastGelu "
        "com.microsoft.Gelu com.microsoft.QuickGelu com.microsoft.RotaryEmbedding RotaryEmbedding "
        "com.microsoft.QLinearAdd com.microsoft.QLinearMul com.microsoft.QLinearLeakyRelu "
        "com.microsoft.QLinearSigmoid com.microsoft.QuantizeLinear com.microsoft.DequantizeLinear",
        "element-wise",
        _each(),
    )
    add(
        "Cast CastLike CenterCropPad Col2Im Compress Concat Constant ConstantOfShape DepthToSpace "
        "Dropout Expand EyeLike Flatten Gather GatherElements GatherND Identity NonZero OneHot Pad "
        "Range Reshape ReverseSequence Scatter ScatterElements ScatterND Shape Size Slice "
        "SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze Where "
        "com.microsoft.QLinearConcat com.microsoft.QLinearWhere",
        "data movement",
        _nothing,
    )
    return rules


RULES = _table()
"""Operator → what is known of it; any other is named as unknown."""
