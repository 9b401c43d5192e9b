"""Reads the columns of a table: times, and figures by the sensor that they are of."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from inferometer.core.shown import shown
from inferometer.meters.energy.logs.channel import MOST_ROWS, MOST_W, Clock, Floats, LogProblemError
from inferometer.meters.energy.logs.columns import TimeColumn
from inferometer.meters.energy.logs.numbers import Style, number, style_of, unit_of
from inferometer.meters.energy.logs.table import Table, rows_of
from inferometer.meters.energy.logs.times import Order, TimeReader, is_doubtful, order_of

_SAMPLE = 500
"""Rows by which it is told how numbers and dates are written."""
_SHOWN = 40
_SUMMARIES = {"average", "avg", "mean", "total", "sum", "min", "max", "median", "std", "end"}
"""What stands for a time where a row sums the others up."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A column of figures to read.

    Attributes:
        place: in a row.
        name: of the column, for messages.
        scale: of its figures, where the cells have no unit.
        quantity: what a unit in a cell must be of.
        is_stated: whether the user said the unit, so that those in the cells do not count.
    """

    place: int
    name: str
    scale: float = 1.0
    quantity: str = "power"
    is_stated: bool = False

    def read(self, cell: str, style: Style) -> float:
        """The figure; NaN where the meter had none.

        Raises:
            ValueError: it is no number, or in another unit.
        """
        found = number(cell, style)
        if found is None:
            return math.nan
        value, name = found
        if not name or self.is_stated:
            return value * self.scale
        unit = unit_of(name)
        if unit is None or unit.quantity != self.quantity:
            raise ValueError(cell)
        return value * unit.scale


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of one sensor: their times, and a sequence of figures for each column."""

    times: array[float] = field(default_factory=lambda: array("d"))
    values: tuple[array[float], ...] = ()

    @property
    def times_s(self) -> Floats:
        """The times as an array."""
        return np.array(self.times)

    def column(self, index: int) -> Floats:
        """A column as an array."""
        return np.array(self.values[index])


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What was read of a table.

    Attributes:
        blocks: rows by what is in the columns that tell sensors apart.
        clock: of all times.
        notes: what was left out.
    """

    blocks: dict[str, Block]
    clock: Clock
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to read of a table.

    Attributes:
        time: where the times are; None where there are none.
        values: the columns of figures.
        keys: places of the cells that tell sensors apart.
        order: of day and month, where the format says which.
        interval_s: between two rows without times.
        keep: whether a row is of the log.
    """

    time: TimeColumn | None
    values: tuple[Value, ...]
    keys: tuple[int, ...] = ()
    order: Order = ""
    interval_s: float | None = None
    keep: Callable[[list[str]], bool] = lambda _: True


def gather(lines: Iterable[str], table: Table, plan: Plan) -> Gathered:
    """Read the columns of a table.

    Raises:
        LogProblemError: a cell cannot be understood, or a row is too short.
    """
    return _Gathering(table, plan).all(rows_of(lines, table))


