"""A file → a table of cells with their places; its content says what it is, not its name.

What a file may hold is bounded before it is taken apart, so that no file takes much more memory
than its own size, or longer than seconds.
"""

from __future__ import annotations

import re
from pathlib import Path

from inferometer.core.errors import ImportFileError
from inferometer.core.filenames import MIB, FileProblemError, read_file
from inferometer.core.shown import shown
from inferometer.store.tables.delimited import read_delimited
from inferometer.store.tables.limits import check_cells, check_columns, check_rows
from inferometer.store.tables.markup import holds_tables, read_markup
from inferometer.store.tables.objects import parse_json, read_objects
from inferometer.store.tables.readers import READERS
from inferometer.store.tables.table import Line, Reader, Source, Table

MOST_BYTES = 64 * MIB
"""An export of as many workloads as a table may have, as JSON, with all its fields."""

_SEPARATORS = b",;\t\n\r[{|"
"""There are no more cells, rows and objects in a file than of these."""
_LOG = re.compile(r"\s*\[[^\[\]{}\"]*\][ \t]*[^\s,]")
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel; save the sheet as CSV UTF-8 (File, Save as)"),
    (b"%PDF", "a PDF; copy the table into a spreadsheet and save it as CSV"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first (gunzip)"),
    *(
        (begins, "a picture; copy its numbers into a CSV file")
        for begins in (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
    ),
    (b"SQLite format 3", ""),
)


def read_table(path: Path, *, reader: str = "", wanted: int | None = None) -> Table:
    """Read a file.

    Args:
        path: the file.
        reader: name of the reader; by default the one that knows the file.
        wanted: which of the tables of a text, from 1; None for the only one.

    Raises:
        ImportFileError: it cannot be read as any table.
        MissingExtraError: it is Parquet and pyarrow is not installed.
    """
    content = _content(path)
    if content.startswith(b"PAR1"):
        table = _parquet(path, content)
    else:
        _check_kind(path, content)
        check_cells(path, sum(map(content.count, _SEPARATORS)))
        table = _of_text(path, _decode(path, content), reader, wanted)
    if not table.lines:
        raise ImportFileError(f"{shown(path)}: there are no rows in it")
    return table


def _of_text(path: Path, text: str, name: str, wanted: int | None) -> Table:
    is_json = text.lstrip().startswith(("[", "{")) and not _is_log(text)
    data = parse_json(path, text) if is_json else None
    source = Source(path=path, text=text, data=data)
    reader = (
        _named(name) if name else next((one for one in READERS if one.recognises(source)), None)
    )
    if reader is not None:
        return _checked(path, reader.read(source))
    if is_json:
        return read_objects(path, data)
    if holds_tables(text) or wanted is not None:
        return read_markup(path, text, wanted)
    if text.lstrip()[:200].casefold().startswith(("<!doctype html", "<html", "<?xml", "<table")):
        raise ImportFileError(f"{shown(path)}: a page of HTML; save its table as CSV")
    return read_delimited(path, text)


def _named(name: str) -> Reader:
    found = {reader.name: reader for reader in READERS}
    if name not in found:
        raise ImportFileError(
            f"--as: there is no reader {shown(name)!r}; there are {', '.join(found)}"
        )
    return found[name]


def _is_log(text: str) -> bool:
    """Whether a text begins like `[10/02/2026-…]` or `[ INFO ]`, which is no JSON."""
    return _LOG.match(text) is not None


def _checked(path: Path, table: Table) -> Table:
    check_rows(path, len(table.lines))
    check_columns(path, table.columns)
    return table


def _parquet(path: Path, content: bytes) -> Table:
    from inferometer.store.parquet import read_rows

    columns, rows = read_rows(path, content)
    lines = (
        Line(place=f"{shown(path)}: row {number}", cells=row)
        for number, row in enumerate(rows, start=1)
    )
    return Table(columns=tuple(columns), lines=tuple(lines), format="Parquet")


def _check_kind(path: Path, content: bytes) -> None:
    """Refuse what is no text, by what it is."""
    if content.startswith(b"PK\x03\x04"):
        kind = (
            "a workbook of a spreadsheet"
            if b"xl/" in content[:4000] or b"spreadsheet" in content[:200]
            else "a ZIP archive"
        )
        how = (
            "save the sheet as CSV UTF-8 (File, Save as)"
            if "workbook" in kind
            else "unpack it first"
        )
        raise ImportFileError(f"{shown(path)}: {kind}, not a table of text; {how}")
    for begins, what in _OTHERS:
        if content.startswith(begins):
            kind = what or f"a database; read it with --store {shown(path)}"
            raise ImportFileError(f"{shown(path)}: not a table of text: {kind}")


def _content(path: Path) -> bytes:
    try:
        return read_file(path, at_most=MOST_BYTES)
    except FileProblemError as error:
        raise ImportFileError(f"{shown(path)}: it cannot be read: {error.reason}") from error


def _decode(path: Path, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise ImportFileError(
                f"{shown(path)}: damaged UTF-16 text; save it as UTF-8"
            ) from error
    if b"\0" in content:
        raise ImportFileError(
            f"{shown(path)}: not a table of text; give a CSV, JSON or Parquet file"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImportFileError(
            f"{shown(path)}:{line}: not UTF-8 text; save the file as UTF-8"
        ) from error
