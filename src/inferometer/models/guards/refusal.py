"""How a model file is refused, and the way out where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inferometer.core.errors import (
    InferometerError,
    WorkloadError,
    in_one_line,
    is_out_of_memory,
)
from inferometer.core.shown import shown, visible

TRUST = "only if you trust the file, write ?pickle=yes"
"""The way out for whoever made the file, or knows who did."""

_TRIPPED: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (RecursionError, "it is nested too deeply"),
    (NotImplementedError, "its reader does not know what it holds"),
    (EOFError, "it ends too early"),
    (
        (LookupError, AttributeError, TypeError, NameError, AssertionError, ArithmeticError),
        "its parts do not go together",
    ),
)
"""Errors of readers that met what they did not expect: their messages are about themselves."""


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


def reason_of_reader(error: Exception) -> str:
    """What is wrong with a damaged file, as far as the error of its reader tells."""
    known = (words for kinds, words in _TRIPPED if isinstance(error, kinds))
    return next(known, visible(in_one_line(error)))


@contextmanager
def blaming(path: Path, what: str, *, trusted: bool = False) -> Iterator[None]:
    """Turn whatever a library raises that reads a file into a refusal of the file.

    Args:
        path: the file.
        what: what is wrong, as the rest of a sentence about it: `is damaged`.
        trusted: whether code in the file ran, whose own words then say best what it lacks.

    Raises:
        WorkloadError: (bad_model) the library raised, for any reason but missing memory.
    """
    try:
        yield
    except InferometerError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = visible(in_one_line(error)) if trusted else reason_of_reader(error)
        raise damaged(path, f"{what}: {reason}") from error
