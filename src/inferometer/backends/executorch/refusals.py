"""What an exception of ExecuTorch means, told from the number of the error in its words."""

from __future__ import annotations

import re

from inferometer.core.errors import LONGEST_MESSAGE, WorkloadError, is_out_of_memory
from inferometer.core.record import FailureKind
from inferometer.core.shown import shown, visible

_NUMBER = re.compile(r"error:? 0x:?([0-9a-fA-F]+)")
_MEANINGS: dict[int, tuple[FailureKind, str]] = {
    0x10: ("unsupported", "it does not take this shape"),
    0x11: ("unsupported", "it needs what is not implemented"),
    0x12: ("unsupported", "it does not take such inputs"),
    0x13: ("unsupported", "it does not take inputs of this type"),
    0x14: ("unsupported", "it needs an operator that is not there"),
    0x20: ("unsupported", "it needs a delegate that is not there"),
    0x21: ("out_of_memory", "there is not enough memory"),
    0x22: ("bad_model", "it cannot be read"),
    0x23: ("bad_model", "it is damaged or cut short"),
    0x24: ("bad_model", "its weights lie in another file"),
    0x25: ("out_of_memory", "there is not enough memory"),
    0x30: ("unsupported", "a delegate refuses its part: it may be of another version"),
    0x31: ("out_of_memory", "a delegate has not enough memory"),
}
"""Errors of the runtime by their number; others are faults of a file that got past its checks."""


def classify(error: BaseException) -> FailureKind | None:
    """Kind of a failure in a call; None where it means nothing in particular."""
    if is_out_of_memory(error):
        return "out_of_memory"
    found = _NUMBER.search(str(error)) if isinstance(error, RuntimeError) else None
    return _MEANINGS[int(found[1], 16)][0] if found and int(found[1], 16) in _MEANINGS else None


def refused(path: str, error: Exception, version: str) -> WorkloadError:
    """The failure of a file that the runtime did not load.

    Args:
        path: of the file.
        error: what the runtime raised.
        version: its own.
    """
    words = shown(visible(" ".join(str(error).split())), LONGEST_MESSAGE)
    found = _NUMBER.search(words)
    other: tuple[FailureKind, str] = ("bad_model", words)
    kind, reason = _MEANINGS.get(int(found[1], 16), other) if found else other
    if is_out_of_memory(error):
        kind = "out_of_memory"
    return WorkloadError(kind, f"{shown(path)} does not load in ExecuTorch {version}: {reason}")
