"""Turn what other people's code raises into failures that a reader can use."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inferometer.core.errors import (
    FAULT,
    InferometerError,
    WorkloadError,
    in_one_line,
    is_out_of_memory,
)
from inferometer.core.shown import shown, visible

_PACKAGE = Path(__file__).parents[1]
_NETWORKS = Path(__file__).parent / "zoo"


@contextmanager
def building(what: str) -> Iterator[None]:
    """Turn whatever a builder raises into a failure that names it.

    Running out of memory is left as it is: it says nothing about the model, and the worker knows
    what to do.

    Raises:
        WorkloadError: (bad_model) the builder raised, or tried to end the process.
    """
    try:
        yield
    except InferometerError:
        raise
    except (Exception, SystemExit) as error:
        if is_out_of_memory(error):
            raise
        raise WorkloadError("bad_model", f"{shown(what)}: {visible(in_one_line(error))}") from error


def fault(what: str, error: BaseException) -> WorkloadError:
    """A failure that is inferometer's own: it blames nothing on the user, and says where it lies.

    Args:
        what: what it was about, such as a file.
        error: what our own code raised.
    """
    frames = [one for one in traceback.extract_tb(error.__traceback__) if _is_ours(one.filename)]
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return WorkloadError(
        "crash",
        f"{FAULT}{where}, not of {shown(what)}: {visible(in_one_line(error))}; please report it",
    )


def is_fault(error: BaseException) -> bool:
    """Whether our own code raised it, and not a model, its packages or the runtime."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and _is_ours(frames[-1].filename)


def _is_ours(filename: str) -> bool:
    """Whether a file is of this package, the networks that it brings along left out."""
    file = Path(filename)
    return file.is_relative_to(_PACKAGE) and not file.is_relative_to(_NETWORKS)
