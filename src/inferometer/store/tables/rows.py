"""Rows of a table → values of fields, each in the unit of its field, and how the workload went."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.record import FIELDS, Failure, FailureKind, Value
from inferometer.core.shown import shown, visible
from inferometer.core.workload import Options
from inferometer.store.tables.cells import parse
from inferometer.store.tables.draft import HEADLINES, Column
from inferometer.store.tables.matching import side_of
from inferometer.store.tables.numbers import amount, undecorated
from inferometer.store.tables.table import Line, Table
from inferometer.store.tables.understanding import Understanding
from inferometer.store.tables.units import Per
from inferometer.store.tables.words import failure_of, is_done, is_missing, plain_word

_MOST_SHOWN = 10
"""Items of a list that a message shows."""
_LONGEST_MESSAGE = 300
MEASURED = frozenset(
    {
        *("accuracy", "peak_memory_bytes", "device_memory_bytes", "power_mean_w", "load_s"),
        *("latency_p90_s", "latency_p95_s", "latency_p99_s", "latency_min_s", "latency_max_s"),
        *("energy_net_per_inference_j", "first_call_s", *HEADLINES),
    }
)
"""Figures that only a workload that ran has; parameters and operations it has without."""
_LATENCIES = frozenset(
    name for name in FIELDS if re.fullmatch(r"latency_(mean|std|median|p\d\d|min|max)_s", name)
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        place: where it stands, for messages.
        values: by field; unknown is absent.
        options: of the variant, as an export tells them.
        failure: why there are no figures; None where there are.
        others: cells of columns that nobody understood.
        spread: whether a deviation stood behind the latency.
    """

    place: str
    values: dict[str, Value]
    options: Options = ()
    failure: Failure | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    spread: bool = False


def rows_of(table: Table, known: Understanding) -> Iterator[Row]:
    """The rows of a table.

    Raises:
        ImportFileError: a cell is not what its column holds; the message says where.
    """
    others = (*known.axes, *known.unknown)
    pers = _pers(known)
    seen: dict[tuple[str, str], Value] = {}
    for line in table.lines:
        values: dict[str, Value] = dict(known.constants)
        for name, column in known.known.items():
            cell = line.cells.get(column.name)
            if isinstance(cell, str) and (name, cell) in seen:  # many cells of a column are alike
                value = seen[name, cell]
            else:
                value = _value(table, line, name, column, known)
                if isinstance(cell, str) and not isinstance(value, list):
                    seen[name, cell] = value
            if value is not None:
                values[name] = value
        spread = _spread(table, line, known, values)
        _check_named(line, known, values, lax=table.ours)
        if pers:
            _of_a_call(values, pers)
        yield Row(
            place=line.place,
            values=values,
            options=_options(line, values) if "options" in values else (),
            failure=_failure(line, known, values),
            others={name: line.cells.get(name) for name in others},
            spread=spread,
        )


def _value(table: Table, line: Line, name: str, column: Column, known: Understanding) -> Value:
    cell: Any = line.cells.get(column.name)
    if not known.ours and FIELDS[name] in (int, float):
        if failure_of(cell) is not None and amount(cell) is None:
            return None
        if name == "input_size":
            cell = (
                None
                if is_missing(cell)
                else side_of(cell, decimal_comma=table.decimal_comma) or cell
            )
    elif not known.ours and isinstance(cell, str) and FIELDS[name] is str:
        cell = undecorated(cell)
        cell = "" if is_missing(cell) and name != "model" else cell
    try:
        return parse(
            name,
            cell,
            factor=column.factor,
            decimal_comma=table.decimal_comma,
            kind=column.meaning.kind,
        )
    except ValueError as error:
        hint = (
            ""
            if known.ours
            else f"; --map {shown(f'ignore={column.name}', 60)} leaves the column out"
        )
        raise ImportFileError(
            f"{line.place}: {shown(column.name)}: {quoted(cell)} {error}{hint}"
        ) from error


def quoted(cell: object) -> str:
    """A cell in a message."""
    if isinstance(cell, list | dict) and len(cell) > _MOST_SHOWN:
        return f"a list of {len(cell)}" if isinstance(cell, list) else "an object"
    try:
        return shown(repr(cell), 80)
    except RecursionError:
        return "what stands there"


def _spread(table: Table, line: Line, known: Understanding, values: dict[str, Value]) -> bool:
    """Take what stands after the sign of plus or minus for a deviation."""
    column = known.known.get("latency_mean_s")
    if known.ours or column is None or "latency_std_s" in known.known:
        return False
    found = amount(line.cells.get(column.name), decimal_comma=table.decimal_comma)
    if found is None or found.spread is None or found.spread < 0:
        return False
    unit = found.unit.factor if found.unit else column.factor
    values["latency_std_s"] = float(found.spread * unit)
    return True


