"""Rows of the tables ↔ the nouns of core.

What is read is checked to the last cell: a row that this program would not have written is refused,
so that nothing behind this file meets a value that it does not expect.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, TypeVar, get_args

from inferometer.core.record import STATED, Failure, Phase, Record, Round
from inferometer.core.run import Origin, Run
from inferometer.core.statement import TEXT, Statement, text
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store import values
from inferometer.store.compact import compacted, expanded
from inferometer.store.documents import check_study

RUN_ID = re.compile(r"[0-9a-f]{8}")
MOST_ROUNDS = 2**53
"""Numbers of rounds, processes and calls stay below."""
_LONGEST_ROUND_S = 1e9

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
Row = Mapping[str, Any]
Value = TypeVar("Value")


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


def to_run(row: Row) -> Run:
    """Read a row of `runs`.

    Raises:
        ValueError: the row does not hold a run.
    """
    origin: Any = _cell(row, "origin", values.one_of, get_args(Origin))
    document = _cell(row, "document", _document, origin == "imported")
    finished_at = row["finished_at"]
    return Run(
        id=_cell(row, "id", _run_id),
        study=_cell(row, "study", values.text),
        signature=_cell(row, "signature", values.text),
        document=document,
        device=_cell(row, "device", _device),
        software=_cell(row, "software", values.json_object),
        origin=origin,
        planned=_cell(row, "planned", values.whole, 0),
        created_at=_cell(row, "created_at", values.time),
        finished_at=None if finished_at is None else _cell(row, "finished_at", values.time),
    )


def record_row(record: Record) -> dict[str, Any]:
    """Columns of `records`, less those that say which record it is.

    Raises:
        ValueError: a figure is not a finite number, or not what its field holds; unknown is None.
    """
    return {
        **record.workload.to_json(),
        "options": dict(record.workload.variant.options) or None,
        **outcome_row(record),
        "figures": compacted(figures_of(record)),
    }


def outcome_row(record: Record) -> dict[str, Any]:
    """The columns of `records` that tell what became of a workload."""
    failure = record.failure
    return {
        "status": record.status,
        "failure_stage": failure.stage if failure else None,
        "failure_kind": failure.kind if failure else None,
        "failure_message": _encodable(failure.message).replace("\0", "?") if failure else None,
    }


def figures_of(record: Record) -> dict[str, Any]:
    """Figures as JSON has them.

    Raises:
        ValueError: one is not a finite number, or not what its field holds; unknown is None.
    """
    for name, value in record.figures.items():
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{record.workload.label}: {name} is {value}; unknown is None")
    try:
        return values.figures(_encodable(_plain(record.figures)))
    except ValueError as error:
        raise ValueError(f"{record.workload.label}: {error}") from error


def to_record(row: Row, run: Run, rounds: tuple[Round, ...]) -> Record:
    """Read a row of `records`.

    Raises:
        ValueError: the row does not hold a record.
    """
    workload = to_workload(row)
    if row["workload"] != workload.key:
        raise ValueError("workload: not the key of what its columns name")
    status: Any = _cell(row, "status", values.one_of, values.STATUSES)
    return Record(
        workload=workload,
        status=status,
        failure=_failure(row, status),
        figures=_cell(row, "figures", _figures),
        rounds=rounds,
        run=run.row_part(),
    )


def to_workload(row: Row) -> Workload:
    """Read the columns of `records` that say what was measured.

    Raises:
        ValueError: they name no workload.
    """
    model, backend, precision, device = (
        _cell(row, name, values.name) for name in ("model", "backend", "precision", "device")
    )
    threads, input_size = (
        None if row[name] is None else _cell(row, name, values.whole, 1)
        for name in ("threads", "input_size")
    )
    options = {} if row["options"] is None else _cell(row, "options", _options)
    return Workload(
        variant=Variant(
            model=model,
            backend=backend,
            precision=precision,
            options=tuple(sorted(options.items())),
        ),
        target=Target(device=device, threads=threads),
        shape=Shape(batch_size=_cell(row, "batch_size", values.whole, 1), input_size=input_size),
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


def to_round(row: Row) -> Round:
    """Read a row of `rounds`.

    Raises:
        ValueError: the row does not hold a round.
    """
    phase: Any = _cell(row, "phase", values.one_of, get_args(Phase))
    starts_s, values_s = _cell(row, "starts_s", _seconds), _cell(row, "values_s", _seconds)
    if len(starts_s) != len(values_s):
        raise ValueError("starts_s: not as many as values_s")
    return Round(
        index=_cell(row, "number", values.whole, 0, MOST_ROUNDS),
        process=_cell(row, "process", values.whole, 0, MOST_ROUNDS),
        phase=phase,
        started_at=_cell(row, "started_at", values.time),
        calls_per_value=_cell(row, "calls_per_value", values.whole, 1, MOST_ROUNDS),
        settle=_cell(row, "settle", values.whole, 0, MOST_ROUNDS),
        starts_s=starts_s,
        values_s=values_s,
        pair=None if row["pair"] is None else _cell(row, "pair", values.whole, 0, MOST_ROUNDS),
        # Rounds of the first version have none.
        signals={} if row["signals"] is None else _cell(row, "signals", _signals),
    )


def _cell(row: Row, name: str, check: Callable[..., Value], *rules: Any) -> Value:  # noqa: ANN401
    """A cell that passed a check.

    Raises:
        ValueError: it did not; the message begins with the name of the column.
    """
    try:
        return check(row[name], *rules)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


@lru_cache(maxsize=32)
def _document(cell: object, may_lack: bool) -> dict[str, Any]:  # noqa: FBT001 - of a cache
    """A study, checked once for all the runs that have it, one after the other."""
    document = values.json_object(cell)
    if document or not may_lack:
        check_study(document)
    return document


def _run_id(cell: object) -> str:
    if not RUN_ID.fullmatch(values.text(cell)):
        raise ValueError("not eight hexadecimal digits")
    return str(cell)


def _device(cell: object) -> dict[str, Any]:
    device = values.json_object(cell)
    if device.get("name") is not None:
        _cell(device, "name", values.text)
    return device


def _failure(row: Row, status: str) -> Failure | None:
    columns = ("failure_stage", "failure_kind", "failure_message")
    if status == "ok":
        for name in columns:
            if row[name] is not None:
                raise ValueError(f"{name}: it is there, and the status is ok")
        return None
    stage: Any = _cell(row, "failure_stage", values.one_of, values.STAGES)
    kind: Any = _cell(row, "failure_kind", values.one_of, values.KINDS)
    return Failure(stage=stage, kind=kind, message=_cell(row, "failure_message", values.text))


def _figures(cell: object) -> dict[str, Any]:
    figures = values.known_figures(values.json_object(expanded(cell, values.LONGEST_JSON)))
    for name in STATED:
        value = figures.get(name)
        if isinstance(value, list):
            figures[name] = [_statement(one) for one in value]
        elif value is not None:
            figures[name] = _statement(value)
    reason = figures.get("energy_reason")
    if reason is not None and reason.code == "energy_not_reached":
        figures.setdefault("pending", ["energy"])  # rows of earlier versions have none
    return figures


def _statement(value: str | dict[str, Any]) -> Statement:
    """A statement as it is stored: a sentence, or its code and values."""
    return text(value) if isinstance(value, str) else Statement(**value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a figure, or what holds some
    """A figure as JSON has it: what `_statement` reads."""
    if isinstance(value, Statement):
        stored = {"code": value.code, "values": dict(value.values)}
        return str(value) if value.code == TEXT else stored
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _options(cell: object) -> dict[str, str]:
    return {name: values.text(value) for name, value in values.json_object(cell).items()}


def _signals(cell: object) -> dict[str, float]:
    return {
        name: values.number(value)
        for name, value in values.json_object(cell).items()
        if value is not None
    }


def _seconds(cell: object) -> tuple[float, ...]:
    if not isinstance(cell, bytes):
        raise ValueError("no blob of numbers")  # noqa: TRY004 - one kind of error
    if not cell or len(cell) % 8:
        raise ValueError("a blob that was cut")
    numbers = unpack(cell)
    if not all(map(isfinite, numbers)) or min(numbers) < 0 or max(numbers) > _LONGEST_ROUND_S:
        raise ValueError("a blob with numbers that are no seconds")
    return numbers


def _encodable(value: Any) -> Any:  # noqa: ANN401 - a text, or what holds some
    """Text of a dying process may hold what no text file can; it becomes question marks."""
    if isinstance(value, dict):
        return {key: _encodable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_encodable(part) for part in value]
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
