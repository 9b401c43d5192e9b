"""Settings of torch that hold for a whole process, and that a model's code may change.

Read on the thread that makes the calls: the number of threads, autocast and the handling of
subnormal numbers belong to a thread.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any

from inferometer.core.protocols import Setting

NUMBERS: dict[str, tuple[str, str]] = {
    "threads": ("get_num_threads", "the number of threads"),
    "interop_threads": ("get_num_interop_threads", "the number of threads between operators"),
}
"""Name → function of torch that reads it, and words."""

VALUES: dict[str, tuple[str, str]] = {
    "default_dtype": ("get_default_dtype", "the default dtype"),
    "default_device": ("get_default_device", "the default device"),
    "float32_matmul_precision": (
        "get_float32_matmul_precision",
        "the precision of float32 matrix products",
    ),
    "fp32_precision": ("backends.fp32_precision", "the precision of float32"),
    "cudnn_fp32_precision": ("backends.cudnn.fp32_precision", "cuDNN's precision of float32"),
    "mkldnn_fp32_precision": ("backends.mkldnn.fp32_precision", "oneDNN's precision of float32"),
    "mkldnn_matmul_fp32_precision": (
        "backends.mkldnn.matmul.fp32_precision",
        "oneDNN's precision of float32 matrix products",
    ),
    "mkldnn_conv_fp32_precision": (
        "backends.mkldnn.conv.fp32_precision",
        "oneDNN's precision of float32 convolutions",
    ),
    "mkldnn_rnn_fp32_precision": (
        "backends.mkldnn.rnn.fp32_precision",
        "oneDNN's precision of float32 recurrent layers",
    ),
    "quantized_engine": ("backends.quantized.engine", "the engine for quantised operators"),
}
"""Name → function or attribute that reads it, and words."""

FLAGS: dict[str, tuple[str, str]] = {
    "deterministic": ("are_deterministic_algorithms_enabled", "deterministic algorithms"),
    "deterministic_warn_only": (
        "is_deterministic_algorithms_warn_only_enabled",
        "warnings in place of errors for algorithms that are not deterministic",
    ),
    "fill_uninitialized_memory": (
        "utils.deterministic.fill_uninitialized_memory",
        "the filling of new memory under deterministic algorithms",
    ),
    "cudnn_enabled": ("backends.cudnn.enabled", "cuDNN"),
    "cudnn_benchmark": ("backends.cudnn.benchmark", "cuDNN's search for the fastest algorithm"),
    "cudnn_deterministic": ("backends.cudnn.deterministic", "cuDNN's deterministic algorithms"),
    "cudnn_allow_tf32": ("backends.cudnn.allow_tf32", "TF32 in cuDNN"),
    "cuda_matmul_allow_tf32": (
        "backends.cuda.matmul.allow_tf32",
        "TF32 in CUDA's matrix products",
    ),
    "cuda_matmul_allow_fp16_reduction": (
        "backends.cuda.matmul.allow_fp16_reduced_precision_reduction",
        "sums in fp16 in CUDA's matrix products",
    ),
    "cuda_matmul_allow_bf16_reduction": (
        "backends.cuda.matmul.allow_bf16_reduced_precision_reduction",
        "sums in bf16 in CUDA's matrix products",
    ),
    "cuda_matmul_allow_fp16_accumulation": (
        "backends.cuda.matmul.allow_fp16_accumulation",
        "accumulation in fp16 in CUDA's matrix products",
    ),
    "mkldnn_enabled": ("backends.mkldnn.enabled", "oneDNN"),
    "mkldnn_deterministic": ("backends.mkldnn.deterministic", "oneDNN's deterministic algorithms"),
    "mkldnn_allow_tf32": ("backends.mkldnn.allow_tf32", "TF32 in oneDNN"),
    "flash_sdp": ("backends.cuda.flash_sdp_enabled", "flash attention"),
    "mem_efficient_sdp": (
        "backends.cuda.mem_efficient_sdp_enabled",
        "memory-efficient attention",
    ),
    "math_sdp": ("backends.cuda.math_sdp_enabled", "attention in plain operators"),
    "cudnn_sdp": ("backends.cuda.cudnn_sdp_enabled", "cuDNN's attention"),
    "mha_fast_path": ("backends.mha.get_fastpath_enabled", "the fast path of attention layers"),
    "anomaly_detection": ("is_anomaly_enabled", "autograd's anomaly detection"),
}
"""Name → function or attribute that tells whether it is on, and words."""

AUTOCAST = ("cpu", "cuda", "mps", "xpu")

FLUSH_DENORMAL = "flush_denormal"

IMPLIED = {
    "float32_matmul_precision": ("cuda_matmul_allow_tf32", "mkldnn_matmul_fp32_precision"),
    "fp32_precision": (
        *("float32_matmul_precision", "cudnn_fp32_precision", "mkldnn_fp32_precision"),
        *(f"mkldnn_{kind}_fp32_precision" for kind in ("matmul", "conv", "rnn")),
        *("cudnn_allow_tf32", "cuda_matmul_allow_tf32", "mkldnn_allow_tf32"),
    ),
    "deterministic": ("deterministic_warn_only",),
}
"""A setting → those that torch sets along with it."""


def read() -> dict[str, Setting]:
    """The settings now; those that this torch does not have, or cannot tell, are absent."""
    import torch

    found: dict[str, Setting] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some releases advise other names
        for name, (path, _) in _READ:
            value = _value(torch, path)
            if value is not None:
                found[name] = value
        for kind in AUTOCAST:
            state = _autocast(torch, kind)
            if state is not None:
                found[f"autocast_{kind}"] = state
    # torch does not tell it, but the processor does: the smallest normal number, halved
    found[FLUSH_DENORMAL] = sys.float_info.min * float("0.5") == 0.0
    return found


def changes(before: Mapping[str, Setting], after: Mapping[str, Setting]) -> list[str]:
    """One sentence for each setting that the model's code changed, of those in both."""
    changed = [name for name in before if name in after and before[name] != after[name]]
    implied = {other for name in changed for other in IMPLIED.get(name, ())}
    return [
        f"the model's code {_sentence(name, before[name], after[name])}"
        for name in changed
        if name not in implied
    ]


