"""A Parquet file → rows, read in a process of its own.

What the file says of itself is looked at before anything is unpacked. The library that reads it
ends the process on some damaged files, and would unpack a few bytes to as much as there is memory;
the process has little memory and time, and its end is an error in words.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from inferometer.core.errors import ImportFileError, InputError, MissingExtraError
from inferometer.core.filenames import MIB
from inferometer.core.shown import shown
from inferometer.store.tables.limits import LONGEST_TEXT, check_cells, check_columns, check_rows
from inferometer.store.transfer import import_pyarrow

_MOST_UNPACKED_BYTES = 256 * MIB
_BATCH_ROWS = 1024
_MOST_MEMORY = 1024 * MIB
_MOST_S = 60.0
_MOST_TEXT = 64 * MIB
"""Characters of all texts together: a dictionary gives each of them again and again."""

_LIMITS = {"thrift_string_size_limit": 16 * MIB, "thrift_container_size_limit": 200_000}
"""Of the file's description of itself."""


class Unread:
    """A value of a kind that no column of ours has, such as a struct; it is not unpacked."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __repr__(self) -> str:
        return f"a {shown(self._kind, 40)}"


def read_rows(path: Path, content: bytes) -> tuple[list[str], list[dict[str, Any]]]:
    """The columns, and a dictionary for each row.

    Args:
        path: the file's name, for messages.
        content: the file.

    Raises:
        ImportFileError: it is damaged, or holds too much; the message says which.
        MissingExtraError: pyarrow is not installed.
    """
    answer = _asked(path, content)
    if answer.get("missing"):
        import_pyarrow()
    if "error" in answer:
        raise ImportFileError(answer["error"])
    kinds: Mapping[str, str] = answer["unread"]
    unread = {name: Unread(kind) for name, kind in kinds.items()}
    return answer["columns"], [row | unread for row in answer["rows"]]


def _asked(path: Path, content: bytes) -> dict[str, Any]:
    """What the other process found."""
    quiet = {"OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _asking(), str(path)],
            input=content,
            capture_output=True,
            timeout=_MOST_S,
            check=True,
            env=os.environ | quiet,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise ImportFileError(f"{shown(path)}: reading this Parquet file takes too long") from None
    except (subprocess.CalledProcessError, ValueError):
        raise ImportFileError(
            f"{shown(path)}: a damaged Parquet file: it ended the process that read it"
        ) from None
    return found


def _asking() -> str:
    """What the other process runs; isolated, as its folder may hold modules of any name."""
    return f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import answer; answer()"


def answer() -> None:
    """Read the file on standard input, named by the argument, and print what is in it as JSON."""
    _limit()
    path = Path(sys.argv[1])
    try:
        found = _read(path, sys.stdin.buffer.read())
    except MissingExtraError:
        found = {"missing": True}
    except InputError as error:
        found = {"error": str(error)}
    except MemoryError:
        found = {"error": f"{shown(path)}: it takes too much memory when unpacked; split it"}
    sys.stdout.write(json.dumps(found))


def _limit() -> None:
    """Take little memory and leave no core behind, where the system can see to that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _MOST_MEMORY if hard == resource.RLIM_INFINITY else min(hard, _MOST_MEMORY)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _read(path: Path, content: bytes) -> dict[str, Any]:
    """The columns, the rows, and the kinds of the columns that were not read."""
    pyarrow, parquet = import_pyarrow()
    try:
        metadata = parquet.ParquetFile(pyarrow.BufferReader(content), **_LIMITS).metadata
        _check_size(path, metadata)
        file = parquet.ParquetFile(
            pyarrow.BufferReader(content), read_dictionary=_texts(metadata.schema), **_LIMITS
        )
        fields = list(file.schema_arrow)
        check_columns(path, [field.name for field in fields])
        read = [field.name for field in fields if _is_flat(pyarrow.types, field.type)]
        rows = list(_rows(path, file, read))
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{shown(path)}: a name or a text in it is not UTF-8") from error
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, KeyError) as error:
        reason = shown(" ".join(str(error).split()))
        raise ImportFileError(f"{shown(path)}: a damaged Parquet file: {reason}") from error
    return {
        "columns": [field.name for field in fields],
        "rows": rows,
        "unread": {field.name: str(field.type) for field in fields if field.name not in read},
    }


def _texts(schema: Any) -> list[str]:  # noqa: ANN401 - pyarrow has no types
    """Columns of texts; each text is then held once, however often it comes."""
    columns = [schema.column(place) for place in range(len(schema))]
    return [one.path for one in columns if one.physical_type == "BYTE_ARRAY"]


def _check_size(path: Path, metadata: Any) -> None:  # noqa: ANN401 - pyarrow has no types
    """Refuse what would take too much room, by what the file says of itself."""
    check_rows(path, metadata.num_rows)
    check_cells(path, metadata.num_rows * metadata.num_columns)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    check_rows(path, sum(group.num_rows for group in groups))
    check_cells(path, len(groups) * metadata.num_columns)
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    check_cells(path, sum(chunk.num_values for chunk in chunks))
    if sum(chunk.total_uncompressed_size for chunk in chunks) > _MOST_UNPACKED_BYTES:
        raise ImportFileError(f"{shown(path)}: more than 256 MiB when unpacked; split it")


def _rows(path: Path, file: Any, read: Sequence[str]) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    texts = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=read, use_threads=False):
        texts += sum(_text_size(path, batch.column(name), name) for name in batch.schema.names)
        if texts > _MOST_TEXT:
            raise ImportFileError(f"{shown(path)}: more than 64 MiB of text; split it")
        for row in batch.to_pylist():
            yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever stands in a cell
    """A value as JSON has it."""
    if isinstance(value, Decimal) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _is_flat(types: Any, kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Whether a column holds single values, or lists of them."""
    if types.is_list(kind) or types.is_large_list(kind):
        kind = kind.value_type
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    )


def _text_size(path: Path, column: Any, name: str) -> int:  # noqa: ANN401
    """Bytes of the texts of a column as rows have them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = column.flatten()
    lengths = _lengths(pa, pc, column)
    if lengths is None:
        return 0
    if (pc.max(lengths).as_py() or 0) > LONGEST_TEXT * 4:  # bytes of a character in UTF-8
        raise ImportFileError(
            f"{shown(path)}: {shown(name)}: a text of more than {LONGEST_TEXT:,} bytes"
        )
    return pc.sum(lengths).as_py() or 0


def _lengths(pa: Any, pc: Any, column: Any) -> Any:  # noqa: ANN401
    if pa.types.is_dictionary(column.type):
        found = _lengths(pa, pc, column.dictionary)
        return None if found is None else pc.take(found, column.indices)
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return pc.binary_length(column) if is_text else None
