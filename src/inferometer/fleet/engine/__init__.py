"""Drives many devices at once: Dask has the queue, this has what a task does.

Knows boards and bundles; does not know SSH, nor how anything is measured.
"""

from __future__ import annotations

from importlib.util import find_spec

from inferometer.core.errors import MissingExtraError


def needed() -> None:
    """Make sure that Dask is there.

    Raises:
        MissingExtraError: it is not installed.
    """
    if find_spec("distributed") is None:
        raise MissingExtraError("distributed (Dask)", "fleet")
