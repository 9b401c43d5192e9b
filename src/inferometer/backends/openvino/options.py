"""What users set of OpenVINO, and the properties of a compiled model that follow from it."""

from __future__ import annotations

from collections.abc import Mapping

from inferometer.core.artifact import BackendOption
from inferometer.core.errors import WorkloadError
from inferometer.core.workload import Variant

OFF_ON = ("off", "on")
QUANTIZATIONS = ("static", "dynamic", "weights")
CORES = {"any": "ANY_CORE", "performance": "PCORE_ONLY", "efficiency": "ECORE_ONLY"}

CALIBRATION: Mapping[str, BackendOption] = {
    "preset": BackendOption(
        values=("performance", "mixed"),
        usual="performance",
        says="For quantization=static: performance takes symmetric ranges of activations, mixed "
        "asymmetric ones, which lose less and take longer.",
    ),
    "bias_correction": BackendOption(
        values=("fast", "full"),
        usual="fast",
        says="For quantization=static: how the shift of means is taken back; full is more "
        "accurate, and prepares far longer.",
    ),
    "model_type": BackendOption(
        values=("any", "transformer"),
        usual="any",
        says="For quantization=static: transformer keeps what attention is sensitive to in fp32.",
    ),
}
"""Options of NNCF that say how static quantisation is calibrated."""

OPTIONS: Mapping[str, BackendOption] = {
    "quantization": BackendOption(
        values=QUANTIZATIONS,
        usual="static",
        says="At int8: static takes the ranges of activations from calibration samples; dynamic "
        "finds those of matrix products in each call; weights stores weights alone in int8.",
    ),
    **CALIBRATION,
    "shapes": BackendOption(
        values=("static", "dynamic"),
        usual="static",
        says="Whether a model with open axes is compiled for each shape of its inputs, or once.",
    ),
    "performance_hint": BackendOption(
        values=("latency", "throughput"),
        usual="latency",
        says="What the runtime is tuned for. Throughput splits the threads into streams, of which "
        "a single call uses one.",
    ),
    "streams": BackendOption(
        low=1,
        high=1024,
        says="Streams that share the threads, in place of those that follow from performance_hint.",
    ),
    "pinning": BackendOption(
        values=OFF_ON, says="Whether threads are bound to CPUs; the runtime decides by itself."
    ),
    "hyper_threading": BackendOption(
        values=OFF_ON,
        says="Whether both threads of a core are used; the runtime decides by itself.",
    ),
    "cores": BackendOption(
        values=tuple(CORES),
        usual="any",
        says="On processors with cores of two kinds: which of them are used.",
    ),
    "denormals": BackendOption(
        values=("kept", "zero"),
        usual="kept",
        says="Whether numbers too small for full precision, which are slow, become zero.",
    ),
}

HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}
"""Precision → what is computed in where a file does not say otherwise.

The runtime's own choice on processors with bf16 is that, also for a file in fp32."""

Property = str | int | bool


def quantization(variant: Variant) -> str:
    """How an int8 variant is quantised.

    Raises:
        WorkloadError: (unsupported) an option would do nothing.
    """
    options = dict(variant.options)
    how = options.get("quantization", "static")
    if variant.precision != "int8" and "quantization" in options:
        raise WorkloadError(
            "unsupported", f"the option quantization is for int8, not for {variant.precision}"
        )
    idle = sorted(CALIBRATION.keys() & options.keys())
    if idle and (variant.precision != "int8" or how != "static"):
        raise WorkloadError(
            "unsupported", f"the option {idle[0]} is for int8 with quantization=static"
        )
    return how


def properties(variant: Variant, threads: int) -> dict[str, Property]:
    """Properties of a compiled model.

    EXECUTION_MODE_HINT=ACCURACY keeps the runtime from quantising activations of matrix products
    and the states of attention, which it otherwise does in fp32 too.

    Args:
        variant: what is compiled.
        threads: of a call, all streams together.
    """
    options = dict(variant.options)
    is_dynamic = variant.precision == "int8" and options.get("quantization") == "dynamic"
    found: dict[str, Property] = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": HINTS[variant.precision],
        "EXECUTION_MODE_HINT": "PERFORMANCE" if is_dynamic else "ACCURACY",
        "PERFORMANCE_HINT": options.get("performance_hint", "latency").upper(),
        "SCHEDULING_CORE_TYPE": CORES[options.get("cores", "any")],
        "CPU_DENORMALS_OPTIMIZATION": options.get("denormals") == "zero",
    }
    if "streams" in options:
        found["NUM_STREAMS"] = int(options["streams"])
    for name, its in (
        ("pinning", "ENABLE_CPU_PINNING"),
        ("hyper_threading", "ENABLE_HYPER_THREADING"),
    ):
        if name in options:
            found[its] = options[name] == "on"
    return found
