"""What users set of MNN, and how a variant is configured."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from inferometer.core.artifact import BackendOption
from inferometer.core.errors import WorkloadError
from inferometer.core.workload import Variant

PRECISIONS = ("fp32", "fp16", "int8")
ARM = ("arm64", "aarch64")
WINOGRAD_HINT = 3
"""Number of the hint that says how large blocks of Winograd's method may be."""

OPTIONS: Mapping[str, BackendOption] = {
    "quantization": BackendOption(
        values=("static", "dynamic", "weights"),
        usual="static",
        says="At int8: static takes the ranges of activations from calibration samples; dynamic "
        "finds them in each call; weights stores weights alone in int8.",
    ),
    "calibration": BackendOption(
        values=("ema", "admm"),
        usual="ema",
        says="For quantization=static: ema takes moving averages of ranges and leaves in fp32 what "
        "it finds none for; admm searches ranges for everything, and takes up to 30 times as long.",
    ),
    "winograd": BackendOption(
        usual="3",
        low=0,
        high=3,
        says="How large the blocks of Winograd's method for 3x3 convolutions may be. The largest, "
        "3, take the least time, and add a relative error of about 1e-4 in fp32; 2 adds 1e-6.",
    ),
    "power": BackendOption(
        values=("low", "normal", "high"),
        usual="normal",
        says="On processors with cores of two kinds: which of them are used.",
    ),
}

Config = dict[str, str | int]

_MODES = {"normal": 0, "high": 1, "low": 2}
"""Numbers of modes; the binding knows words for that of the precision alone, and passes over all
others."""


def quantization(variant: Variant) -> str | None:
    """How a variant is quantised; None for one that is not.

    Raises:
        WorkloadError: (unsupported) the precision is not there, or not on this processor, or an
            option would do nothing.
    """
    options = dict(variant.options)
    if variant.precision not in PRECISIONS:
        raise WorkloadError(
            "unsupported",
            f"the backend mnn has no precision {variant.precision}; it has {', '.join(PRECISIONS)}",
        )
    how = options.get("quantization", "static")
    if variant.precision != "int8" and "quantization" in options:
        raise WorkloadError(
            "unsupported", f"the option quantization is for int8, not for {variant.precision}"
        )
    if "calibration" in options and (variant.precision != "int8" or how != "static"):
        raise WorkloadError(
            "unsupported", "the option calibration is for int8 with quantization=static"
        )
    if variant.precision == "int8":
        return how
    if variant.precision == "fp16" and platform.machine() not in ARM:
        raise WorkloadError(
            "unsupported",
            f"MNN computes in fp16 on ARM alone: on {platform.machine()} it would silently take "
            "fp32",
        )
    return None


def config(variant: Variant, threads: int) -> Config:
    """The configuration of a runtime.

    `high` keeps it from computing in anything less than fp32 where a file does not say so.
    """
    is_dynamic = quantization(variant) == "dynamic"
    return {
        "backend": "CPU",
        "numThread": threads,
        "precision": "low" if variant.precision == "fp16" else "high",
        "memory": _MODES["low" if is_dynamic else "normal"],
        "power": _MODES[dict(variant.options).get("power", "normal")],
    }


def winograd(variant: Variant) -> int:
    """How large blocks of Winograd's method may be."""
    return int(dict(variant.options).get("winograd", "3"))
