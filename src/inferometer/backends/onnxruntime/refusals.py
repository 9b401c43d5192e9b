"""What an exception of ONNX Runtime means, told from its class and its words."""

from __future__ import annotations

import re

from inferometer.backends.unloaded import Why, unloaded
from inferometer.core.errors import LONGEST_MESSAGE, WorkloadError, is_out_of_memory
from inferometer.core.record import FailureKind
from inferometer.core.shown import shown, visible

_OWN = "onnxruntime."
"""Begins the module of its exceptions."""

_MEMORY = re.compile(r"failed to allocate memory", re.IGNORECASE)
_NOT_THERE = re.compile(
    r"no op registered|is not a registered function/op|could not find an implementation"
    r"|not implemented|under development|unsupported model ir version|not support",
    re.IGNORECASE,
)
"""Of operators, types and versions of ONNX that the runtime does not have."""

_INPUTS = re.compile(
    r"shape|dimension|invalid rank|out of data bounds|out of (bounds|range)|mismatch|broadcast"
    r"|unexpected input data type|invalid input name|must (match|be)",
    re.IGNORECASE,
)
"""Of inputs that an operator does not take."""

_NO_ARRAY = "No corresponding Numpy type"
"""Of outputs in a type that NumPy does not have."""

_HEAD = re.compile(
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : (Load model from .*? failed: ?)?(Fatal error: )?"
)
"""Before the reason; the path of the file is in it."""
_PLACE = re.compile(r"/\S+\.(cc|h):\d+ .*?\) (?=[A-Z])")
"""Where in the runtime's own source it was found, with the function's signature."""


def classify(error: BaseException) -> FailureKind | None:
    """Kind of a failure in a call; None where it means nothing in particular."""
    if is_out_of_memory(error):
        return "out_of_memory"
    words = _reason(error)
    if _NO_ARRAY in words:
        return "unsupported"
    if not type(error).__module__.startswith(_OWN):
        return None
    if _MEMORY.search(words):
        return "out_of_memory"
    return "unsupported" if _INPUTS.search(words) or _NOT_THERE.search(words) else None


def refused(path: str, error: Exception, version: str) -> WorkloadError:
    """The failure of a file that the runtime did not load.

    Args:
        path: of the file.
        error: what the runtime raised.
        version: its own.
    """
    words = _reason(error)
    why: Why = "unsupported" if _NOT_THERE.search(words) else "bad_model"
    if is_out_of_memory(error) or _MEMORY.search(words):
        why = "out_of_memory"
    told = shown(visible(words), LONGEST_MESSAGE)
    return unloaded(path, f"onnxruntime {version}", why, told)


def not_converted(path: str, error: Exception, version: str, precision: str) -> WorkloadError:
    """The failure of a file that the runtime's tools did not convert.

    Args:
        path: of the file.
        error: what they raised.
        version: of the runtime.
        precision: into which it was to be converted.
    """
    told = shown(visible(_reason(error)), LONGEST_MESSAGE)
    if is_out_of_memory(error) or _MEMORY.search(told):
        return WorkloadError("out_of_memory", f"{shown(path)}: {told}")
    return WorkloadError(
        "bad_model" if type(error).__module__.startswith("google.protobuf") else "unsupported",
        f"{shown(path)} is not converted to {precision} by onnxruntime {version}: {told}",
    )


def _reason(error: BaseException) -> str:
    """The runtime's own words in one line, without the file and places in its source."""
    words = " ".join(str(error).split())
    return _PLACE.sub("", _HEAD.sub("", words)) or type(error).__name__
