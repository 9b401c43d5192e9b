"""What users set of ncnn, and the options of a network that follow from it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

from inferometer.core.artifact import BackendOption
from inferometer.core.errors import WorkloadError
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from ncnn import Option

PRECISIONS = ("fp32", "bf16", "fp16", "int8")
ARM = ("arm64", "aarch64")
OFF_ON = ("off", "on")


def _switch(says: str) -> BackendOption:
    return BackendOption(values=OFF_ON, usual="on", says=says)


OPTIONS: Mapping[str, BackendOption] = {
    "winograd": _switch("Whether 3x3 convolutions may be computed by Winograd's method."),
    "sgemm": _switch("Whether convolutions may be computed as products of matrices."),
    "packing": _switch("Whether channels lie together in blocks of the width of vectors."),
    "lightmode": _switch("Whether intermediate arrays are let go of as soon as they were used."),
}

_FIELDS = {
    "winograd": "use_winograd_convolution",
    "sgemm": "use_sgemm_convolution",
    "packing": "use_packing_layout",
    "lightmode": "lightmode",
}


def check_precision(precision: str) -> None:
    """Refuse a precision in whose place the runtime would silently take another.

    Raises:
        WorkloadError: (unsupported) it is not there, or not on this processor.
    """
    if precision not in PRECISIONS:
        raise WorkloadError(
            "unsupported",
            f"the backend ncnn has no precision {precision}; it has {', '.join(PRECISIONS)}",
        )
    if precision == "fp16" and platform.machine() not in ARM:
        raise WorkloadError(
            "unsupported",
            f"ncnn computes convolutions in fp16 on ARM alone: on {platform.machine()} it would "
            "silently take fp32",
        )


def set_options(option: Option, variant: Variant, threads: int) -> None:
    """Set those of a network. What is not said here has the value that the runtime gives it.

    By itself it stores numbers and computes in fp16 wherever the processor can.
    """
    option.num_threads = threads
    option.use_vulkan_compute = False
    for field in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(option, field, variant.precision == "fp16")
    option.use_bf16_storage = variant.precision == "bf16"
    option.use_bf16_packed = variant.precision == "bf16"
    for name, value in variant.options:
        setattr(option, _FIELDS[name], value == "on")
