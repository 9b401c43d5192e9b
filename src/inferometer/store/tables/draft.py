"""What is known of a table's columns so far: what the steps of `understanding` share and fill."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import NoReturn

from inferometer.core.errors import ImportFileError
from inferometer.core.record import FIELDS, Value
from inferometer.core.shown import shown
from inferometer.store.tables.asked import Asked
from inferometer.store.tables.names import Meaning
from inferometer.store.tables.numbers import amount
from inferometer.store.tables.table import Line, Table, listed
from inferometer.store.tables.units import Per, Unit, plain, readable
from inferometer.store.tables.words import is_missing

_NOT_FIGURES = frozenset({"threads", "batch_size", "input_size", "latency_calls"})
FIGURES = frozenset(n for n, kind in FIELDS.items() if kind in (int, float)) - _NOT_FIGURES
"""Numbers that are measured or counted, as against those that say what was measured."""
HEADLINES = ("latency_mean_s", "latency_median_s", "throughput_per_s", "energy_per_inference_j")
"""Figures of which at least one stands where a workload ran."""
IN_CELLS = "as in the cells"
"""The unit of a column whose cells tell it, each its own."""
_FEWEST_OWN = 8
"""So many columns with names of ours are no chance."""
_MOST_LOOKED_AT = 2000
"""Rows that are looked at to see what a column holds."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that means something.

    Attributes:
        name: as it stands in the file.
        meaning: the field, and the unit where the column has one.
        why: what tells so, beyond its name; empty where the name tells all.
    """

    name: str
    meaning: Meaning
    why: str = ""

    @property
    def factor(self) -> Decimal:
        """From the column's unit to the field's."""
        return self.meaning.unit.factor if self.meaning.unit else Decimal(1)


@dataclass(kw_only=True)
class Draft:
    """What is known so far.

    Attributes:
        table: the table.
        file: its name, for messages.
        asked: what the user says.
        ours: whether it is an export of ours.
        known: columns by field.
        constants: fields that have one value in all rows.
        statuses: columns that say how it went.
        axes: columns that the user made axes.
        silent: columns that the user leaves out.
        left_out: columns of which a note says why they are left out.
        notes: what was found out, in sentences.
        warnings: what contradicts itself, in sentences.
        problems: what nothing tells, in sentences.
        guesses: what one would guess, as pairs of `--map`.
        constant: what `--constant` must tell; empty where nothing must.
    """

    table: Table
    file: str
    asked: Asked
    ours: bool = False
    known: dict[str, Column] = field(default_factory=dict)
    constants: dict[str, Value] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    axes: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    guesses: list[tuple[str, str]] = field(default_factory=list)
    constant: str = ""

    @property
    def taken(self) -> set[str]:
        """Columns that something is known of."""
        known = {column.name for column in self.known.values()}
        return known | {*self.statuses, *self.axes, *self.silent} | self.left_out

    @property
    def free(self) -> list[str]:
        """The others, in the file's order."""
        taken = self.taken
        return [name for name in self.table.columns if name not in taken]

    def column(self, wanted: str) -> str:
        """A column as the user calls it.

        Raises:
            ImportFileError: there is none.
        """
        if wanted in self.table.columns:
            return wanted
        alike = [name for name in self.table.columns if plain(name) == plain(wanted)]
        if len(alike) != 1:
            self.refuse(f"--map: there is no column {shown(wanted)!r}; its columns: {self.columns}")
        return alike[0]

    def looked_at(self, name: str) -> list[object]:
        """The first cells of a column."""
        return list(islice(self.table.cells(name), _MOST_LOOKED_AT))

    def is_numeric(self, name: str) -> bool:
        """Whether a column holds numbers."""
        comma = self.table.decimal_comma
        cells = [cell for cell in self.looked_at(name) if not is_missing(cell)]
        return any(amount(cell, decimal_comma=comma) is not None for cell in cells)

    def is_text(self, name: str) -> bool:
        """Whether a column holds text and no number."""
        cells = self.looked_at(name)
        return bool(cells) and all(isinstance(cell, str) and amount(cell) is None for cell in cells)

    def set_unit(self, field_name: str, unit: Unit | None, why: str) -> None:
        """Give a column its unit, and say why."""
        column = self.known[field_name]
        meaning = replace(column.meaning, unit=unit)
        self.known[field_name] = replace(column, meaning=meaning, why=why)

    def set_per(self, field_name: str, per: Per) -> None:
        """Say whether a column's figures are of a sample or of a call."""
        column = self.known[field_name]
        self.known[field_name] = replace(column, meaning=replace(column.meaning, per=per))

    def numbers(self, *names: str) -> list[tuple[float, ...]]:
        """Figures of some columns, row by row, of the first rows; 0 where there is none."""
        comma = self.table.decimal_comma
        found = []
        for line in self._first:
            amounts = [amount(line.cells.get(name), decimal_comma=comma) for name in names]
            found.append(tuple(_float(one.value) if one else 0.0 for one in amounts))
        return found

    @property
    def _first(self) -> Sequence[Line]:
        """Rows that tell of all what they are: more would take as long as reading the file."""
        return self.table.lines[:_MOST_LOOKED_AT]

    def batches(self) -> list[float]:
        """The batch size of each of these."""
        column = self.known.get("batch_size")
        given = self.constants.get("batch_size")
        if column is None:
            return [float(given) if isinstance(given, int) else 1.0] * len(self._first)
        return [value if value > 0 else 1.0 for (value,) in self.numbers(column.name)]

    @property
    def has_batches(self) -> bool:
        """Whether a call is more than a sample anywhere."""
        return any(batch != 1 for batch in self.batches())

    @property
    def columns(self) -> str:
        """All columns, for messages."""
        return listed(self.table.columns) or "none"

    def refuse(self, problem: str) -> NoReturn:
        """Refuse the file.

        Raises:
            ImportFileError: always.
        """
        raise ImportFileError(f"{shown(self.file)}: {problem}")


def is_export(columns: Iterable[str]) -> bool:
    """Whether a table is an export of ours, or most of one."""
    exact = [name for name in columns if name in FIELDS and "_" in name]
    return "run_id" in exact or len(exact) >= _FEWEST_OWN


def named(column: str) -> str:
    """A column in a message."""
    return shown(readable(column))


def _float(value: Decimal) -> float:
    number = float(value)
    return number if math.isfinite(number) else 0.0
