"""How a model file is refused, and the way out where there is one."""

from __future__ import annotations

from pathlib import Path

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown

TRUST = "only if you trust the file, write ?pickle=yes"
"""The way out for whoever made the file, or knows who did."""


def untrusted(path: Path, what: str, way_out: str = TRUST) -> WorkloadError:
    """A refusal of something that could run code or reach other files.

    Args:
        path: the file.
        what: what it holds, as the rest of a sentence about it: `holds a compiled library`.
        way_out: what to do about it.
    """
    return WorkloadError("bad_model", f"{shown(path)} {what}: {way_out}")


def damaged(path: Path, what: str) -> WorkloadError:
    """A refusal of a file that cannot be read, whoever made it.

    Args:
        path: the file.
        what: what is wrong, as the rest of a sentence about it: `is cut short`.
    """
    return WorkloadError("bad_model", f"{shown(path)} {what}")
