"""Times as meters write them. Knows no format.

A date whose day and month could be taken for each other is refused: nobody can tell which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

from inferometer.meters.energy.logs.channel import Clock
from inferometer.meters.energy.logs.numbers import LONGEST, PLAIN, Style, number, unit_of

Order = Literal["", "mdy", "dmy"]
"""Which comes first in `11-26-2026`; empty where it is not known."""

_UNIX_FROM = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))
"""A number so large is Unix time in units of so many seconds: from 1973 on, and until 5138."""
_UNIX_UNTIL = 1e20
_EARLIEST_S, _LATEST_S = 1e8, 1e11
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

_DAY_TIME = r"(\d\d?):(\d\d)(?::(\d\d)(?:[.,:](\d+))?)?\s*([AaPp][Mm])?"
_ZONE = r"\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
_ISO = re.compile(rf"(\d{{4}})[-/.](\d\d?)[-/.](\d\d?)[Tt _]+{_DAY_TIME}{_ZONE}", re.IGNORECASE)
_COMPACT = re.compile(
    rf"(\d{{4}})(\d\d)(\d\d)[Tt _]+(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?(){_ZONE}",
    re.IGNORECASE,
)
_NUMERIC = re.compile(rf"(\d\d?)([-/.])(\d\d?)\2(\d{{4}})[Tt ,_]+{_DAY_TIME}{_ZONE}", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?:\w{{3,9}},? )?(\d\d?)[ -]([A-Za-z]{{3}})\w*[ -](\d{{4}}),? +{_DAY_TIME}{_ZONE}"
)
_NAMED_US = re.compile(
    rf"(?:\w{{3,9}},? )?([A-Za-z]{{3}})\w* (\d\d?), (\d{{4}}),? +{_DAY_TIME}{_ZONE}"
)
_CTIME = re.compile(
    rf"(?:\w{{3}} )?([A-Za-z]{{3}}) +(\d\d?) {_DAY_TIME}(?: [A-Z]{{2,5}})? (\d{{4}}){_ZONE}"
)
_SPAN = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:[.,:]\d+)?)")


class TimeReader:
    """Reads the times of one column."""

    def __init__(
        self,
        *,
        unit_s: float | None = None,
        order: Order = "",
        style: Style = PLAIN,
        zone: str = "",
    ) -> None:
        """Take what is known of the column.

        Args:
            unit_s: the unit of its numbers, seconds; None where it has none.
            order: of day and month.
            style: of its numbers.
            zone: of times that have none: `UTC`, or nothing for that of this device.
        """
        self._unit_s, self._order, self._style, self._zone = unit_s, order, style, zone

    def read(self, cell: str) -> tuple[float, Clock]:
        """Seconds, and on which clock.

        Raises:
            ValueError: it is no time.
        """
        text = cell.strip().strip("[]")
        if len(text) > LONGEST:
            raise ValueError(text[:LONGEST])
        if ":" in text or _COMPACT.fullmatch(text):
            return self._written(text)
        found = number(text, self._style)
        if found is None:
            raise ValueError(text)
        value, name = found
        unit = unit_of(name) if name else None
        if name and (unit is None or unit.quantity != "time"):
            raise ValueError(text)
        return self._counted(value, unit.scale if unit else self._unit_s)

    def _counted(self, value: float, unit_s: float | None) -> tuple[float, Clock]:
        if not -_LATEST_S < value < _UNIX_UNTIL:
            raise ValueError(value)
        if unit_s is not None and abs(value * unit_s) < _LATEST_S:
            return value * unit_s, "unix" if value * unit_s >= _EARLIEST_S else "start"
        for least, scale in _UNIX_FROM:
            if value >= least:
                return value * scale, "unix"
        return value * (unit_s or 1.0), "start"

    def _written(self, text: str) -> tuple[float, Clock]:
        if match := _SPAN.fullmatch(text):
            seconds = float(re.sub("[,:]", ".", match[3]))
            return int(match[1]) * 3600 + int(match[2]) * 60 + seconds, "start"
        date, rest = self._dated(text)
        hour, minute, second, fraction, half, zone = rest
        of_day = _hour(int(hour), half), int(minute)
        at_s, clock = _minute(date, of_day, (zone or self._zone).upper())
        whole = int(second or 0)
        if whole > 60:  # noqa: PLR2004 - a leap second is the 61st
            raise ValueError(text)
        return at_s + whole + (float(f"0.{fraction}") if fraction else 0.0), clock

    def _dated(self, text: str) -> tuple[tuple[int, int, int], tuple[str, ...]]:
        """Year, month and day, and the parts of the time of the day.

        Raises:
            ValueError: the text is no date with a time.
        """
        if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
            year, month, day, *rest = match.groups()
            return (int(year), int(month), int(day)), tuple(rest)
        if match := _NUMERIC.fullmatch(text):
            first, sign, second, year, *rest = match.groups()
            order = self._order or ("dmy" if sign == "." else _told([text]))
            if not order:
                raise ValueError(text)
            month, day = (first, second) if order == "mdy" else (second, first)
            return (int(year), int(month), int(day)), tuple(rest)
        if match := _NAMED.fullmatch(text):
            day, name, year, *rest = match.groups()
        elif match := _NAMED_US.fullmatch(text):
            name, day, year, *rest = match.groups()
        elif match := _CTIME.fullmatch(text):
            name, day, *rest, year, zone = match.groups()
            rest.append(zone)
        else:
            raise ValueError(text)
        return (int(year), _MONTHS.index(name.lower()) + 1, int(day)), tuple(rest)


def order_of(cells: Iterable[str]) -> Order:
    """Which of day and month comes first in the dates of a column, where any of them tells."""
    return _told(cells)


def is_doubtful(cells: Iterable[str]) -> bool:
    """Whether there are dates of which none tells what is the day and what the month."""
    dates = [match for cell in cells if (match := _NUMERIC.fullmatch(cell.strip()[:LONGEST]))]
    return any(match[2] != "." for match in dates) and not _told(match[0] for match in dates)


def _told(cells: Iterable[str]) -> Order:
    for cell in cells:
        match = _NUMERIC.fullmatch(cell.strip()[:LONGEST])
        if match and int(match[1]) > 12:  # noqa: PLR2004 - months
            return "dmy"
        if match and int(match[3]) > 12:  # noqa: PLR2004
            return "mdy"
    return ""


def _hour(hour: int, half: str | None) -> int:
    if not half:
        return hour
    if not 1 <= hour <= 12:  # noqa: PLR2004 - of half a day
        raise ValueError(hour)
    return hour % 12 + 12 * (half.lower() == "pm")


@lru_cache(maxsize=16)
def _minute(date: tuple[int, int, int], of_day: tuple[int, int], zone: str) -> tuple[float, Clock]:
    """When a minute began; most rows share theirs with the row before.

    Raises:
        ValueError: there is no such minute.
    """
    naive = datetime(*date, *of_day)  # noqa: DTZ001 - a zone follows, or there is none
    try:
        if not zone:
            return naive.timestamp(), "local"
        return naive.replace(tzinfo=timezone(_offset(zone))).timestamp(), "unix"
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from error


def _offset(zone: str) -> timedelta:
    if zone[0] not in "+-":
        return timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timedelta(minutes=-minutes if zone[0] == "-" else minutes)