def _check_named(line: Line, known: Understanding, values: dict[str, Value], *, lax: bool) -> None:
    """Refuse a row that does not say what it is of.

    Raises:
        ImportFileError: it names no model, or no batch size where others do.
    """
    if not values.get("model"):
        raise ImportFileError(f"{line.place}: model: it is empty; name the model")
    if "batch_size" in known.known and values.get("batch_size") is None and not lax:
        raise ImportFileError(f"{line.place}: batch_size: it is empty; give a number")


def _pers(known: Understanding) -> dict[str, Per]:
    """Fields whose columns are said to be of a sample or of a call."""
    if known.ours:
        return {}
    found = {name: column.meaning.per for name, column in known.known.items()}
    if "latency_mean_s" in found:
        found.setdefault("latency_std_s", found["latency_mean_s"])  # it stood behind the mean
    return {name: per for name, per in found.items() if per}


def _of_a_call(values: dict[str, Value], pers: Mapping[str, Per]) -> None:
    """Turn figures of a sample into those of a call, or the other way round, as fields are."""
    batch = values.get("batch_size", 1)
    size = batch if isinstance(batch, int) else 1
    for name, per in pers.items():
        value = values.get(name)
        if not isinstance(value, float):
            continue
        if (name in _LATENCIES and per == "sample") or (
            name == "throughput_per_s" and per == "call"
        ):
            values[name] = _times(value, size)
        elif name == "energy_per_inference_j" and per == "call":
            values[name] = float(Decimal(repr(value)) / size)


def _times(value: float, size: int) -> float:
    """A product without the noise of binary fractions: 87.1 ms of eight samples."""
    return float(Decimal(repr(value)) * size)


def _failure(line: Line, known: Understanding, values: dict[str, Value]) -> Failure | None:
    if known.ours or values.get("status") is not None:
        return _told_failure(line, values)
    if not known.statuses and any(name in values for name in HEADLINES):
        return None  # it ran
    said = _said(line, known)
    if said is not None:
        kind, text = said
        for name in MEASURED | _LATENCIES:
            values.pop(name, None)
        return Failure(stage="measure", kind=kind, message=f"the table says {text}")
    if MEASURED.isdisjoint(values) and any(name in known.known for name in HEADLINES):
        return Failure(stage="measure", kind="unknown", message=_why_nothing(line, known))
    return None


def _said(line: Line, known: Understanding) -> tuple[FailureKind, str] | None:
    """The failure that a row tells: in its column of states, or where a figure would be."""
    told = [line.cells.get(name) for name in known.statuses]
    bad = [cell for cell in told if not is_missing(cell) and not is_done(cell)]
    if bad:
        kinds = [kind for cell in bad if (kind := failure_of(cell)) not in (None, "unknown")]
        return next(iter(kinds), None) or "unknown", _cut(": ".join(map(str, bad)))
    numeric = [name for name in known.known if FIELDS[name] in (int, float)]
    for name in sorted(numeric, key=lambda name: name not in HEADLINES):
        cell = line.cells.get(known.known[name].name)
        kind = failure_of(cell) if amount(cell) is None and not is_missing(cell) else None
        if kind is not None:
            return kind, _cut(cell)
    return None


def _why_nothing(line: Line, known: Understanding) -> str:
    """What stands where the figures would be."""
    cells = [line.cells.get(known.known[name].name) for name in HEADLINES if name in known.known]
    said = next((_cut(cell) for cell in cells if plain_word(cell)), "")
    return f"the table says {said}" if said else "the table leaves its figures empty"


def _cut(cell: object) -> str:
    return shown(visible(" ".join(str(cell).split())), _LONGEST_MESSAGE)


def _told_failure(line: Line, values: dict[str, Value]) -> Failure | None:
    """The failure that an export tells in its own columns."""
    stage: Any = values.get("failure_stage")
    kind: Any = values.get("failure_kind")
    failed = (values.get("status") or "ok") != "ok"
    if failed != bool(stage) or failed != bool(kind):
        raise ImportFileError(
            f"{line.place}: failure_stage and failure_kind are there exactly where status is not ok"
        )
    if not failed:
        return None
    return Failure(stage=stage, kind=kind, message=str(values.get("failure_message") or ""))


_OPTION = re.compile(r" (?=[^\s=]+=)")


def _options(line: Line, values: dict[str, Value]) -> Options:
    """Options as an export writes them: `graph=all spinning=off`.

    Raises:
        ImportFileError: they are no such pairs.
    """
    pairs = [part.partition("=") for part in _OPTION.split(str(values.pop("options")))]
    options = {name: value for name, sign, value in pairs if sign and name}
    if len(options) != len(pairs):
        raise ImportFileError(
            f"{line.place}: options: pairs such as graph=all, with blanks between them, each once"
        )
    return tuple(sorted(options.items()))
