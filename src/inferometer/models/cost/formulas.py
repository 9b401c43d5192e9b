"""Multiply-accumulates of torch's operators, from the shapes of their arguments and results.

An operator is given by its name and by its arguments under the names that its schema has. Of a
sparse tensor the stored elements take part, and no other.
"""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, NamedTuple

from inferometer.core.cost import Kind
from inferometer.models.cost.torch.layouts import elements_of, is_sparse

Arguments = Mapping[str, Any]

SOFTMAX_FLOPS = 5
"""Of an element: a maximum, a subtraction, an exponential, an addition, a division."""

CELL_FLOPS = {4: 13, 3: 10, 1: 2}
"""Of a hidden unit and step, by the number of gates: of LSTM, GRU and plain cells."""


class Work(NamedTuple):
    """Multiply-accumulates, and operations that are none."""

    macs: int
    elementwise_flops: int = 0


Formula = Callable[[Arguments, Any], Work | None]
"""From arguments and result; None where it is not known of such arguments."""


def _convolution(given: Arguments, result: Any) -> Work:
    """Each output takes a filter's length of them; a transposed one is the same, turned around.

    A weight is (outputs, inputs of a group, *kernel), or (inputs, outputs of a group, *kernel)
    where transposed. Places that padding fills count as any other.
    """
    inputs = given["input"] if "input" in given else given["self"]
    ends = inputs if given.get("transposed") else result
    return Work(ends.numel() * prod(given["weight"].shape[1:]))


def _transposed(given: Arguments, result: Any) -> Work:
    return _convolution({**given, "transposed": True}, result)


def _product(left: str, right: str) -> Formula:
    """Of matrices (…, m, k) and (…, k, n): k for each of the m · n results.

    Where one is sparse, each of its elements takes part n or m times. Where both are, it depends on
    where their elements lie.
    """

    def work(given: Arguments, _: Any) -> Work | None:
        one, other = given[left], given[right]
        if is_sparse(other):
            return None if is_sparse(one) else Work(elements_of(other) * one.shape[-2])
        return Work(elements_of(one) * other.shape[-1])

    return work


def _sampled_product(given: Arguments, _: Any) -> Work:
    """As above, for those elements of the result that a sparse matrix has."""
    return Work(elements_of(given["self"]) * given["mat1"].shape[-1])


def _reducing_product(given: Arguments, _: Any) -> Work:
    """Of a sparse matrix with a dense one; the largest of products is no sum of them."""
    products = elements_of(given["self"]) * given["other"].shape[-1]
    sums = given["reduce"] in ("sum", "mean")
    return Work(products) if sums else Work(0, 2 * products)


