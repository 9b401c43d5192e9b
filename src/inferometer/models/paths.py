"""Paths in model references: what they lead to, whatever a user wrote. Imports no runtime."""

from __future__ import annotations

from pathlib import Path

from inferometer.core.errors import ModelReferenceError
from inferometer.core.filenames import FileProblemError, check_file, expanded


def path_of(name: str) -> Path:
    """A path with `~` and `~user` filled in.

    Raises:
        ModelReferenceError: there is no such user, or it cannot be a path.
    """
    try:
        return expanded(name)
    except FileProblemError as error:
        raise ModelReferenceError(str(error)) from error


def require_file(path: Path) -> None:
    """Check that a path leads to an ordinary file.

    Raises:
        ModelReferenceError: it does not.
    """
    try:
        check_file(path)
    except FileProblemError as error:
        raise ModelReferenceError(str(error)) from error


def is_file(path: Path) -> bool:
    """Whether a path leads to an ordinary file; a name that no file can have does not."""
    try:
        check_file(path)
    except FileProblemError:
        return False
    return True


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; a name that no folder can have does not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
