"""Every exception that inferometer raises on purpose.

    InferometerError
    ├── InputError                something that the user gave is wrong: exit status 2
    │   ├── StudyError            a study file, at a file, a line and a key
    │   ├── ModelReferenceError   a model reference that cannot be read
    │   ├── DatasetError          a dataset that cannot be found, read or trusted
    │   ├── StoreError            a database that cannot be opened, read or written
    │   ├── ImportFileError       a file given to `import`
    │   ├── MeterError            a power meter that the user named cannot be used
    │   ├── FleetError            a device of a fleet cannot be used, or its file is wrong
    │   └── MissingExtraError     an optional package is not installed
    ├── SourceLostError           a power source stopped answering; its figures are withheld
    └── WorkloadError             a workload failed; becomes a `Failure` in its record

Each message says what is wrong, where, and what to do. Only `cli` turns them into an exit status.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from inferometer.core.record import FailureKind


class InferometerError(Exception):
    """The root of the tree."""


class InputError(InferometerError):
    """Something that the user gave is wrong; nothing was measured or written because of it."""


class StudyError(InputError):
    """A study file is wrong. The message begins with `file:line: key:` as far as each is known."""

    def __init__(
        self,
        problem: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        key: str | None = None,
    ) -> None:
        place = ":".join(str(part) for part in (file, line) if part is not None)
        super().__init__(": ".join(part for part in (place, key, problem) if part))
        self.file = file
        self.line = line
        self.key = key


class ModelReferenceError(InputError):
    """A model reference cannot be read: unknown name, unknown source, malformed option."""


class DatasetError(InputError):
    """A dataset cannot be found or read, or its samples, labels or roles are wrong."""


class StoreError(InputError):
    """A results database cannot be opened, read or written, or a run is not in it."""


class ImportFileError(InputError):
    """A file given to `import` is not one of ours and its columns cannot be mapped."""


class MeterError(InputError):
    """A power meter, or a log of one, that the user named cannot be used."""


class FleetError(InputError):
    """A device of a fleet cannot be used, or the file that lists them is wrong."""


class MissingExtraError(InputError):
    """A plug-in needs an optional package; the message holds the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed: run pip install 'inferometer[{extra}]'")
        self.extra = extra


class SourceLostError(InferometerError):
    """A power source is gone, frozen, reset, or closed to us; the message is the reason."""


class WorkloadError(InferometerError):
    """A workload failed in a way that has a name; it becomes a `Failure` in its record."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


LONGEST_MESSAGE = 300
FAULT = "a fault of inferometer"
"""Begins the message of a failure that neither the user nor the model has caused."""

_OUT_OF_MEMORY = re.compile(
    r"not enough memory|out of memory|can't allocate memory|bad_?alloc|bad allocation"
    r"|could not allocate|cannot allocate memory",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python, its libraries or the C++ below says there was no memory."""
    return isinstance(error, MemoryError) or bool(_OUT_OF_MEMORY.search(str(error)))


def in_one_line(error: BaseException, longest: int = LONGEST_MESSAGE) -> str:
    """Type and message of an exception, at a length that fits into a table."""
    message = " ".join(str(error).split())
    if len(message) > longest:
        message = message[: longest - 1] + "…"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