def _grouped_product(given: Arguments, _: Any) -> Work:
    """As above, of rows or columns that lie in groups, each with a matrix of its own."""
    left, right = given["self"], given["mat2"]
    macs = left.numel() * right.shape[-1]
    return Work(macs // len(left) if left.dim() > right.dim() else macs)


def _elements(name: str) -> Formula:
    """One for each element: a matrix times a vector, or a vector times a vector."""

    def work(given: Arguments, _: Any) -> Work:
        return Work(elements_of(given[name]))

    return work


def _linear(given: Arguments, _: Any) -> Work:
    inputs = given["input"] if "input" in given else given["self"]
    return Work(inputs.numel() * given["weight"].shape[0])


def _behind_packing(given: Arguments, result: Any) -> Work:
    """Linear too, where the weights are packed, and shown to nobody."""
    return Work(result.numel() * given["X"].shape[-1])


def _packed(given: Arguments, _: Any) -> Work:
    """As linear, under other names."""
    return _linear({"input": given["self"], "weight": given["mat2"]}, None)


def _trilinear(given: Arguments, _: Any) -> Work:
    """One for each term of the sum: `Bilinear` has batch · outputs · inputs · inputs of them."""
    lengths: dict[int, int] = {}
    for number in "123":
        shape = list(given[f"i{number}"].shape)
        for axis in sorted(given[f"expand{number}"]):
            shape.insert(axis, 1)
        for axis, length in enumerate(shape):
            lengths[axis] = max(length, lengths.get(axis, 1))
    return Work(prod(lengths.values()))


def _attention(given: Arguments, _: Any) -> Work:
    """Of queries (…, l, e), keys (…, s, e) and values (…, s, v): l · s · (e + v) a head.

    Masked places count as any other, those of a causal mask too.
    """
    query, key, value = given["query"], given["key"], given["value"]
    scores = query.numel() // query.shape[-1] * key.shape[-2]
    return Work(scores * (query.shape[-1] + value.shape[-1]), SOFTMAX_FLOPS * scores)


def _attention_heads_last(given: Arguments, _: Any) -> Work:
    """As above, of (…, length, heads, width); sequences of several lengths lie in one row."""
    query, key, value = given["query"], given["key"], given["value"]
    scores = query.numel() // query.shape[-1] * key.shape[-3]
    ends = given.get("cum_seq_q", given.get("cu_seqlens_q"))
    if ends is not None:
        other = given.get("cum_seq_k", given.get("cu_seqlens_k"))
        scores = query.shape[-2] * int((ends.diff() * other.diff()).sum())
    return Work(scores * (query.shape[-1] + value.shape[-1]), SOFTMAX_FLOPS * scores)


def _fused_self_attention(given: Arguments, _: Any) -> Work:
    """Of a whole layer of width d: its weights once for each token, and 2 · l² · d."""
    tokens = given["src"] if "src" in given else given["query"]
    batch, length, width = tokens.shape
    weights = ("qkv_weight", "proj_weight", "ffn_weight_1", "ffn_weight_2")
    used = sum(given[name].numel() for name in weights if name in given)
    heads = given["num_heads"] if "num_heads" in given else given["num_head"]
    scores = batch * heads * length * length
    macs = batch * length * used + 2 * batch * length * length * width
    return Work(macs, SOFTMAX_FLOPS * scores)


def _layer_of_cells(given: Arguments, _: Any) -> Work:
    """Each step takes both matrices of the layer once."""
    steps = given["input"].numel() // given["input"].shape[-1]
    gates, hidden = given["weight0"].shape[0], given["hidden_size"]
    macs = steps * (given["weight0"].numel() + given["weight1"].numel())
    return Work(macs, steps * hidden * CELL_FLOPS.get(gates // hidden, 0))


def _layers_of_cells(given: Arguments, _: Any) -> Work:
    """As above, for all layers and directions at once; biases have one axis."""
    steps = given["input"].numel() // given["input"].shape[-1]
    weights, hidden = given["weight"], given["hidden_size"]
    layers, gates = len(weights) // given["weight_stride0"], weights[0].shape[0] // hidden
    macs = steps * sum(weight.numel() for weight in weights if weight.dim() > 1)
    return Work(macs, steps * layers * hidden * CELL_FLOPS.get(gates, 0))


def _cell(gates: int) -> Formula:
    """The part of a cell that follows the matrix products; these are operators of their own."""

    def work(_: Arguments, result: Any) -> Work:
        return Work(0, CELL_FLOPS[gates] * result[0].numel())

    return work


FORMULAS: dict[str, tuple[Kind, Formula]] = {
    **dict.fromkeys(
        (
            "aten.convolution",
            "aten._convolution",
            "aten.convolution_overrideable",
            "aten.cudnn_convolution",
            "aten.cudnn_convolution_relu",
            "aten.cudnn_convolution_add_relu",
            "aten.miopen_convolution",
            "aten.miopen_depthwise_convolution",
            "aten.mkldnn_convolution",
            "aten._mps_convolution",
            "aten._slow_conv2d_forward",
            "aten._conv_depthwise2d",
            "aten.conv_depthwise3d",
            "aten.slow_conv3d_forward",
            "aten.slow_conv_dilated2d",
            "aten.slow_conv_dilated3d",
        ),
        ("convolution", _convolution),
    ),
    **dict.fromkeys(
        (
            "aten.cudnn_convolution_transpose",
            "aten.miopen_convolution_transpose",
            "aten._mps_convolution_transpose",
            "aten.slow_conv_transpose2d",
            "aten.slow_conv_transpose3d",
        ),
        ("convolution", _transposed),
    ),
    **dict.fromkeys(
        ("aten.mm", "aten.bmm", "aten._int_mm", "aten._scaled_mm"),
        ("matrix product", _product("self", "mat2")),
    ),
    "aten._grouped_mm": ("matrix product", _grouped_product),
    **dict.fromkeys(
        (
            *("aten.addmm", "aten._addmm_activation"),
            *("aten._sparse_addmm", "aten.sspaddmm", "aten.hspmm"),
        ),
        ("matrix product", _product("mat1", "mat2")),
    ),
    "aten.sparse_sampled_addmm": ("matrix product", _sampled_product),
    "aten._sparse_mm_reduce_impl": ("matrix product", _reducing_product),
    **dict.fromkeys(
        ("aten.baddbmm", "aten.addbmm"), ("matrix product", _product("batch1", "batch2"))
    ),
    **dict.fromkeys(("aten.mv", "aten.dot", "aten.vdot"), ("matrix product", _elements("self"))),
    "aten.addmv": ("matrix product", _elements("mat")),
    **dict.fromkeys(("aten.linear", "aten.mkldnn_linear"), ("matrix product", _linear)),
    **dict.fromkeys(
        (
            *("quantized.linear", "quantized.linear_relu", "quantized.linear_leaky_relu"),
            *("quantized.linear_dynamic", "quantized.linear_relu_dynamic", "quantized.linear_tanh"),
            *("quantized.linear_dynamic_fp16", "quantized.linear_relu_dynamic_fp16"),
        ),
        ("matrix product", _behind_packing),
    ),
    "aten._weight_int8pack_mm": ("matrix product", _packed),
    "aten._trilinear": ("matrix product", _trilinear),
    **dict.fromkeys(
        (
            "aten._scaled_dot_product_flash_attention",
            "aten._scaled_dot_product_flash_attention_for_cpu",
            "aten._scaled_dot_product_efficient_attention",
            "aten._scaled_dot_product_cudnn_attention",
            "aten._scaled_dot_product_fused_attention_overrideable",
            "aten._scaled_dot_product_attention_math_for_mps",
        ),
        ("attention", _attention),
    ),
    **dict.fromkeys(
        ("aten._flash_attention_forward", "aten._efficient_attention_forward"),
        ("attention", _attention_heads_last),
    ),
    **dict.fromkeys(
        ("aten._transformer_encoder_layer_fwd", "aten._native_multi_head_attention"),
        ("attention", _fused_self_attention),
    ),
    "aten.mkldnn_rnn_layer": ("recurrent", _layer_of_cells),
    **dict.fromkeys(("aten._cudnn_rnn", "aten.miopen_rnn"), ("recurrent", _layers_of_cells)),
    "aten._thnn_fused_lstm_cell": ("recurrent", _cell(4)),
    "aten._thnn_fused_gru_cell": ("recurrent", _cell(3)),
}
"""What multiplies and accumulates, by operator."""
