"""What an exception of OpenVINO means, told from its words: its class is RuntimeError."""

from __future__ import annotations

import re

from inferometer.backends.unloaded import Why, unloaded
from inferometer.core.errors import LONGEST_MESSAGE, WorkloadError, is_out_of_memory
from inferometer.core.record import FailureKind
from inferometer.core.shown import shown, visible

_PLACE = re.compile(
    r"Exception from \S+\.[ch]pp:\d+:|Check '.*?' failed at \S+\.[ch]pp:\d+:"
    r"|FrontEnd API failed with \w+:",
    re.DOTALL,
)
"""Where in the runtime's own source it was found."""

_UNREADABLE = re.compile(r"Unable to read the model: .*", re.DOTALL)
"""With the path of the file and all formats that there are."""

_NOT_THERE = re.compile(
    r"no conversion rule|doesn't contain the operation|n[o']t (yet )?(supported|implemented)"
    r"|unsupported",
    re.IGNORECASE,
)
"""Of operators and types that the runtime does not have."""

_INPUTS = re.compile(
    r"incompatible|mismatch|shape|dimension|\brank\b|broadcast|out of (bounds|range)", re.IGNORECASE
)
"""Of inputs that an operator does not take."""


def classify(error: BaseException) -> FailureKind | None:
    """Kind of a failure in a call; None where it means nothing in particular."""
    if is_out_of_memory(error):
        return "out_of_memory"
    if not _PLACE.search(str(error)):
        return None
    words = reason(error)
    return "unsupported" if _INPUTS.search(words) or _NOT_THERE.search(words) else None


def refused(path: str, error: Exception, version: str) -> WorkloadError:
    """The failure of a file that the runtime did not load.

    Args:
        path: of the file.
        error: what the runtime raised.
        version: its own.
    """
    words = reason(error)
    why: Why = "unsupported" if _NOT_THERE.search(words) else "bad_model"
    if is_out_of_memory(error):
        why = "out_of_memory"
    return unloaded(path, f"openvino {version}", why, words)


def cannot(what: str, error: Exception) -> WorkloadError:
    """The failure of something that the runtime or NNCF does not do; the words begin with what."""
    kind: FailureKind = "out_of_memory" if is_out_of_memory(error) else "unsupported"
    return WorkloadError(kind, f"{what}: {reason(error)}")


def reason(error: BaseException) -> str:
    """The runtime's own words in one line, without places in its source."""
    words = _UNREADABLE.sub("it cannot be read", _PLACE.sub("", str(error)))
    line = " ".join(words.split()) or type(error).__name__
    return shown(visible(line), LONGEST_MESSAGE)
