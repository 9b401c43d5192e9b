"""Turn what other people's code raises into failures that a reader can use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inferometer.core.errors import (
    InferometerError,
    WorkloadError,
    in_one_line,
    is_out_of_memory,
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
