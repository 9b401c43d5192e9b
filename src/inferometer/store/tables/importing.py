"""Tables → runs and records, whether we exported them or somebody typed them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.record import Record, Value
from inferometer.core.run import Run
from inferometer.core.shown import shown, visible
from inferometer.core.statement import Statement, statements, text
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store.tables.asked import Asked
from inferometer.store.tables.axes import find_axes, options_of
from inferometer.store.tables.draft import FIGURES
from inferometer.store.tables.limits import check_runs
from inferometer.store.tables.reading import read_table
from inferometer.store.tables.repeats import Joined, MeanInterval, join, spread_out
from inferometer.store.tables.rows import Row, rows_of
from inferometer.store.tables.table import Table
from inferometer.store.tables.understanding import Understanding, understand
from inferometer.store.tables.units import readable

_UNKNOWN = "unknown"
NAMES_THE_RECORD = frozenset(
    {
        *("run_id", "study", "device_name", "origin", "workload", "model", "backend", "precision"),
        *("device", "threads", "batch_size", "input_size", "options"),
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
        table: the file as it was read.
        known: what its columns mean.
        axes: columns that became options of the variants.
        repeated: workloads of which several rows tell.
        rows: how many rows these are together.
    """

    runs: tuple[ImportedRun, ...]
    table: Table
    known: Understanding
    axes: tuple[str, ...] = ()
    repeated: int = 0
    rows: int = 0

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of columns that were not understood."""
        return tuple(name for name in self.known.unknown if name not in self.axes)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What the file leaves open, and what was taken instead, in sentences."""
        given = {*self.known.known, *self.known.constants}
        sentences = []
        if "batch_size" not in given:
            sentences.append("there is no column batch_size: 1 was taken")
        if "device_name" not in given:
            sentences.append("there is no column device: it is called unknown; --device names it")
        return tuple(sentences)


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """Rows of one origin are one run."""

    run_id: str
    study: str
    device_name: str


@dataclass(kw_only=True)
class _Group:
    """The rows of one workload."""

    workload: Workload
    rows: list[Row] = field(default_factory=list)


def read_runs(
    path: Path, asked: Asked | None = None, *, interval: MeanInterval | None = None
) -> Imported:
    """Read an export of ours, or any table with a model and a figure in each row.

    Args:
        path: the file.
        asked: what the user says of it.
        interval: what makes the interval of a mean of repetitions; none is made without.

    Raises:
        ImportFileError: the file cannot be read; the message says where it is wrong.
        MissingExtraError: it is a Parquet file and pyarrow is not installed.
    """
    asked = asked or Asked()
    table = read_table(path, reader=asked.reader, wanted=asked.table)
    table = spread_out(table, path, asked)
    known = understand(table, str(path), asked)
    rows = list(rows_of(table, known))
    _check_figures(path, rows)
    axes = [] if known.ours else find_axes(rows, known.unknown, known.axes)
    groups = _grouped(path, rows, axes, known, asked)
    joined = {
        origin: [(group.workload, join(group.rows, interval)) for group in found.values()]
        for origin, found in groups.items()
    }
    several = [one for found in joined.values() for _, one in found if one.count > 1]
    return Imported(
        runs=tuple(
            _run(origin, [_record(workload, one, known, path) for workload, one in found])
            for origin, found in joined.items()
        ),
        table=table,
        known=known,
        axes=tuple(axes),
        repeated=len(several),
        rows=sum(one.count for one in several),
    )


def _check_figures(path: Path, rows: Sequence[Row]) -> None:
    """Refuse a row, or a table, without any figure.

    Raises:
        ImportFileError: it has none.
    """
    for row in rows:
        if row.failure is None and FIGURES.isdisjoint(row.values):
            raise ImportFileError(
                f"{row.place}: the row has no figure; give one, or remove the row"
            )
    if not any(row.failure is None or row.failure.kind != "unknown" for row in rows):
        raise ImportFileError(f"{shown(path)}: no row has a figure")


