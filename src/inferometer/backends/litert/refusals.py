"""What an exception of LiteRT means, told from its words: it raises those of Python itself."""

from __future__ import annotations

import re

from inferometer.backends.unloaded import Why, unloaded
from inferometer.core.errors import LONGEST_MESSAGE, WorkloadError, is_out_of_memory
from inferometer.core.record import FailureKind
from inferometer.core.shown import shown, visible

_MEMORY = re.compile(r"failed to allocate|memory (allocation|arena)|arena size", re.IGNORECASE)
_NOT_THERE = re.compile(
    r"unresolved custom op|didn't find op|select tensorflow op|unsupported|not supported"
    r"|registration failed|unknown version|opcode",
    re.IGNORECASE,
)
"""Of operators, and versions of operators, that the runtime does not have."""

_CALLS = re.compile(r"node number \d+|cannot set tensor|resize|dimension mismatch", re.IGNORECASE)
"""Of an operator that did not take its inputs, and of inputs that the file does not take."""

_PLACE = re.compile(r"\S*\w\.(?:cc|h):\d+:? ?")
"""Where in the runtime's own source it was found."""


def classify(error: BaseException) -> FailureKind | None:
    """Kind of a failure in a call; None where it means nothing in particular."""
    if is_out_of_memory(error):
        return "out_of_memory"
    if not isinstance(error, RuntimeError | ValueError):
        return None
    words = _reason(error)
    if not _CALLS.search(words):
        return None
    return "out_of_memory" if _MEMORY.search(words) else "unsupported"


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
    return unloaded(path, f"LiteRT {version}", why, told)


def _reason(error: BaseException) -> str:
    """The runtime's own words in one line, without places in its source."""
    return _PLACE.sub("", " ".join(str(error).split())) or type(error).__name__
