"""The failure of a file that a runtime did not load, in the same words for all runtimes."""

from __future__ import annotations

from typing import Literal

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown

Why = Literal["out_of_memory", "unsupported", "bad_model"]


def unloaded(path: str, runtime: str, why: Why, told: str) -> WorkloadError:
    """The failure.

    Args:
        path: of the file.
        runtime: with its version.
        why: there is no memory for it, it needs what the runtime lacks, or it is damaged.
        told: the runtime's own words, fit to be shown.
    """
    if why == "out_of_memory":
        return WorkloadError(why, f"{shown(path)}: {told}")
    if why == "unsupported":
        return WorkloadError(why, f"{shown(path)} needs what {runtime} does not have: {told}")
    return WorkloadError(why, f"{shown(path)} does not load in {runtime}: {told}")
