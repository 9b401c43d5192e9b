"""Numbers as people write them in tables: `21.3 ms`, `11.7M`, `1,234.5`, `87.1 ± 0.3`, `69.8 %`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from inferometer.store.tables.units import Unit, unit_of

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
_AMOUNT = re.compile(
    rf"(?P<value>{_NUMBER})\s*(?:\(?\s*(?:±|\+/-|\+-)\s*(?P<spread>{_NUMBER})\s*\)?)?"
    r"\s*(?P<unit>[^\d\s.,;:<>()±+-][^\d,;:<>()±+-]{0,30})?"
)
_THOUSANDS = re.compile(
    r"[+-]?[0-9]{1,3}(?:([,'\u2019 \u00a0\u2009\u202f.])[0-9]{3})(?:\1[0-9]{3})*"
)
_DECORATION = re.compile(r"\*\*|__|~~|`|<[^<>]{1,20}>")
_FOOTNOTE = re.compile(r"(?<=[\d%])\s*[*†‡]+$|^[~≈]\s*(?=\d)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_LONGEST = 200
"""Characters of a cell with a number in it."""


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What a cell says.

    Attributes:
        value: the number.
        spread: what stands after its sign of plus or minus; None where nothing does.
        unit: as the cell tells it; None where it tells none.
    """

    value: Decimal
    spread: Decimal | None = None
    unit: Unit | None = None


def amount(cell: object, *, decimal_comma: bool = False) -> Amount | None:
    """The amount that a cell holds; None where it holds none.

    Args:
        cell: text, or a number of a JSON or Parquet file.
        decimal_comma: whether `1,5` is a number.
    """
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
        return None
    return _of_text(str(cell), decimal_comma)


@lru_cache(maxsize=65536)  # cells are looked at by several steps, and are alike
def _of_text(cell: str, decimal_comma: bool) -> Amount | None:  # noqa: FBT001 - cached
    if len(cell) > _LONGEST:
        return None
    text = undecorated(cell)
    found = _AMOUNT.fullmatch(_pointed(text, decimal_comma=decimal_comma))
    if found is None:
        return None
    unit = unit_of(found["unit"]) if found["unit"] else None
    if found["unit"] and unit is None:
        return None
    try:
        spread = Decimal(found["spread"]) if found["spread"] else None
        return Amount(value=Decimal(found["value"]), spread=spread, unit=unit)
    except InvalidOperation:  # an exponent that no number has
        return None


def undecorated(text: str) -> str:
    """Text without the emphasis, links and footnote marks of Markdown."""
    text = text.strip()
    if text.isalnum():
        return text
    return _FOOTNOTE.sub("", _DECORATION.sub("", _LINK.sub(r"\1", text)).strip()).strip()


def has_decimal_comma(cells: Iterable[str]) -> bool | None:
    """Whether commas stand before decimals in texts that are numbers; None where none tells.

    `1,5` and `0,123` tell that they do, `1.5` and `1,234,567` that they do not; `1,234` is both.
    """
    points = commas = False
    for cell in cells:
        text = cell.strip()
        if not text[:1].isdigit() and text[:1] not in ("-", "+"):
            continue
        head = re.match(r"[+-]?[\d.,]+", text)
        found = head[0] if head else ""
        if re.fullmatch(
            r"[+-]?\d+,(?:\d{1,2}|\d{4,})|[+-]?0,\d+|[+-]?\d{1,3}(?:\.\d{3})+,\d+", found
        ):
            commas = True
        elif re.fullmatch(
            r"[+-]?\d*\.\d+|[+-]?\d{1,3}(?:,\d{3})+\.\d+|[+-]?\d{1,3}(?:,\d{3}){2,}", found
        ):
            points = True
    return None if commas == points else commas


def _pointed(text: str, *, decimal_comma: bool) -> str:
    """A number with a point before its decimals, and nothing between its thousands."""
    grouped = _THOUSANDS.match(text)
    if grouped is not None and not text[grouped.end() :][:1].isdigit():
        mark, rest = grouped[1], text[grouped.end() :]
        is_decimal = (mark == "." and not decimal_comma) or (mark == "," and decimal_comma)
        if not is_decimal or grouped[0].count(mark) > 1:
            text = grouped[0].replace(mark, "") + rest
    if decimal_comma:
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    return text
