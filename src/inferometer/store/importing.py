"""Tables → runs and records, whether we exported them or somebody typed them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.record import Failure, Record, Value
from inferometer.core.run import Run
from inferometer.core.shown import shown, visible
from inferometer.core.statement import Statement, statements, text
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store.cells import parse
from inferometer.store.columns import FIGURES, Columns, match_columns
from inferometer.store.limits import check_runs
from inferometer.store.tables import Line, Table, read_table

_UNKNOWN = "unknown"
_MOST_SHOWN = 10
"""Items of a list that a message shows."""
_NAMES_THE_RECORD = frozenset(
    {
        *("run_id", "study", "device_name", "origin", "workload", "model", "backend", "precision"),
        *("device", "threads", "batch_size", "input_size"),
        *("status", "failure_stage", "failure_kind", "failure_message"),
    }
)


@dataclass(frozen=True, kw_only=True)
class ImportedRun:
    """One run of a file.

    Attributes:
        run: as it was in the file; the store may give it another id.
        records: its records.
    """

    run: Run
    records: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What a file holds.

    Attributes:
        runs: in the order in which they begin in the file.
        ignored: names of columns that were not understood.
        assumed: what the file leaves open, and what was taken instead, in sentences.
    """

    runs: tuple[ImportedRun, ...]
    ignored: tuple[str, ...]
    assumed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """Rows of one origin are one run."""

    run_id: str
    study: str
    device_name: str


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """A record, and where it stands."""

    place: str
    record: Record


def read_runs(path: Path, *, study: str | None = None, device: str | None = None) -> Imported:
    """Read an export of ours, or any table with a model and a figure in each row.

    Args:
        path: a CSV, JSON or Parquet file.
        study: name of the study; by default the file's own, or its name without the suffix.
        device: name of the device, in place of what the file says.

    Raises:
        ImportFileError: the file cannot be read; the message says where it is wrong.
        MissingExtraError: it is a Parquet file and pyarrow is not installed.
    """
    for name, given in (("study", study), ("device", device)):
        if given is not None and not given.strip():
            raise ImportFileError(f"{name}: an empty name; give one, or leave it out")
    table = read_table(path)
    columns = match_columns(table.columns, str(path))
    runs: dict[_Origin, dict[str, _Placed]] = {}
    for line in table.lines:
        row = _parse_row(table, columns, line)
        origin = _Origin(
            run_id=str(row.get("run_id") or ""),
            study=study or str(row.get("study") or visible(path.stem)),
            device_name=device or str(row.get("device_name") or _UNKNOWN),
        )
        placed = _Placed(place=line.place, record=_record(row, line, path.name))
        _add(runs.setdefault(origin, {}), placed)
        check_runs(path, len(runs))
    return Imported(
        runs=tuple(_run(origin, found.values()) for origin, found in runs.items()),
        ignored=columns.ignored,
        assumed=_assumed(columns, device),
    )


def _add(found: dict[str, _Placed], new: _Placed) -> None:
    """Add a record to those of its run, by its workload."""
    workload = new.record.workload
    first = found.setdefault(workload.key, new)
    if first is not new:
        raise ImportFileError(
            f"{new.place}: {shown(workload.label)} is measured there and at {first.place}; "
            "remove one, or tell them apart with a column such as device or backend"
        )


def _parse_row(table: Table, columns: Columns, line: Line) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for field, column in columns.known.items():
        cell: Any = line.cells.get(column.name)
        try:
            row[field] = parse(field, cell, factor=column.factor, decimal_comma=table.decimal_comma)
        except ValueError as error:
            raise ImportFileError(
                f"{line.place}: {shown(column.name)}: {_quoted(cell)} {error}"
            ) from error
    return row


def _quoted(cell: object) -> str:
    """A cell in a message."""
    if isinstance(cell, list | dict) and len(cell) > _MOST_SHOWN:
        return f"a list of {len(cell)}" if isinstance(cell, list) else "an object"
    try:
        return shown(repr(cell), 80)
    except RecursionError:
        return "what stands there"


def _record(row: Mapping[str, Value], line: Line, file: str) -> Record:
    workload = _workload(row, line)
    failure = _failure(row, line)
    figures: dict[str, Value] = {
        name: value
        for name, value in row.items()
        if name not in _NAMES_THE_RECORD and value is not None
    }
    _add_codes(figures)
    if failure is None and FIGURES.isdisjoint(figures):
        raise ImportFileError(f"{line.place}: the row has no figure; give one, or remove the row")
    if not row.get("run_id"):
        note = Statement("imported", {"file": visible(file)})
        notes = [*statements(figures.get("notes")), note]
        figures = {"verdict": _UNKNOWN, **figures, "notes": notes}
    status: Any = row.get("status") or "ok"
    return Record(workload=workload, status=status, failure=failure, figures=figures)


def _add_codes(figures: dict[str, Value]) -> None:
    """Joins the codes of an exported record to the sentences of its causes."""
    causes, codes = figures.get("causes"), figures.pop("cause_codes", None)
    if isinstance(causes, list) and isinstance(codes, list) and len(causes) == len(codes):
        both = zip(causes, codes, strict=True)
        figures["causes"] = [text(str(cause), str(code)) for cause, code in both]


def _workload(row: Mapping[str, Value], line: Line) -> Workload:
    if not row["model"]:
        raise ImportFileError(f"{line.place}: model: it is empty; name the model")
    batch = row.get("batch_size", 1)
    if batch is None:
        raise ImportFileError(f"{line.place}: batch_size: it is empty; give a number")
    return Workload(
        variant=Variant(
            model=str(row["model"]),
            backend=str(row.get("backend") or _UNKNOWN),
            precision=str(row.get("precision") or _UNKNOWN),
        ),
        target=Target(
            device=str(row.get("device") or _UNKNOWN), threads=_whole(row.get("threads"))
        ),
        shape=Shape(batch_size=_whole(batch) or 1, input_size=_whole(row.get("input_size"))),
    )


def _failure(row: Mapping[str, Value], line: Line) -> Failure | None:
    stage: Any = row.get("failure_stage")
    kind: Any = row.get("failure_kind")
    failed = (row.get("status") or "ok") != "ok"
    if failed != bool(stage) or failed != bool(kind):
        raise ImportFileError(
            f"{line.place}: failure_stage and failure_kind are there exactly where status is not ok"
        )
    if not failed:
        return None
    return Failure(stage=stage, kind=kind, message=str(row.get("failure_message") or ""))


def _run(origin: _Origin, found: Iterable[_Placed]) -> ImportedRun:
    records = tuple(placed.record for placed in found)
    now = time.time()
    run = Run(
        id=origin.run_id,
        study=origin.study,
        signature="",
        document={},
        device={"name": origin.device_name},
        software={},
        origin="imported",
        planned=len(records),
        created_at=now,
        finished_at=now,
    )
    return ImportedRun(run=run, records=records)


def _assumed(columns: Columns, device: str | None) -> tuple[str, ...]:
    sentences = []
    if "batch_size" not in columns.known:
        sentences.append("there is no column batch_size: 1 was taken")
    if "device_name" not in columns.known and device is None:
        sentences.append("there is no column device: it is called unknown; --device names it")
    return tuple(sentences)


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) else None
