"""Work of torch's operators for gradients: some networks differentiate inside a call."""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from math import prod
from typing import Any

from inferometer.core.cost import Kind
from inferometer.models.cost.formulas import (
    CELL_FLOPS,
    FORMULAS,
    SOFTMAX_FLOPS,
    Arguments,
    Formula,
    Work,
)


def _convolution(given: Arguments, _: Any) -> Work:
    """That of the convolution for the gradient of its input, and for that of its weight.

    Each where it is asked for; the gradient of a bias is a sum.
    """
    ends = given["input"] if given["transposed"] else given["grad_output"]
    of_input, of_weight, of_bias = given["output_mask"]
    macs = ends.numel() * prod(given["weight"].shape[1:])
    return Work(macs * (of_input + of_weight), given["grad_output"].numel() if of_bias else 0)


def _attention(given: Arguments, _: Any) -> Work:
    """Five products where attention has two: the scores are computed again."""
    query, key, value = given["query"], given["key"], given["value"]
    scores = query.numel() // query.shape[-1] * key.shape[-2]
    widths = 3 * query.shape[-1] + 2 * value.shape[-1]
    return Work(scores * widths, 2 * SOFTMAX_FLOPS * scores)


def _layer_of_cells(given: Arguments, _: Any) -> Work:
    """Each step takes both matrices of the layer twice: for its inputs, and for themselves."""
    steps = given["input"].numel() // given["input"].shape[-1]
    gates, hidden = given["weight1"].shape[0], given["hidden_size"]
    macs = steps * (given["weight1"].numel() + given["weight2"].numel())
    return Work(2 * macs, 2 * steps * hidden * CELL_FLOPS.get(gates // hidden, 0))


def _layers_of_cells(given: Arguments, result: Any) -> Work | None:
    forward = FORMULAS["aten._cudnn_rnn"][1](given, result)
    return forward and Work(2 * forward.macs, 2 * forward.elementwise_flops)


def _each_gradient(flops: int) -> Formula:
    """So many for each element of the gradient that comes in."""

    def work(given: Arguments, _: Any) -> Work:
        return Work(0, flops * int(next(iter(given.values())).numel()))

    return work


def _each_result(_: Arguments, result: Any) -> Work:
    first = result[0] if isinstance(result, tuple) else result
    return Work(0, first.numel())


def _window(given: Arguments, _: Any) -> Work:
    """One for each place of a window."""
    return Work(0, given["grad_output"].numel() * prod(given["kernel_size"]))


def _normalisation(given: Arguments, _: Any) -> Work:
    """Ten for each element, and three more for those of weight and bias.

    With given statistics a gradient is a scale.
    """
    each = 10 if given.get("train", True) else 1
    weighted = 3 if any(given["output_mask"][1:]) else 0
    return Work(0, (each + weighted) * given["input"].numel())


def _all(kind: Kind, formula: Formula, *names: str) -> dict[str, tuple[Kind, Formula]]:
    return {f"aten.{name}": (kind, formula) for name in names}


GRADIENTS: dict[str, tuple[Kind, Formula]] = {
    **_all("convolution", _convolution, "convolution_backward"),
    **_all(
        "attention",
        _attention,
        "_scaled_dot_product_flash_attention_for_cpu_backward",
        "_scaled_dot_product_flash_attention_backward",
        "_scaled_dot_product_efficient_attention_backward",
        "_scaled_dot_product_cudnn_attention_backward",
        "_scaled_dot_product_fused_attention_overrideable_backward",
    ),
    **_all("recurrent", _layer_of_cells, "mkldnn_rnn_layer_backward"),
    **_all("recurrent", _layers_of_cells, "_cudnn_rnn_backward", "miopen_rnn_backward"),
    **_all(
        "normalisation",
        _normalisation,
        *("native_batch_norm_backward", "native_layer_norm_backward", "native_group_norm_backward"),
        "_fused_rms_norm_backward",
    ),
    **_all(
        "normalisation",
        _each_gradient(4),
        *("_softmax_backward_data", "_log_softmax_backward_data", "_masked_softmax_backward"),
    ),
    **_all("normalisation", _each_gradient(6), "_weight_norm_interface_backward"),
    **_all(
        "pooling",
        _each_gradient(1),
        *("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward"),
        *("adaptive_max_pool2d_backward", "adaptive_max_pool3d_backward"),
    ),
    **_all("pooling", _window, "avg_pool2d_backward", "avg_pool3d_backward"),
    **_all(
        "pooling",
        _each_result,
        *("_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward"),
    ),
    **_all("pooling", _each_gradient(4), "upsample_linear1d_backward"),
    **_all("pooling", _each_gradient(8), "upsample_bilinear2d_backward"),
    **_all("pooling", _each_gradient(16), "upsample_trilinear3d_backward"),
    **_all("pooling", _each_gradient(32), "upsample_bicubic2d_backward"),
    **_all(
        "reduction",
        _each_gradient(1),
        *("embedding_dense_backward", "unfold_backward", "value_selecting_reduction_backward"),
        *("reflection_pad1d_backward", "reflection_pad2d_backward", "reflection_pad3d_backward"),
        *("replication_pad1d_backward", "replication_pad2d_backward", "replication_pad3d_backward"),
        *("upsample_nearest1d_backward", "upsample_nearest2d_backward"),
        *("upsample_nearest3d_backward", "_upsample_nearest_exact1d_backward"),
        *("_upsample_nearest_exact2d_backward", "_upsample_nearest_exact3d_backward"),
    ),
    **_all(
        "element-wise",
        _each_result,
        *("hardtanh_backward", "elu_backward", "hardsigmoid_backward", "hardswish_backward"),
        *("log_sigmoid_backward", "softplus_backward", "softshrink_backward", "mish_backward"),
        *("hardshrink_backward", "leaky_relu_backward", "glu_backward", "_prelu_kernel_backward"),
        *("threshold_backward", "gelu_backward", "rrelu_with_noise_backward"),
        *("mse_loss_backward", "smooth_l1_loss_backward", "huber_loss_backward"),
        *("binary_cross_entropy_backward", "native_dropout_backward"),
    ),
    **_all(
        "data movement",
        lambda _given, _result: Work(0),
        *("slice_backward", "select_backward"),
    ),
}
"""What goes back through an operator, by operator."""
