"""Surroundings in which a user's file runs as it would by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def as_by_itself(path: Path) -> Iterator[list[str]]:
    """Let a user's file run without the traces of this process.

    It finds no arguments but its own name. It may set the number of threads between operators,
    which torch takes once in a process and has been given already; what it asked for in vain is a
    note.

    Args:
        path: of the file.

    Yields:
        Notes; they are complete when the file has run.
    """
    arguments, sys.argv = sys.argv, [str(path)]
    try:
        with _threads_between_operators() as notes:
            yield notes
    finally:
        sys.argv = arguments


@contextmanager
def _threads_between_operators() -> Iterator[list[str]]:
    torch: Any = sys.modules.get("torch")
    notes: list[str] = []
    if torch is None:  # nobody has set them yet
        yield notes
        return
    plain = torch.set_num_interop_threads

    def set_num_interop_threads(threads: int) -> None:
        try:
            plain(threads)
        except RuntimeError:
            held = torch.get_num_interop_threads()
            if held != threads:
                notes.append(
                    f"the model's code asked for {threads} threads between operators; {held} held"
                )

    torch.set_num_interop_threads = set_num_interop_threads
    try:
        yield notes
    finally:
        torch.set_num_interop_threads = plain
