"""JSON → a table: an array of objects, lines of them, or the forms in which pandas writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.limits import check_columns, check_rows
from inferometer.store.tables.table import Line, Table

_DEEPEST = 4
"""Levels of objects in an object that become columns."""
_LISTS = ("results", "benchmarks", "data", "records", "rows", "measurements", "runs", "models")


def parse_json(path: Path, text: str) -> Any:  # noqa: ANN401 - whatever stands in a JSON file
    """The value of a JSON file, or the list of those of its lines.

    Raises:
        ImportFileError: it is none; the message says on which line.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        lines = _json_lines(text)
        if lines is not None:
            return lines
        raise ImportFileError(f"{shown(path)}:{error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"{shown(path)}: not JSON: {error}") from error


def read_objects(path: Path, data: Any) -> Table:  # noqa: ANN401 - whatever stands in a JSON file
    """Read a table that JSON holds.

    Raises:
        ImportFileError: it holds none.
    """
    rows = _rows(data)
    if rows is None:
        raise ImportFileError(f"{shown(path)}: not an array of objects, one for each row")
    check_rows(path, len(rows))
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    check_columns(path, columns)
    return Table(
        columns=tuple(columns),
        lines=tuple(
            Line(place=f"{shown(path)}: row {number}", cells=row)
            for number, row in enumerate(flat, start=1)
        ),
        format="JSON",
    )


def _json_lines(text: str) -> list[Any] | None:
    """The objects of a file with one on each line; None where it is no such file."""
    found = []
    try:
        for line in text.splitlines():
            if line.strip():
                found.append(json.loads(line, parse_constant=_refuse))
                if not isinstance(found[-1], dict):
                    return None
    except (ValueError, RecursionError):
        return None
    return found if len(found) > 1 else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON; unknown is null")


def _rows(data: Any) -> list[dict[str, Any]] | None:  # noqa: ANN401
    if isinstance(data, list):
        return data if all(isinstance(row, dict) for row in data) else None
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("columns"), list) and isinstance(data.get("data"), list):
        return _split_rows(data["columns"], data["data"])
    for name in _LISTS:
        rows = data.get(name)
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            return rows
    return _by_column(data) or _by_name(data)


def _split_rows(columns: list[Any], rows: list[Any]) -> list[dict[str, Any]] | None:
    """`to_json(orient="split")` of pandas."""
    if not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        return None
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        return None
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _by_column(data: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Columns by name, each a list, or an object of cells by row, as `to_json()` of pandas."""
    parts = list(data.values())
    if parts and all(isinstance(part, list) and len(part) == len(parts[0]) for part in parts):
        return [{name: part[row] for name, part in data.items()} for row in range(len(parts[0]))]
    if not parts or not all(isinstance(part, dict) and part for part in parts):
        return None
    rows = list(parts[0])
    if not all(list(part) == rows for part in parts) or not all(key.isdigit() for key in rows):
        return None
    return [{name: part[row] for name, part in data.items()} for row in rows]


def _by_name(data: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """An object of objects: one for each model, by its name; or a single row."""
    parts = list(data.values())
    if len(parts) > 1 and all(isinstance(part, dict) and part for part in parts):
        shared = set.intersection(*(set(part) for part in parts))
        if shared and not any("model" in part for part in parts):
            return [{"model": name, **part} for name, part in data.items()]
    is_row = any(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
    return [dict(data)] if is_row else None


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose objects became columns: `{"latency": {"mean": 1}}` has `latency mean`."""
    return dict(_parts(row, "", 0))


def _parts(row: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        key = f"{before} {name}".strip()
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _parts(value, key, depth + 1)
        else:
            yield key, value


def first_key(data: Any, *names: str) -> Any:  # noqa: ANN401
    """The value at a path of keys; None where it leads nowhere."""
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def numbers(value: Any) -> Sequence[float]:  # noqa: ANN401
    """A list of numbers; empty where it is none."""
    fine = isinstance(value, list) and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in value
    )
    return value if fine else ()
