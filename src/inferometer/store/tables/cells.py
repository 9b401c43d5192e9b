"""A cell of a table → a value of a field."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

from inferometer.core.record import FIELDS, FailureKind, Stage, Status, Value
from inferometer.store.tables.limits import LONGEST_TEXT
from inferometer.store.tables.numbers import Amount, amount
from inferometer.store.tables.units import Kind, Unit
from inferometer.store.tables.words import is_missing
from inferometer.store.values import MAY_BE_NEGATIVE

_MORE_THAN_ZERO = frozenset({"batch_size", "input_size", "threads", "latency_mean_s"})
_CHOICES: dict[str, tuple[str, ...]] = {
    "status": get_args(Status),
    "failure_stage": get_args(Stage),
    "failure_kind": get_args(FailureKind),
}
_NAMES = frozenset({"run_id", "study", "device_name", "model", "backend", "precision", "device"})
"""Texts in which blanks at the ends come from a spreadsheet; in others they may be meant."""

_LARGEST = 2**63 - 1
_PLAUSIBLE = Decimal("1e-30"), Decimal("1e30")
"""What is measured lies within, in SI units; and ratios of what does are numbers yet."""


def parse(
    field: str, cell: object, *, factor: Decimal, decimal_comma: bool, kind: Kind = "other"
) -> Value:
    """The value that a cell holds; None where it holds none.

    Args:
        field: the field of the record.
        cell: text, or a value of a JSON or Parquet file.
        factor: from the column's unit to the field's.
        decimal_comma: whether `1,5` is a number.
        kind: what a unit in the cell, which then goes before the column's, may be a unit of.

    Raises:
        ValueError: it is not a value of this field; the message says why.
    """
    python = FIELDS[field]
    if isinstance(cell, str):
        _check_text(cell)
    if cell is None or (python is not str and is_missing(cell)):
        return None
    if python in (int, float):
        found = amount(cell, decimal_comma=decimal_comma)
        if found is None:
            raise ValueError("is not a number")
        used = _factor(found, kind, factor)
        number = found.value * used
        _check_range(field, number)
        return _integer(number, scaled=used != 1) if python is int else float(number)
    is_name = field in _NAMES or field in _CHOICES
    value = _OTHERS[python](cell.strip() if is_name and isinstance(cell, str) else cell)
    if value is not None and field in _CHOICES and value not in _CHOICES[field]:
        raise ValueError(f"is none of {', '.join(_CHOICES[field])}")
    return value


def unit_for(kind: Kind, unit: Unit | None) -> Unit | None:
    """A unit as one of a kind: `M` may be millions or megabytes; None where it is of another."""
    if unit is None or unit.kind == kind:
        return unit
    if kind == "bytes" and unit.kind == "count":
        return replace(unit, kind="bytes")
    if kind == "count" and unit.text.strip().casefold() == "b":
        return replace(unit, kind="count", factor=Decimal(10) ** 9)
    return None


def _factor(found: Amount, kind: Kind, factor: Decimal) -> Decimal:
    """What a number is to be multiplied by."""
    if found.unit is None:
        return factor
    unit = unit_for(kind, found.unit)
    if unit is None:
        raise ValueError("is not a number of this unit" if kind != "other" else "is not a number")
    return unit.factor


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"is longer than {LONGEST_TEXT:,} characters")
    if "\0" in text:
        raise ValueError("holds NUL, which is not text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character, which is not text") from None


def _check_range(field: str, number: Decimal) -> None:
    if number < 0 and field not in MAY_BE_NEGATIVE:
        raise ValueError("is negative")
    if number == 0 and field in _MORE_THAN_ZERO:
        raise ValueError("is not more than 0")
    if number and not _PLAUSIBLE[0] <= abs(number) <= _PLAUSIBLE[1]:
        raise ValueError(f"is too {'large' if abs(number) > 1 else 'small'} to be measured")
    if field == "latency_confidence" and not 0 < number < 1:
        raise ValueError("is not between 0 and 1; 95 % is 0.95")


def _integer(number: Decimal, *, scaled: bool) -> int:
    value = round(number) if scaled else int(number)
    if value != number and not scaled:
        raise ValueError("is not a whole number")
    if value > _LARGEST:
        raise ValueError("is too large")
    return value


def _text(cell: Any) -> str | None:  # noqa: ANN401 - whatever stands in a JSON file
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
        raise ValueError("is not text")  # noqa: TRY004 - one kind of error for every wrong cell
    return str(cell) or None


def _truth(cell: Any) -> bool:  # noqa: ANN401 - whatever stands in a JSON file
    truths = {"true": True, "false": False}
    try:
        return truths[str(cell).strip().casefold()]
    except (KeyError, RecursionError):
        raise ValueError("is neither true nor false") from None


def _list(cell: Any) -> list[str]:  # noqa: ANN401 - whatever stands in a JSON file
    try:
        items = json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError('is not a list of texts such as ["one", "two"]')
    if sum(len(item) + 6 for item in items) > LONGEST_TEXT:  # with quotes and escapes about them
        raise ValueError(f"is longer than {LONGEST_TEXT:,} characters")
    for item in items:
        _check_text(item)
    return items


_OTHERS: dict[type, Callable[[Any], Value]] = {str: _text, bool: _truth, list: _list}
