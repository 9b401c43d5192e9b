"""Records → JSON, CSV and Parquet: one flat row for each, the fields of `core.record.FIELDS`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from inferometer.core import jsontext
from inferometer.core.errors import MissingExtraError
from inferometer.core.filenames import write_whole
from inferometer.core.record import FIELDS, Cell, Record
from inferometer.store.spreadsheet import neutralised

Target = str | Path | BinaryIO
"""A path, written whole or not at all, or a binary stream."""

_QUOTED = frozenset(',;\t"\r\n')


def export_rows(records: Sequence[Record]) -> list[dict[str, Cell]]:
    """The flat rows; every one has every field, in order."""
    return [record.row() for record in records]


def to_json(records: Sequence[Record], target: Target) -> None:
    """Write an array of row objects.

    Raises:
        InputError: the file cannot be written.
    """
    _write(json_bytes(records), target)


def to_csv(records: Sequence[Record], target: Target) -> None:
    """Write a table with a header: unknown is empty, lists are JSON, UTF-8.

    Text that a spreadsheet would run as a formula is kept from that (`store.spreadsheet`).

    Raises:
        InputError: the file cannot be written.
    """
    _write(csv_bytes(records), target)


def to_parquet(records: Sequence[Record], target: Target) -> None:
    """Write a Parquet table with typed columns.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: the file cannot be written.
    """
    _write(parquet_bytes(records), target)


def json_bytes(records: Sequence[Record]) -> bytes:
    """What `to_json` writes."""
    return jsontext.json_bytes(export_rows(records))


def csv_bytes(records: Sequence[Record]) -> bytes:
    """What `to_csv` writes."""
    lines = [",".join(FIELDS)]
    lines += [",".join(map(_cell, row.values())) for row in export_rows(records)]
    return "".join(f"{line}\n" for line in lines).encode()


def parquet_bytes(records: Sequence[Record]) -> bytes:
    """What `to_parquet` writes.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow, parquet = import_pyarrow()
    types = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
        list: pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in FIELDS.items()])
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(export_rows(records), schema=schema), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


FORMATS: Mapping[str, Callable[[Sequence[Record]], bytes]] = {
    "json": json_bytes,
    "csv": csv_bytes,
    "parquet": parquet_bytes,
}
"""Format → what makes the content of its file."""


def import_pyarrow() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("pyarrow, which reads and writes Parquet,", "parquet") from error
    return pa, pq


def _write(content: bytes, target: Target) -> None:
    if isinstance(target, str | Path):
        write_whole(content, Path(target))
    else:
        target.write(content)


def _cell(value: Cell) -> str:
    """One value as it stands in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = neutralised(value)
    else:
        is_json = isinstance(value, bool | list)
        text = json.dumps(value, ensure_ascii=False) if is_json else str(value)
    if _QUOTED.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