def _sentence(name: str, before: Setting, after: Setting) -> str:
    if name == "threads":
        return f"set the number of threads to {after}; {before} were asked for"
    if isinstance(after, bool):
        words = FLAGS[name][1] if name in FLAGS else "the flushing of subnormal numbers to zero"
        return f"switched {words} {'on' if after else 'off'}"
    if name.startswith("autocast_"):
        where = f"autocast on {name.removeprefix('autocast_')}"
        return f"left {where} {'off' if after == 'off' else f'switched on, in {after}'}"
    return f"set {(NUMBERS | VALUES)[name][1]} to {after}; it was {before}"


_READ = tuple((NUMBERS | VALUES | FLAGS).items())


def _value(torch: Any, path: str) -> Setting | None:  # noqa: ANN401 - the package
    """What a dotted path in torch holds or gives; None where it has or tells nothing."""
    value: Any = torch
    try:
        for step in path.split("."):
            value = getattr(value, step)
        if callable(value):
            value = value()
    except (AttributeError, RuntimeError):  # another release; settings that contradict each other
        return None
    if value is None or isinstance(value, bool | int):
        return value
    return str(value).removeprefix("torch.")


def _autocast(torch: Any, kind: str) -> str | None:  # noqa: ANN401 - the package
    """The type that autocast casts to on a kind of device, or `off`."""
    try:
        if not torch.is_autocast_enabled(kind):
            return "off"
        return str(torch.get_autocast_dtype(kind)).removeprefix("torch.")
    except RuntimeError:
        return None
