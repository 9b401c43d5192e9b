"""What users set of ONNX Runtime for latency, and the session options that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from inferometer.backends.onnxruntime.providers import PROVIDERS
from inferometer.core.artifact import BackendOption
from inferometer.core.errors import WorkloadError

if TYPE_CHECKING:
    from onnxruntime import SessionOptions

SILENT = 4
"""The level of its log that tells of fatal errors alone: what else is wrong is raised as well."""

OFF_ON = ("off", "on")
LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}

OPTIONS: Mapping[str, BackendOption] = {
    "quantization": BackendOption(
        values=("static", "dynamic", "weights"),
        usual="static",
        says="At int8: static takes the ranges of activations from calibration samples; dynamic "
        "finds them in each call; weights quantises those of matrix products alone.",
    ),
    "provider": BackendOption(
        values=tuple(PROVIDERS),
        says="The execution provider, where it is not the one that belongs to the device.",
    ),
    "graph_optimization": BackendOption(
        values=tuple(LEVELS),
        usual="all",
        says="How far the graph is rewritten: int8 kernels come in from extended on, layouts of "
        "the processor's own with all.",
    ),
    "execution_mode": BackendOption(
        values=("sequential", "parallel"),
        usual="sequential",
        says="Whether operators that do not need each other run side by side.",
    ),
    "inter_threads": BackendOption(
        low=1,
        high=1024,
        says="Threads that run operators side by side, with execution_mode=parallel; they come "
        "beside those within an operator, and are as many where this is not set.",
    ),
    "spinning": BackendOption(
        values=OFF_ON,
        usual="on",
        says="Whether threads that wait for work keep their CPU busy, which is quicker and takes "
        "more energy.",
    ),
    "arena": BackendOption(
        values=OFF_ON,
        usual="on",
        says="Whether memory is kept for later calls in an arena, which is quicker and takes more.",
    ),
    "memory_pattern": BackendOption(
        values=OFF_ON,
        usual="on",
        says="Whether the memory of a call is planned at the second one of the same shape.",
    ),
    "denormals": BackendOption(
        values=("kept", "zero"),
        usual="kept",
        says="Whether numbers too small for full precision, which are slow, become zero.",
    ),
    "tf32": BackendOption(
        values=OFF_ON,
        usual="off",
        says="On CUDA: whether fp32 is computed in TF32, which has the mantissa of fp16.",
    ),
}


def session_options(chosen: Mapping[str, str], threads: int) -> SessionOptions:
    """Options of a session with so many threads within an operator.

    Args:
        chosen: options by name.
        threads: within an operator.

    Raises:
        WorkloadError: (unsupported) one of them would do nothing.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = _inter_threads(chosen, threads)
    if chosen.get("execution_mode") == "parallel":
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    level = LEVELS[chosen.get("graph_optimization", "all")]
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.__members__[level]
    options.enable_cpu_mem_arena = chosen.get("arena") != "off"
    options.enable_mem_pattern = chosen.get("memory_pattern") != "off"
    if chosen.get("spinning") == "off":
        for pool in ("intra", "inter"):
            options.add_session_config_entry(f"session.{pool}_op.allow_spinning", "0")
    if chosen.get("denormals") == "zero":
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return options


def _inter_threads(chosen: Mapping[str, str], threads: int) -> int:
    """Threads between operators; left to itself, the runtime takes one for each CPU.

    Raises:
        WorkloadError: (unsupported) it would run operators one after the other all the same.
    """
    if chosen.get("execution_mode") == "parallel":
        found = int(chosen.get("inter_threads", threads))
        if found > 1:
            return found
        raise WorkloadError(
            "unsupported",
            "with one thread between operators nothing runs side by side: execution_mode=parallel "
            "needs inter_threads=2 or more",
        )
    if "inter_threads" in chosen:
        raise WorkloadError(
            "unsupported", "inter_threads does nothing without execution_mode=parallel"
        )
    return 1