def _grouped(
    path: Path, rows: Sequence[Row], axes: Sequence[str], known: Understanding, asked: Asked
) -> dict[_Origin, dict[Workload, _Group]]:
    """The rows of each workload of each run."""
    groups: dict[_Origin, dict[Workload, _Group]] = {}
    for row in rows:
        origin = _Origin(
            run_id=str(row.values.get("run_id") or ""),
            study=asked.study or str(row.values.get("study") or visible(path.stem)),
            device_name=str(
                known.constants.get("device_name") or row.values.get("device_name") or _UNKNOWN
            ),
        )
        workload = _workload(row, axes)
        found = groups.setdefault(origin, {})
        group = found.setdefault(workload, _Group(workload=workload))
        if group.rows and known.ours:
            raise ImportFileError(
                f"{row.place}: {shown(workload.label)} is measured there and at "
                f"{group.rows[0].place}; remove one"
            )
        group.rows.append(row)
        check_runs(path, len(groups))
    return groups


def _workload(row: Row, axes: Sequence[str]) -> Workload:
    values = row.values
    return Workload(
        variant=Variant(
            model=str(values["model"]),
            backend=str(values.get("backend") or _UNKNOWN),
            precision=str(values.get("precision") or _UNKNOWN),
            options=options_of(row, axes),
        ),
        target=Target(
            device=str(values.get("device") or _UNKNOWN), threads=_whole(values.get("threads"))
        ),
        shape=Shape(
            batch_size=_whole(values.get("batch_size")) or 1,
            input_size=_whole(values.get("input_size")),
        ),
    )


def _record(workload: Workload, joined: Joined, known: Understanding, path: Path) -> Record:
    row = joined.row
    figures: dict[str, Value] = {
        name: value for name, value in row.values.items() if name not in NAMES_THE_RECORD
    }
    _add_codes(figures)
    if not row.values.get("run_id"):
        notes = [
            *statements(figures.get("notes")),
            Statement("imported", {"file": visible(path.name)}),
        ]
        notes += [*joined.notes, *_notes(known, figures)]
        figures = {"verdict": _UNKNOWN, **figures, "notes": notes}
    status: Any = row.values.get("status") or ("ok" if row.failure is None else "failed")
    return Record(workload=workload, status=status, failure=row.failure, figures=figures)


def _notes(known: Understanding, figures: dict[str, Value]) -> list[Statement]:
    """What a reader of the figures should know of how they were understood."""
    found = []
    for name, column in known.known.items():
        if name not in figures:
            continue
        if name == "accuracy" and column.meaning.metric:
            figures.setdefault("accuracy_metric", column.meaning.metric)
        if (
            column.meaning.unit is not None
            and column.why
            and not column.meaning.exact
            and "cells" not in column.why
        ):
            said = {
                "column": visible(readable(column.name)),
                "unit": column.meaning.unit.text,
                "why": visible(column.why),
            }
            found.append(Statement("unit_deduced", said))
        if name == "flops" and not known.ours:
            found.append(Statement("flops_as_told", {"column": visible(readable(column.name))}))
    return found


def _add_codes(figures: dict[str, Value]) -> None:
    """Joins the codes of an exported record to the sentences of its causes."""
    causes, codes = figures.get("causes"), figures.pop("cause_codes", None)
    if isinstance(causes, list) and isinstance(codes, list) and len(causes) == len(codes):
        both = zip(causes, codes, strict=True)
        figures["causes"] = [text(str(cause), str(code)) for cause, code in both]


def _run(origin: _Origin, records: Iterable[Record]) -> ImportedRun:
    found = tuple(records)
    now = time.time()
    run = Run(
        id=origin.run_id,
        study=origin.study,
        signature="",
        document={},
        device={"name": origin.device_name},
        software={},
        origin="imported",
        planned=len(found),
        created_at=now,
        finished_at=now,
    )
    return ImportedRun(run=run, records=found)


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) else None
