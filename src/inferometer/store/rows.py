"""Rows of the tables ↔ the nouns of core."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from math import isfinite
from typing import Any

from sqlalchemy import RowMapping

from inferometer.core.record import Failure, Record, Round
from inferometer.core.run import Run
from inferometer.core.workload import Workload

_WORKLOAD = ("model", "backend", "precision", "device", "threads", "batch_size", "input_size")
_RUN = (
    "id",
    "study",
    "signature",
    "document",
    "device",
    "software",
    "origin",
    "planned",
    "created_at",
    "finished_at",
)


def pack(values: Iterable[float]) -> bytes:
    """Numbers as little-endian binary64, one after the other.

    Not compressed: on latencies of nanosecond resolution zlib saves a tenth and costs more time
    than the rest of the row.
    """
    numbers = array("d", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def unpack(blob: bytes) -> tuple[float, ...]:
    """Read what `pack` wrote.

    Raises:
        ValueError: the length is no multiple of eight.
    """
    numbers = array("d")
    numbers.frombytes(blob)
    if sys.byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)


def run_row(run: Run) -> dict[str, Any]:
    """Columns of `runs`."""
    return {
        **{name: getattr(run, name) for name in _RUN},
        "document": dict(run.document),
        "device": dict(run.device),
        "software": dict(run.software),
    }


def to_run(row: RowMapping) -> Run:
    """Read a row of `runs`."""
    return Run(**{name: row[name] for name in _RUN})


def record_row(record: Record) -> dict[str, Any]:
    """Columns of `records`, less those that say which record it is.

    Raises:
        ValueError: a figure is not a finite number; unknown is None.
    """
    for name, value in record.figures.items():
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{record.workload.label}: {name} is {value}; unknown is None")
    failure = record.failure
    return {
        **record.workload.to_json(),
        "status": record.status,
        "failure_stage": failure.stage if failure else None,
        "failure_kind": failure.kind if failure else None,
        "failure_message": _encodable(failure.message) if failure else None,
        "figures": dict(record.figures),
    }


def to_record(row: RowMapping, run: Run, rounds: tuple[Round, ...]) -> Record:
    """Read a row of `records`.

    Raises:
        ValueError, TypeError: the row does not hold a record.
    """
    failure = None
    if row["status"] != "ok":
        failure = Failure(
            stage=row["failure_stage"], kind=row["failure_kind"], message=row["failure_message"]
        )
    return Record(
        workload=Workload.from_json({name: row[name] for name in _WORKLOAD}),
        status=row["status"],
        failure=failure,
        figures=row["figures"],
        rounds=rounds,
        run=run.row_part(),
    )


def round_row(part: Round) -> dict[str, Any]:
    """Columns of `rounds`, less those that say whose round it is."""
    return {
        "number": part.index,
        "process": part.process,
        "phase": part.phase,
        "started_at": part.started_at,
        "calls_per_value": part.calls_per_value,
        "settle": part.settle,
        "starts_s": pack(part.starts_s),
        "values_s": pack(part.values_s),
        "pair": part.pair,
        "signals": dict(part.signals),
    }


def to_round(row: RowMapping) -> Round:
    """Read a row of `rounds`.

    Raises:
        ValueError: the row does not hold a round.
    """
    return Round(
        index=row["number"],
        process=row["process"],
        phase=row["phase"],
        started_at=row["started_at"],
        calls_per_value=row["calls_per_value"],
        settle=row["settle"],
        starts_s=unpack(row["starts_s"]),
        values_s=unpack(row["values_s"]),
        pair=row["pair"],
        signals=row["signals"] or {},  # rounds of the first version have none
    )


def _encodable(text: str) -> str:
    """Text of a dying process may hold what no text file can; it becomes question marks."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
