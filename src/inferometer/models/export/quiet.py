"""Keep what exporters print, log and warn of away from the user, and tell their errors shortly."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from inferometer.core.errors import InferometerError, WorkloadError, is_out_of_memory
from inferometer.core.shown import visible

LONGEST = 240
"""Letters of a reason."""

BY_VALUES = "the way through its code, or a shape in it, follows from values of its inputs"

_SAYINGS = (
    (
        re.compile(r"data.dependent|_local_scalar_dense|aten\.(nonzero|item)\b", re.IGNORECASE),
        BY_VALUES,
    ),
    (re.compile(r"No ONNX function found for <OpOverload\(op='([^']+)'"), "ONNX has no {}"),
    (re.compile(r"Exporting the operator '([^']+)' to ONNX"), "ONNX has no {}"),
    (re.compile(r"ScriptModule is not supported"), "torch's exporter takes no TorchScript"),
)
"""What exporters say, and what that means."""

_BY_VALUES = frozenset(
    {
        "GuardOnDataDependentSymNode",
        "DataDependentOutputException",
        "DynamicOutputShapeException",
    }
)
"""Exceptions of torch that mean the same."""


@contextmanager
def silent() -> Iterator[None]:
    """Nothing is printed, logged or warned of meanwhile."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    nowhere = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def exporting(form: str) -> Iterator[None]:
    """Tell in a sentence why an exporter failed. Running out of memory is left as it is.

    Args:
        form: what is exported to, for people.

    Raises:
        WorkloadError: (unsupported) it failed; or whatever the model's own code refused.
    """
    try:
        yield
    except Exception as error:
        ours = next((one for one in chain(error) if isinstance(one, InferometerError)), None)
        if ours is not None:
            raise ours from error
        if is_out_of_memory(error):
            raise
        raise WorkloadError(
            "unsupported", f"it cannot be exported to {form}: {reason(error)}"
        ) from error


def chain(error: BaseException) -> list[BaseException]:
    """An error and what it was raised from, the first cause last."""
    found = [error]
    while (below := found[-1].__cause__ or found[-1].__context__) and below not in found:
        found.append(below)
    return found


def depends_on_values(error: BaseException) -> bool:
    """Whether an exporter failed because values of the inputs decide what is computed."""
    return reason(error) == BY_VALUES


def reason(error: BaseException) -> str:
    """Why an exporter failed: the first line that a user can use."""
    errors = chain(error)
    if any(type(one).__name__ in _BY_VALUES for one in errors):
        return BY_VALUES
    for one in reversed(errors):
        for pattern, saying in _SAYINGS:
            found = pattern.search(str(one))
            if found:
                return saying.format(*map(visible, found.groups()))
    caused = [one for one in errors if one.__cause__ is None] or errors
    lines = [line.strip(" -") for line in str(caused[0]).splitlines()]
    first = next(filter(None, lines), type(caused[0]).__name__)
    first = re.sub(r"For more information, run with.*", "", first).strip()
    return visible(first if len(first) <= LONGEST else first[: LONGEST - 1] + "…")
