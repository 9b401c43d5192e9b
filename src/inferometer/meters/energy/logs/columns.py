"""What the columns of a table hold, by their names. Reads no cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from inferometer.core.energy import Scope
from inferometer.meters.energy.logs.numbers import Quantity, unit_of

MOST_COLUMNS = 1000
MOST_CELLS = 20_000
"""Of the first lines, where the names of a table are looked for."""
_LONGEST = 200
"""Characters of a name by which it is told what a column holds."""
_POWER = {"power", "pwr", "wattage", "p", "apower", "leistung", "puissance", "potencia", "potenza"}
_POWER |= {"vermogen", "effekt", "moc", "功率", "功耗", "w"}
_VOLTAGE = {"voltage", "u", "vbus", "spannung", "tension", "电压", "v"}
_CURRENT = {"current", "i", "ibus", "strom", "电流", "a"}
_ENERGY = {"energy", "energie", "energia"}
_TIMES = (
    *("timestamp", "datetime", "unix", "epoch", "time", "ts", "elapsed", "seconds", "date", "t"),
    *("zeit", "uhrzeit", "datum", "时间"),
)
"""Words of a column of times, the best first."""
_OTHERS = {"reactive", "apparent", "va", "var", "factor", "pf", "max", "min", "peak", "limit"}
_OTHERS |= {"offset", "zone", "charge", "ah", "mah", "std", "state", "mode", "cap", "tdp", "temp"}
_OTHERS |= {"temperature", "util", "utilization", "freq", "frequency", "mhz", "fan", "setpoint"}
_DATA_LINES = {"dp", "dn", "d", "cc", "dm"}
"""Of USB: their volts are not those of the supply."""
_AVERAGES = {"avg", "average", "mean"}
_TOTALS = {"total", "tot", "combined", "overall", "gesamt"}
_SCOPES: dict[str, Scope] = {
    "gpu": "gpu", "cpu": "package", "package": "package", "pkg": "package", "soc": "soc",
    "battery": "battery", "wall": "wall", "plug": "wall", "outlet": "wall", "psys": "psys",
}  # fmt: skip
_STUCK = re.compile(r"([A-Za-z]{2,40}?[a-z])([nuµμmkM]?(?:Wh|W|V|A|J))(?![A-Za-z0-9])")
_HUMPS = re.compile(r"(?<=[a-z]{2})(?=[A-Z])")
_UNIT = re.compile(r"[\[(][^\[\](){}]{0,40}[\])]$")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column, as far as its name tells what it holds.

    Attributes:
        place: in a row, from zero.
        name: as in the file.
        words: of the name, in small letters.
        quantity: None where it is none of those that matter here.
        scale: what to multiply its figures by.
        unit: as messages write it; empty where the name has none.
    """

    place: int
    name: str
    words: tuple[str, ...] = ()
    quantity: Quantity | None = None
    scale: float = 1.0
    unit: str = ""

    @property
    def is_average(self) -> bool:
        """Whether it is a mean over a longer time, beside which there may be a better one."""
        return not _AVERAGES.isdisjoint(self.words)

    @property
    def is_total(self) -> bool:
        """Whether its name says that it contains others."""
        return not _TOTALS.isdisjoint(self.words)

    @property
    def scope(self) -> Scope | None:
        """What it covers, where its name says so."""
        return next((_SCOPES[word] for word in self.words if word in _SCOPES), None)


