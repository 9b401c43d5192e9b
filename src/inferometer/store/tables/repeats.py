"""Rows that nothing tells apart → one row: means, deviations and intervals between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from inferometer.core.record import FIELDS, Value
from inferometer.core.statement import Statement
from inferometer.store.tables.asked import Asked
from inferometer.store.tables.limits import check_rows
from inferometer.store.tables.names import meanings
from inferometer.store.tables.rows import Row
from inferometer.store.tables.table import Line, Table
from inferometer.store.tables.units import plain

MeanInterval = Callable[[Sequence[float], float], tuple[float, float] | None]
"""Ends of the interval of a mean of independent values, at a confidence; None without one."""

CONFIDENCE = 0.95
_MEAN = frozenset(
    {
        *("throughput_per_s", "energy_per_inference_j", "power_mean_w", "power_idle_w", "accuracy"),
        *("load_s", "first_call_s", "energy_net_per_inference_j"),
    }
)
_MOST = frozenset({"peak_memory_bytes", "device_memory_bytes", "latency_max_s"})


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Rows of one workload as one.

    Attributes:
        row: the row.
        count: rows behind it.
        notes: what its record should say of that.
    """

    row: Row
    count: int
    notes: tuple[Statement, ...] = ()


def join(rows: Sequence[Row], interval: MeanInterval | None) -> Joined:
    """Rows of one workload as one.

    Args:
        rows: at least one.
        interval: what makes the interval of a mean.
    """
    if len(rows) == 1:
        return Joined(row=rows[0], count=1)
    ran = [row for row in rows if row.failure is None]
    if len(ran) < 2:  # noqa: PLR2004 - a spread needs two
        note = Statement("rows_failed", {"rows": len(rows), "failed": len(rows) - len(ran)})
        return Joined(row=(ran or list(rows))[0], count=len(rows), notes=(note,))
    values: dict[str, Value] = {}
    for name in dict.fromkeys(name for row in ran for name in row.values):
        value = _joined(name, [row.values[name] for row in ran if name in row.values])
        if value is not None:
            values[name] = value
    values |= _between([row.values for row in ran], interval)
    said: dict[str, str | int | float] = {"rows": len(ran)}
    if len(ran) < len(rows):
        said["failed"] = len(rows) - len(ran)
    return Joined(
        row=replace(ran[0], values=values), count=len(rows), notes=(Statement("rows_joined", said),)
    )


def _mean(numbers: Sequence[float]) -> float:
    """A mean without the noise of binary fractions."""
    return float(sum(Decimal(repr(number)) for number in numbers) / len(numbers))


def _joined(name: str, found: Sequence[Value]) -> Value:
    """One value for several rows; None where they differ and none stands for all."""
    numbers = [float(one) for one in found if isinstance(one, int | float)]
    if name in _MEAN and len(numbers) == len(found):
        return _mean(numbers)
    if name in _MOST and len(numbers) == len(found):
        return max(int(n) for n in numbers) if FIELDS[name] is int else max(numbers)
    if name == "latency_min_s":
        return min(numbers)
    if name == "latency_median_s" and len(numbers) == len(found):
        return _mean(numbers)
    if name.startswith("latency_"):
        return None
    return found[0] if all(one == found[0] for one in found) else None


def _between(
    rows: Sequence[Mapping[str, Value]], interval: MeanInterval | None
) -> dict[str, Value]:
    """Mean, deviation, extremes and interval of the rows' latencies."""
    found = [row.get("latency_mean_s") for row in rows]
    numbers = [one for one in found if isinstance(one, float)]
    if len(numbers) < 2:  # noqa: PLR2004
        return dict(zip(("latency_mean_s",), numbers, strict=False))
    mean = _mean(numbers)
    squares = math.fsum((one - mean) ** 2 for one in numbers)
    deviation = math.sqrt(squares / (len(numbers) - 1))
    values: dict[str, Value] = {"latency_mean_s": mean, "latency_std_s": deviation}
    if not any("latency_std_s" in row or "latency_calls" in row for row in rows):
        values |= {"latency_calls": len(numbers)}
        values |= {"latency_min_s": min(numbers), "latency_max_s": max(numbers)}
    ends = interval(numbers, CONFIDENCE) if interval is not None else None
    if ends is not None and all(map(math.isfinite, ends)) and ends[0] < ends[1]:
        method = f"Student's t of the mean, between {len(numbers)} rows of a table"
        values |= {"latency_mean_ci_low_s": ends[0], "latency_mean_ci_high_s": ends[1]}
        if not any("latency_median_s" in row for row in rows):
            values |= {"latency_ci_low_s": ends[0], "latency_ci_high_s": ends[1]}
            values |= {"latency_confidence": CONFIDENCE, "latency_ci_method": method}
    return values


