"""What torch's operators do, and how many operations those take that multiply no matrices.

Every operator that computes something and is in none of these tables is unknown, unless torch
itself marks it as one that works element by element. Reductions are marked by late releases only.
"""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from inferometer.core.cost import Kind
from inferometer.models.cost.formulas import SOFTMAX_FLOPS, Arguments
from inferometer.models.cost.torch.layouts import elements_of

Flops = Callable[[Arguments, Any], int]


def named(*names: str) -> frozenset[str]:
    """Operators of torch's own library, those that work in place too."""
    return frozenset(f"aten.{name}" for one in names for name in (one, f"{one}_"))


MOVEMENT = named(
    *("clone", "copy", "_to_copy", "_copy_from", "lift", "lift_fresh", "lift_fresh_copy", "alias"),
    *("cat", "_chunk_cat", "stack", "block_diag", "repeat", "repeat_interleave", "flip", "roll"),
    *("rot90", "diag_embed", "tril", "triu", "tril_indices", "triu_indices", "resize", "set"),
    *("index", "_unsafe_index", "index_select", "index_put", "_index_put_impl", "index_copy"),
    *("_unsafe_index_put", "_unsafe_masked_index", "index_fill", "gather", "scatter", "take"),
    *("select_scatter", "slice_scatter", "diagonal_scatter", "as_strided_scatter", "embedding"),
    *("masked_fill", "masked_select", "masked_scatter", "where", "nonzero", "nonzero_static"),
    *("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d"),
    *("replication_pad1d", "replication_pad2d", "replication_pad3d", "im2col", "col2im"),
    *("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "max_unpool2d", "max_unpool3d"),
    *("zeros", "zeros_like", "ones", "ones_like", "full", "full_like", "fill", "zero", "eye"),
    *("new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided", "scalar_tensor"),
    *("empty", "empty_like", "empty_strided", "empty_permuted", "arange", "linspace", "randperm"),
    *("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_local_scalar_dense"),
    *("_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d"),
    *("_pack_padded_sequence", "_mkldnn_transpose", "to_mkldnn", "_to_dense", "_reshape_copy"),
    *("mkldnn_reorder_conv2d_weight", "mkldnn_reorder_conv3d_weight", "bucketize", "searchsorted"),
    *("alias_copy", "as_strided_copy", "diagonal_copy", "expand_copy", "narrow_copy", "view_copy"),
    *("permute_copy", "squeeze_copy", "unsqueeze_copy", "t_copy", "transpose_copy", "slice_copy"),
    *("select_copy", "split_copy", "split_with_sizes_copy", "unbind_copy", "unfold_copy"),
    *("view_as_real_copy", "view_as_complex_copy", "_conj_physical", "_pin_memory"),
    *("_efficientzerotensor", "int_repr", "_to_sparse", "_to_sparse_csr", "_to_sparse_csc"),
    *("_to_sparse_bsr", "_to_sparse_bsc", "sparse_coo_tensor", "sparse_mask", "_spdiags"),
    *("_sparse_coo_tensor_with_dims", "_sparse_coo_tensor_with_dims_and_tensors"),
    *("_sparse_coo_tensor_unsafe", "sparse_compressed_tensor", "_sparse_broadcast_to"),
    *("_sparse_compressed_tensor_unsafe", "_sparse_compressed_tensor_with_dims"),
    *("copy_sparse_to_sparse", "sparse_resize", "sparse_resize_and_clear", "_coalesced"),
    *("_convert_indices_from_coo_to_csr", "_convert_indices_from_csr_to_coo"),
)
"""Copies, choices and fills: no operation, bytes only."""

UNWRITTEN = named(
    *("empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"),
    "_efficientzerotensor",
)
"""These give memory without writing it."""

GATHERED = named(
    *("embedding", "_embedding_bag", "_embedding_bag_forward_only"),
    *("index", "_unsafe_index", "index_select", "gather"),
)
"""These read as much of their table, which is their first argument, as they choose."""

OVERWRITTEN = named("copy", "fill", "zero", "uniform", "normal", "bernoulli", "set", "resize")
"""These write over their first argument without a look at it."""

HIDDEN_VIEWS = named("_unsafe_view", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk")
"""These give views, and do not say so."""

POINTWISE = named(
    *("hardswish", "hardtanh", "hardsigmoid", "leaky_relu", "elu", "celu", "gelu", "mish", "glu"),
    *("_prelu_kernel", "rrelu_with_noise", "threshold", "softplus", "softshrink", "hardshrink"),
    *("log_sigmoid_forward", "clamp", "floor_divide", "remainder", "rsub", "addr", "_add_relu"),
    *("uniform", "normal", "bernoulli", "exponential", "rand", "randn", "rand_like", "randn_like"),
    *("randint", "randint_like", "native_dropout", "polar", "complex", "angle", "isin"),
    *("quantize_per_tensor", "quantize_per_tensor_dynamic", "quantize_per_channel", "dequantize"),
    *("fake_quantize_per_tensor_affine_cachemask", "fake_quantize_per_channel_affine_cachemask"),
    *("mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "hann_window"),
)
"""One operation for each element of the result, as for what torch marks as such."""

REDUCTIONS = named(
    *("sum", "mean", "prod", "amax", "amin", "aminmax", "max", "min", "argmax", "argmin", "any"),
    *("all", "cumsum", "cumprod", "cummax", "logcumsumexp", "nansum", "count_nonzero", "norm"),
    *("linalg_vector_norm", "var", "std", "var_mean", "std_mean", "topk", "sort", "median", "mode"),
    *("index_add", "scatter_add", "scatter_reduce", "segment_reduce", "trace", "unique_dim"),
    *("_is_all_true", "_is_any_true", "unique_consecutive", "cummin"),
    *("_unique2", "logsumexp", "bincount", "histc", "kthvalue", "argsort", "_coalesce"),
    *("_sparse_sum", "_sparse_csr_sum", "_sparse_csr_prod"),
)
"""One operation for each element that goes in; sorting takes more than that."""


def _per_input(flops: int) -> Flops:
    """So many for each element of the first argument."""

    def count(given: Arguments, _: Any) -> int:
        return flops * elements_of(next(iter(given.values())))

    return count


def _affine(plain: int, affine: int) -> Flops:
    """So many for each element that goes in, and more where each is scaled."""

    def count(given: Arguments, _: Any) -> int:
        scaled = given.get("weight") is not None
        return (affine if scaled else plain) * int(given["input"].numel())

    return count


def _batch_norm(given: Arguments, _: Any) -> int:
    """With given statistics, a scale and a shift are left; otherwise they are computed too."""
    return (7 if given.get("training") else 2) * int(given["input"].numel())


def _window(given: Arguments, result: Any) -> int:
    """One for each place of the window, for each element of the result."""
    out = result[0] if isinstance(result, tuple) else result
    axes = given["self"].dim() - 2
    kernel = list(given["kernel_size"])
    places = kernel if len(kernel) >= axes else kernel * max(axes, 1)
    return int(out.numel() * prod(places))


def _neighbours(count: int) -> Flops:
    """A product and a sum for each neighbour, for each element of the result."""

    def flops(_: Arguments, result: Any) -> int:
        return 2 * count * int(result.numel())

    return flops


def _bag(given: Arguments, _: Any) -> int:
    """An addition for each element of each row that is taken."""
    return int(given["indices"].numel() * given["weight"].shape[1])


_POOLS = (
    *("max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d"),
    *("avg_pool2d", "avg_pool3d", "avg_pool1d", "max_pool1d", "mkldnn_max_pool2d"),
    *("quantized_max_pool2d", "fractional_max_pool2d", "fractional_max_pool3d"),
)
_ADAPTIVE = (
    *("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool2d"),
    *("adaptive_max_pool2d", "adaptive_max_pool3d", "mkldnn_adaptive_avg_pool2d"),
)

TABLE: dict[str, tuple[Kind, Flops]] = {
    **dict.fromkeys(
        named(
            *("_softmax", "_log_softmax", "_safe_softmax", "softmax", "_masked_softmax"),
            *("_sparse_softmax", "_sparse_log_softmax"),
        ),
        ("normalisation", _per_input(SOFTMAX_FLOPS)),
    ),
    **dict.fromkeys(
        named(
            *("native_batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm"),
            *("_native_batch_norm_legit_no_training", "miopen_batch_norm", "_batch_norm_no_update"),
        ),
        ("normalisation", _batch_norm),
    ),
    **dict.fromkeys(
        named("_batch_norm_with_update", "_batch_norm_with_update_functional"),
        ("normalisation", _per_input(7)),
    ),
    **dict.fromkeys(
        named("native_layer_norm", "native_group_norm"), ("normalisation", _affine(5, 7))
    ),
    **dict.fromkeys(named("_fused_rms_norm", "rms_norm"), ("normalisation", _affine(3, 4))),
    **dict.fromkeys(named("_weight_norm_interface"), ("normalisation", _per_input(3))),
    **dict.fromkeys(named(*_POOLS), ("pooling", _window)),
    **dict.fromkeys(named(*_ADAPTIVE), ("pooling", _per_input(1))),
    **dict.fromkeys(named("upsample_linear1d"), ("pooling", _neighbours(2))),
    **dict.fromkeys(
        named("upsample_bilinear2d", "_upsample_bilinear2d_aa", "grid_sampler_2d"),
        ("pooling", _neighbours(4)),
    ),
    **dict.fromkeys(named("upsample_trilinear3d", "grid_sampler_3d"), ("pooling", _neighbours(8))),
    **dict.fromkeys(
        named("upsample_bicubic2d", "_upsample_bicubic2d_aa"), ("pooling", _neighbours(16))
    ),
    **dict.fromkeys(named("_embedding_bag", "_embedding_bag_forward_only"), ("reduction", _bag)),
}
"""What takes a number of its own."""
