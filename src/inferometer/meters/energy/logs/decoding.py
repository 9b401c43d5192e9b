"""From a file to lines of text: its size, its encoding, and what is no text. Knows no format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from inferometer.core.filenames import check_file, expanded
from inferometer.meters.energy.logs.channel import LogProblemError

MOST_BYTES = 1 << 30
"""So many rows of two hundred characters."""
LONGEST_LINE = 64 * 1024

_UTF_16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_BINARY = (
    (
        b"jlsfmt",
        "a recording of Joulescope (JLS), which is binary: export it as CSV from its window",
    ),
    (b"\xd3tagfmt", "a recording of Joulescope (JLS), which is binary: export it as CSV"),
    (b"PK\x03\x04", "an Excel or another packed file: save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file: save the sheet as CSV"),
    (b"\x1f\x8b", "a packed file: unpack it first"),
    (b"BZh", "a packed file: unpack it first"),
    (b"\xfd7zXZ", "a packed file: unpack it first"),
    (b"SQLite format 3", "a database of SQLite: export the power as CSV"),
    (b"PAR1", "a file of Parquet: write it as CSV"),
    (b"%PDF", "a PDF: give the figures as CSV"),
    (b"bplist", "a binary property list: convert it with plutil -convert xml1"),
)
_HEAD = 4096


@contextmanager
def opened(path: str) -> Iterator[TextIO]:
    """The text of a file: UTF-8, or UTF-16 where its first bytes say or show so.

    Raises:
        FileProblemError: it is not there, no ordinary file, or too large.
        LogProblemError: it is no text.
        OSError: it cannot be read.
    """
    file = expanded(path)
    check_file(file, at_most=MOST_BYTES)
    with file.open("rb") as raw:
        head = raw.read(_HEAD)
    for start, sentence in _BINARY:
        if head.startswith(start):
            raise LogProblemError(f"it is {sentence}")
    with file.open(encoding=_encoding(head), errors="replace", newline="") as stream:
        yield stream


def _encoding(head: bytes) -> str:
    if head[:2] in _UTF_16:
        return _UTF_16[head[:2]]
    pairs = len(head) // 2
    if pairs > 1 and head[1::2].count(0) > 0.9 * pairs and not head[::2].count(0):
        return "utf-16-le"
    if pairs > 1 and head[::2].count(0) > 0.9 * pairs and not head[1::2].count(0):
        return "utf-16-be"
    return "utf-8-sig"


def lines_of(stream: TextIO) -> Iterator[str]:
    """Lines of at most 64 KiB: a file without line ends would fill the memory.

    Raises:
        LogProblemError: one is longer.
    """
    line = 0
    while text := stream.readline(LONGEST_LINE + 1):
        line += 1
        if len(text) > LONGEST_LINE:
            raise LogProblemError("a line of more than 64 KiB: is it a log?", line)
        yield text