class _Gathering:
    """What is gathered while a table is read."""

    def __init__(self, table: Table, plan: Plan) -> None:
        self.table, self.plan = table, plan
        places = [value.place for value in plan.values] + list(plan.keys)
        places += plan.time.places if plan.time else ()
        self.needed = 1 + max(places)
        self.blocks: dict[str, Block] = {}
        self.clock: Clock | None = None
        self.rows = self.missing = self.strange = 0
        self.short: list[int] = []
        self.joint: str | None = None
        self.style, self.reader = Style(), TimeReader()

    def all(self, rows: Iterator[tuple[int, list[str]]]) -> Gathered:
        sample = [row for _, row in zip(range(_SAMPLE), rows, strict=False)]
        self._learn([cells for _, cells in sample])
        for line, cells in sample:
            self._row(line, cells)
        for line, cells in rows:
            self._row(line, cells)
        return Gathered(blocks=self.blocks, clock=self.clock or "start", notes=tuple(self._notes()))

    def _learn(self, rows: Sequence[list[str]]) -> None:
        """See how numbers and dates are written."""
        self.joint = self._parted(rows)
        rows = [self._joined(cells) for cells in rows]
        whole = [cells for cells in rows if len(cells) >= self.needed]
        figures = [cells[value.place] for cells in whole for value in self.plan.values]
        self.style = style_of(figures, self.table.delimiter)
        if self.plan.time is None:
            return
        times = [self._time_text(cells) for cells in whole]
        order = self.plan.order or order_of(times)
        if not order and is_doubtful(times):
            raise LogProblemError(
                f"in {times[0][:_SHOWN]!r} nobody can tell the day from the month: write its dates "
                "as 2026-11-26"
            )
        self.reader = TimeReader(
            unit_s=self.plan.time.unit_s,
            order=order,
            style=self.style,
            zone="UTC" if self.plan.time.is_utc else "",
        )

    def _parted(self, rows: Sequence[list[str]]) -> str | None:
        """What stands in the times and parts cells too: all rows have a cell more than names."""
        wide = len(self.table.header) + 1
        first = self.plan.time is not None and self.plan.time.places == (0,)
        if not first or not rows or any(len(cells) != wide for cells in rows[:-1] or rows):
            return None
        return self.table.delimiter or " "

    def _joined(self, cells: list[str]) -> list[str]:
        if self.joint is None or len(cells) < 2:  # noqa: PLR2004 - the two to join
            return cells
        return [f"{cells[0]}{self.joint}{cells[1]}", *cells[2:]]

    def _time_text(self, cells: list[str]) -> str:
        places = self.plan.time.places if self.plan.time else ()
        return " ".join(cells[place].strip() for place in places)

    def _row(self, line: int, cells: list[str]) -> None:
        cells = self._joined(cells)
        if len(cells) < self.needed or self._is_summary(cells):
            self.short.append(line)
            return
        if not self.plan.keep(cells):
            return
        if self.short:  # what is short at the end may have been cut off, or be a summary
            problem = f"is not a row: it has fewer than {self.needed} cells, or sums up; remove it"
            raise LogProblemError(problem, self.short[0])
        if self.rows >= MOST_ROWS:
            raise LogProblemError(f"more than {MOST_ROWS:,} rows: cut it to the run")
        key = " ".join(cells[place].strip() for place in self.plan.keys)
        values = [self._value(value, cells[value.place], line) for value in self.plan.values]
        block = self.blocks.get(key)
        if block is None:
            block = Block(values=tuple(array("d") for _ in values))
            self.blocks[key] = block
        at_s = self._time(line, cells, len(block.times))
        self.rows += 1
        self.missing += all(map(math.isnan, values))
        block.times.append(at_s)
        for column, value in zip(block.values, values, strict=True):
            column.append(value)

    def _is_summary(self, cells: list[str]) -> bool:
        return (
            self.plan.time is not None
            and cells[self.plan.time.places[0]].strip(" :").lower() in _SUMMARIES
        )

    def _value(self, value: Value, cell: str, line: int) -> float:
        try:
            found = value.read(cell, self.style)
        except ValueError:
            raise self._wrong(
                line, value.name, f"{cell.strip()[:_SHOWN]!r} is not a number"
            ) from None
        if value.quantity == "power" and abs(found) > MOST_W:
            raise self._wrong(line, value.name, f"{found:.3g} W is not a power")
        return found

    def _time(self, line: int, cells: list[str], row: int) -> float:
        if self.plan.time is None:
            return row * (self.plan.interval_s or 1.0)
        text = self._time_text(cells)
        try:
            at_s, clock = self.reader.read(text)
        except ValueError:
            problem = f"{text[:_SHOWN]!r} is not a time: write Unix seconds or ISO 8601"
            raise self._wrong(line, self.plan.time.name, problem) from None
        if self.clock not in (None, clock):
            if self.rows > 1:
                problem = f"{text[:_SHOWN]!r} is of another kind of time"
                raise self._wrong(line, self.plan.time.name, problem)
            self._forget()
        self.clock = clock
        return at_s

    def _forget(self) -> None:
        """Leave out the first row, whose time counts from something else."""
        self.strange, self.rows, self.missing = 1, 0, 0
        for block in self.blocks.values():
            del block.times[:]
            for column in block.values:
                del column[:]

    def _notes(self) -> Iterator[str]:
        if self.strange:
            yield "Its first row has a time of another kind, and was left out."
        if self.missing:
            rows, were = ("rows", "were") if self.missing > 1 else ("row", "was")
            yield f"{self.missing} {rows} without a figure {were} left out."
        if len(self.short) == 1:
            yield "Its last line is cut off and was left out."
        elif self.short:
            yield f"Its last {len(self.short)} lines are no rows, and were left out."

    def _wrong(self, line: int, column: str, problem: str) -> LogProblemError:
        return LogProblemError(f"column {shown(repr(column))}: {problem}", line)
