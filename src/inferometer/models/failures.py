"""Turn what other people's code raises into failures that a reader can use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from inferometer.core.errors import InferometerError, WorkloadError

LONGEST_MESSAGE = 300

_OUT_OF_MEMORY = re.compile(
    r"out of memory|not enough memory|(can't|cannot|could not) allocate memory", re.IGNORECASE
)


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
        raise WorkloadError("bad_model", f"{what}: {in_one_line(error)}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python's or torch's says that there was no memory."""
    return isinstance(error, MemoryError) or bool(_OUT_OF_MEMORY.search(str(error)))


def in_one_line(error: BaseException) -> str:
    """Type and message of an exception, at a length that fits into a table."""
    message = " ".join(str(error).split())
    if len(message) > LONGEST_MESSAGE:
        message = message[: LONGEST_MESSAGE - 1] + "…"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