def spread_out(table: Table, path: Path, asked: Asked) -> Table:
    """A table with a row for each repetition, of one that has a column or a list for each.

    Columns whose names differ in a running number alone (`run 1 (ms)`, `latency_ms_2`), those that
    `--map latency_ms=a+b+c` names, and lists of latencies in a cell are repetitions.

    Args:
        table: the table.
        path: the file, for messages.
        asked: what the user says; columns that it adds up are called by their sum.

    Raises:
        ImportFileError: it has too many rows then.
    """
    parts: dict[str, list[str]] = {}
    for told in asked.told:
        names = [name.strip() for name in told.column.split("+")]
        if told.column not in table.columns and len(names) > 1 and set(names) <= set(table.columns):
            parts[told.column] = names
    taken = {told.column for told in asked.told} | {
        one for names in parts.values() for one in names
    }
    parts |= _numbered([name for name in table.columns if name not in taken])
    lists = _lists(table) if not parts else []
    if not parts and not lists:
        return table
    lines = [line for old in table.lines for line in _lines(old, parts, lists)]
    check_rows(path, len(lines))
    gone = {one for names in parts.values() for one in names}
    columns = [name for name in table.columns if name not in gone]
    return replace(table, columns=(*columns, *parts), lines=tuple(lines))


_RUNNING = (
    "run",
    "rep",
    "trial",
    "repeat",
    "repetition",
    "iteration",
    "iter",
    "measurement",
    "try",
)


def _numbered(names: Sequence[str]) -> dict[str, list[str]]:
    """Columns that are called alike but for a running number, by what they share."""
    found: dict[str, dict[int, str]] = {}
    for name in names:
        words = plain(name).split("_")
        places = [place for place, word in enumerate(words) if word.isdecimal() and len(word) < 4]  # noqa: PLR2004
        joined = [(place, re_number(word)) for place, word in enumerate(words) if re_number(word)]
        if len(places) == 1:
            place = places[0]
            number, before = int(words[place]), words[place - 1] if place else ""
            rest = words[: place - (before in _RUNNING)] + words[place + 1 :]
        elif not places and len(joined) == 1:
            place, number = joined[0][0], joined[0][1] or 0
            rest = words[:place] + words[place + 1 :]
        else:
            continue
        base = " ".join(rest)
        told = meanings(base) if rest else []
        if told and told[0].field == "latency_mean_s":
            found.setdefault(base, {})[number] = name
    return {
        f"{base} (repetitions)" if base in names else base: list(columns.values())
        for base, columns in found.items()
        if len(columns) > 1
        and sorted(columns) in (list(range(len(columns))), list(range(1, len(columns) + 1)))
    }


def re_number(word: str) -> int | None:
    """The number in `run1` or `rep02`; None in other words."""
    for prefix in _RUNNING:
        rest = word.removeprefix(prefix)
        if rest != word and rest.isdecimal() and len(rest) < 4:  # noqa: PLR2004
            return int(rest)
    return None


def _lists(table: Table) -> list[str]:
    """Columns of latencies that hold lists of numbers."""
    found = []
    for name in table.columns:
        told = meanings(name)
        if not told or told[0].kind != "time":
            continue
        cells = table.cells(name)
        if _is_list(next(cells, None)) and all(map(_is_list, cells)):
            found.append(name)
    return found[:1]


def _is_list(cell: Any) -> bool:  # noqa: ANN401 - whatever stands in a JSON file
    return (
        isinstance(cell, list)
        and bool(cell)
        and all(isinstance(one, int | float) and not isinstance(one, bool) for one in cell)
    )


def _lines(line: Line, parts: Mapping[str, Sequence[str]], lists: Sequence[str]) -> list[Line]:
    """A line for each of its repetitions."""
    gone = {one for names in parts.values() for one in names} | set(lists)
    rest = {name: cell for name, cell in line.cells.items() if name not in gone}
    series: dict[str, list[Any]] = {
        name: [line.cells.get(one) for one in names] for name, names in parts.items()
    }
    series |= {name: list(line.cells.get(name) or [None]) for name in lists}
    most = max(map(len, series.values()))
    return [
        Line(
            place=line.place,
            cells=rest | {name: cells[n] for name, cells in series.items() if n < len(cells)},
        )
        for n in range(most)
    ]