def columns_of(header: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a table; none where there are more than any meter has."""
    if len(header) > MOST_COLUMNS:
        return ()
    names = Counter[str]()
    columns = []
    for place, cell in enumerate(header):
        column = _column(cell.strip())
        names[column.name] += 1
        same = names[column.name]
        name = f"{column.name} #{same}" if same > 1 and column.name else column.name
        columns.append(replace(column, place=place, name=name))
    return tuple(columns)


@lru_cache(maxsize=MOST_CELLS)
def _column(name: str) -> Column:
    """A column by its name; each reader looks at the same names."""
    tokens = _tokens(name[:_LONGEST])
    words = tuple(token.lower() for token in tokens)
    quantity = None if "%" in name or "°" in name else _quantity(tokens, words)
    units = [unit for token in reversed(tokens) if (unit := unit_of(token))]
    unit = next((unit for unit in units if unit.quantity == quantity), None)
    if unit is None:
        return Column(place=0, name=name, words=words, quantity=quantity)
    return Column(
        place=0, name=name, words=words, quantity=quantity, scale=unit.scale, unit=unit.name
    )


def _tokens(name: str) -> list[str]:
    """Words of a name: `Power [W]`, `power_w` and `PowerW` have two."""
    return _WORD.findall(_HUMPS.sub(" ", _STUCK.sub(r"\1 \2", name)))


def _quantity(tokens: Sequence[str], words: Sequence[str]) -> Quantity | None:
    clear = [unit.quantity for token in tokens if _is_clear(token) and (unit := unit_of(token))]
    if "energy" in clear or not _ENERGY.isdisjoint(words):
        return "energy" if _OTHERS.isdisjoint(words) else None
    if not _OTHERS.isdisjoint(words):
        return None
    if physical := [one for one in clear if one != "time"]:
        return None if physical[-1] == "voltage" and words[0] in _DATA_LINES else physical[-1]
    for quantity, known in _KNOWN:
        if not known.isdisjoint(words):
            return None if quantity == "voltage" and words[0] in _DATA_LINES else quantity
    return None


_KNOWN: tuple[tuple[Quantity, set[str]], ...] = (
    ("power", _POWER - {"p", "w"}),
    ("voltage", _VOLTAGE - {"u", "v"}),
    ("current", _CURRENT - {"i", "a"}),
    ("power", {"p", "w"}),
    ("voltage", {"u", "v"}),
    ("current", {"i", "a"}),
)
"""Words first, then single letters, which may mean anything beside a word."""


def _is_clear(token: str) -> bool:
    """Whether a token is a unit wherever it stands: a single letter is one in capitals only."""
    return len(token) > 1 or token in ("W", "V", "A", "J")


@dataclass(frozen=True, kw_only=True)
class TimeColumn:
    """Where the times of a table are.

    Attributes:
        places: in a row; a date and a time of the day that stand apart are taken together.
        name: as in the file.
        unit_s: of its numbers; None where the name has none.
        is_utc: whether its name says that times without a zone are in UTC.
    """

    places: tuple[int, ...]
    name: str
    unit_s: float | None = None
    is_utc: bool = False


def time_of(columns: Sequence[Column], named: str = "") -> TimeColumn | None:
    """The best column of times, or the one that the user names."""
    if named:
        found = one_named(columns, named)
        return None if found is None else _as_time(found)
    ranked = sorted(
        (_TIMES.index(word), column.place)
        for column in columns
        for word in column.words[:2]
        if word in _TIMES and column.quantity is None and "zone" not in column.words
    )
    if not ranked:
        return None
    best = columns[ranked[0][1]]
    dates = [one for one in columns if one.words in (("date",), ("datum",)) and one is not best]
    if dates and best.words in (("time",), ("uhrzeit",)):
        name = f"{dates[0].name} {best.name}"
        return TimeColumn(places=(dates[0].place, best.place), name=name)
    return _as_time(best)


def _as_time(column: Column) -> TimeColumn:
    return TimeColumn(
        places=(column.place,),
        name=column.name,
        unit_s=_unit_s(column),
        is_utc=not {"utc", "gmt"}.isdisjoint(column.words),
    )


def _unit_s(column: Column) -> float | None:
    """The unit of a column of times; `seconds` alone is its name, not its unit."""
    units = [unit for token in _tokens(column.name) if (unit := unit_of(token))]
    return next((unit.scale for unit in units if unit.quantity == "time"), None)


def one_named(columns: Sequence[Column], name: str) -> Column | None:
    """The column that a user means: by its name, whatever its case, or by what precedes a unit."""
    wanted = name.strip()
    for same in (str, str.casefold, _bare):
        found = [one for one in columns if same(one.name) == same(wanted)]
        if len(found) == 1:
            return found[0]
    return None


def _bare(name: str) -> str:
    return _UNIT.sub("", name[:_LONGEST]).rstrip().casefold()


def powers_of(columns: Sequence[Column]) -> list[Column]:
    """The columns that may be the power; means over a longer time only where nothing else is."""
    found = [one for one in columns if one.quantity == "power"]
    return [one for one in found if not one.is_average] or found


def pairs_of(columns: Sequence[Column]) -> list[tuple[Column, Column]]:
    """Volts and amps of the same place, whose product is a power."""
    volts = [one for one in columns if one.quantity == "voltage"]
    amps = [one for one in columns if one.quantity == "current"]
    if len(volts) == 1 and len(amps) == 1:
        return [(volts[0], amps[0])]
    return [
        (volt, matching[0])
        for volt in volts
        if len(matching := [amp for amp in amps if _place(amp) == _place(volt)]) == 1
    ]


def _place(column: Column) -> tuple[str, ...]:
    """What is left of a name without the quantity and the unit: `ch1` of `ch1_voltage_mV`."""
    known = _VOLTAGE | _CURRENT | {"volts", "amps", "volt", "amp", "ampere", "amperes"}
    name = _HUMPS.sub(" ", _STUCK.sub(r"\1 \2", column.name[:_LONGEST]))
    tokens = re.findall(r"[^\W\d_]+|\d+", name)
    return tuple(
        token.lower() for token in tokens if token.lower() not in known and not unit_of(token)
    )


def named_parts(text: str, names: Sequence[str]) -> list[str]:
    """The names that a user means by `GPU0+GPU1`; a name that has a plus itself is one."""
    columns = [Column(place=place, name=name) for place, name in enumerate(names)]
    if not text or one_named(columns, text):
        return [text] if text else []
    if one_named(columns, text.replace("+", " ")):
        return [text.replace("+", " ")]
    return [part.strip() for part in text.split("+") if part.strip()]
