"""Reads flatbuffers, the files of several runtimes, without their schemas' code."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

LONGEST_TEXT = 1 << 12
MOST_PARTS = 1 << 16
"""Of a vector; a longer one is none that a model has there."""


class Flatbuffer:
    """Reads places of a flatbuffer, whose schema the caller knows."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self.file = file
        self.size_bytes = size_bytes

    def number(self, place: int, kind: str = "I") -> int:
        """A number at a place.

        Raises:
            EOFError: the place is beyond the file.
        """
        length = struct.calcsize(kind)
        if not 0 <= place <= self.size_bytes - length:
            raise EOFError
        self.file.seek(place)
        return int(struct.unpack(f"<{kind}", self.file.read(length))[0])

    def target(self, place: int) -> int:
        """Where the offset at a place leads."""
        return place + self.number(place)

    def field(self, table: int, index: int) -> int | None:
        """The place of a field of a table; None where it is left out."""
        described = table - self.number(table, "i")
        at = 4 + 2 * index
        offset = self.number(described + at, "H") if at < self.number(described, "H") else 0
        return table + offset if offset else None

    def vector(self, table: int, index: int) -> range:
        """Places of the parts, of four bytes each, of a vector that is a field of a table."""
        place = self.field(table, index)
        if place is None:
            return range(0)
        begin = self.target(place)
        return range(begin + 4, begin + 4 + 4 * self.number(begin), 4)

    def tables(self, table: int, index: int) -> list[int]:
        """Places of the tables, or texts, in a vector that is a field of a table.

        Raises:
            EOFError: as `number`.
        """
        return [self.target(place) for place in self.vector(table, index)[:MOST_PARTS]]

    def table(self, table: int, index: int) -> int | None:
        """The place of a table that is a field of a table; None where it is left out."""
        place = self.field(table, index)
        return None if place is None else self.target(place)

    def whole(self, table: int, index: int, kind: str = "i", *, otherwise: int = 0) -> int:
        """A number that is a field of a table."""
        place = self.field(table, index)
        return otherwise if place is None else self.number(place, kind)

    def wholes(self, table: int, index: int) -> tuple[int, ...]:
        """Numbers of four bytes in a vector that is a field of a table."""
        return tuple(self.number(at, "i") for at in self.vector(table, index)[:MOST_PARTS])

    def text(self, table: int, index: int) -> str:
        """A text that is a field of a table; empty where it is left out."""
        place = self.table(table, index)
        return "" if place is None else self.text_at(place)

    def text_at(self, place: int) -> str:
        """The text at a place.

        Raises:
            EOFError: it is beyond the file, or too long.
        """
        length = self.number(place)
        if length > min(LONGEST_TEXT, self.size_bytes - place - 4):
            raise EOFError
        self.file.seek(place + 4)
        return self.file.read(length).decode(errors="replace")


@contextmanager
def opened(path: Path) -> Iterator[Flatbuffer]:
    """The flatbuffer in a file."""
    with path.open("rb") as file:
        yield Flatbuffer(file, file.seek(0, 2))
