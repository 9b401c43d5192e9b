"""What an exception of a model means: refused by the runtime, or an error of the model's own code.

Torch and the libraries of models refuse shapes and types by their messages. The same words in an
error of somebody's own code mean nothing: a list may be out of range, too.
"""

from __future__ import annotations

import dis
import re
import site
import sysconfig
from types import CodeType, TracebackType

import torch

from inferometer.core.errors import is_out_of_memory
from inferometer.core.record import FailureKind

SHAPE = re.compile(
    r"shape|size mismatch|sizes? of tensors? must|expected .* (input|channels?|size)"
    r"|output size is too small|kernel size can't be greater|mat1 and mat2"
    r"|doesn't match|more than 1 value per channel|dimension|must match"
    r"|not implemented for|^index out of range in self|out of bounds"
    r"|(?<=[Ii]ndex) \S+ is out of range",
    re.IGNORECASE,
)
"""What torch says of shapes, types and places that an operator does not take."""

ARRAYS = re.compile(
    r"broadcast|cannot reshape|not aligned|mismatch|must match|shapes \(|more than 1 value"
)
"""What NumPy and torch say of them in a ValueError; Python's own functions raise it too."""

UNUSABLE = re.compile(r"missing the required \"forward\" function")


def classify(error: BaseException) -> FailureKind | None:
    """Kind of a failure; None where it means nothing in particular."""
    if isinstance(error, torch.OutOfMemoryError) or is_out_of_memory(error):
        return "out_of_memory"
    if not isinstance(error, RuntimeError | ValueError | IndexError) or _is_of_own_code(error):
        return None
    if isinstance(error, NotImplementedError):
        return None if UNUSABLE.search(str(error)) else "unsupported"
    words = ARRAYS if isinstance(error, ValueError) and _is_raised_there(error) else SHAPE
    return "unsupported" if words.search(str(error)) else None


def _is_of_own_code(error: BaseException) -> bool:
    """Whether the model's own code raised it by a statement, and no library or operator did."""
    if error.__traceback__ is None:
        return False
    last = _last(error.__traceback__)
    return _raises(last) and not _is_of_library(last.tb_frame.f_code)


def _is_raised_there(error: BaseException) -> bool:
    """Whether a compiled function raised it that the model's own code had called."""
    place = error.__traceback__
    return place is not None and not _is_of_library(_last(place).tb_frame.f_code)


def _last(place: TracebackType) -> TracebackType:
    """Where an exception was raised."""
    while place.tb_next is not None:
        place = place.tb_next
    return place


def _raises(place: TracebackType) -> bool:
    """Whether the instruction that failed is a `raise` or an `assert`, not a call or an index."""
    code = place.tb_frame.f_code.co_code
    return dis.opname[code[place.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")


def _is_of_library(code: CodeType) -> bool:
    return code.co_filename.startswith(_library_folders()) or code.co_filename.startswith("<frozen")


def _library_folders() -> tuple[str, ...]:
    """Where installed packages and Python's own library lie."""
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    return tuple({*found, *site.getsitepackages()})
