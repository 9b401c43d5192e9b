"""Columns whose meaning is given: by the user, by the reader of the file, or by their names."""

from __future__ import annotations

import re
from dataclasses import replace

from inferometer.core.record import FIELDS
from inferometer.store.tables.asked import AXIS, IGNORE, NAMED, meaning_of
from inferometer.store.tables.draft import Column, Draft, named
from inferometer.store.tables.names import Meaning, meanings
from inferometer.store.tables.numbers import amount
from inferometer.store.tables.units import plain
from inferometer.store.tables.words import failure_of, is_done, is_missing, plain_word

_STATES = frozenset({"status", "result", "state", "outcome", "success", "ok", "passed"})
_MESSAGES = frozenset(
    {
        *("error", "failure", "error_message", "failure_reason", "failed", "exception", "errors"),
        *("infer_error", "exit"),
    }
)
_PLACES = frozenset(
    {"cpu", "gpu", "cuda", "mps", "xpu", "npu", "tpu", "dla", "igpu", "dgpu", "vpu"}
)
_LONGEST_SIDE = 10**9
_SHAPE = re.compile(
    r"\s*[(\[]?\s*(?:\d{1,9}\s*[xX\u00d7*,]\s*){0,2}"
    r"(?P<height>\d{1,9})\s*[xX\u00d7*,]\s*(?P<width>\d{1,9})\s*[)\]]?\s*"
)


def take_told(draft: Draft) -> None:
    """Take the columns whose meaning the user gives."""
    for told in draft.asked.told:
        name = draft.column(told.column)
        if told.left == IGNORE:
            draft.silent.append(name)
        elif told.left == AXIS:
            draft.axes.append(name)
        elif told.meaning is not None:
            if told.meaning.field in draft.known:
                draft.refuse(f"--map gives {told.meaning.field} twice")
            draft.known[told.meaning.field] = Column(
                name=name, meaning=replace(told.meaning, exact=True), why="as --map says"
            )


def take_known(draft: Draft) -> None:
    """Take the columns that the reader knows."""
    for name, left in draft.table.means.items():
        meaning = meaning_of(left)
        if name in draft.free and meaning.field not in {*draft.known, *draft.constants}:
            draft.known[meaning.field] = Column(name=name, meaning=replace(meaning, rank=9))


def take_named(draft: Draft) -> None:
    """Take the columns whose name says what they are, the surest first."""
    found: dict[str, list[Column]] = {}
    for name in draft.free:
        for meaning in _possible(draft, name):
            found.setdefault(meaning.field, []).append(Column(name=name, meaning=meaning))
    order = {name: place for place, name in enumerate(FIELDS)}
    while found:
        rank = {name: max(one.meaning.rank for one in columns) for name, columns in found.items()}
        first = max(found, key=lambda name: (rank[name], -order[name]))
        columns = [one for one in found.pop(first) if one.meaning.rank == rank[first]]
        _take_one(draft, first, columns)
        taken = draft.taken
        found = {
            name: rest
            for name, columns in found.items()
            if (rest := [one for one in columns if one.name not in taken])
        }


def _take_one(draft: Draft, field_name: str, columns: list[Column]) -> None:
    """Take one of the columns that are equally likely a field's."""
    if field_name in draft.known or (field_name in draft.constants and not draft.ours):
        return
    names = list(dict.fromkeys(column.name for column in columns))
    with_unit = [c for c in columns if not c.meaning.needs_unit]
    if len(names) > 1 and len({c.name for c in with_unit}) == 1:
        columns, names = with_unit, [with_unit[0].name]
    if len(names) > 1 and field_name not in ("input_size", "device_name", "latency_calls"):
        one, other = names[:2]
        draft.refuse(
            f"columns {named(one)!r} and {named(other)!r} are both {field_name}; "
            + ("remove one" if draft.ours else f"say which: --map {field_name}=COLUMN")
        )
    draft.known[field_name] = columns[0]


def _possible(draft: Draft, name: str) -> list[Meaning]:
    """The meanings of a name that its cells allow."""
    if draft.table.ours and name in NAMED:
        return [Meaning(field=NAMED[name], rank=9)]
    found = meanings(name, ours=draft.ours or draft.table.ours)
    if plain(name) == "device" and not draft.ours and not draft.table.ours:
        found = [Meaning(field=_of_device(draft, name), rank=2)]
    elif plain(name) == "device" and draft.ours and "device_name" not in draft.table.columns:
        found = [Meaning(field="device_name", rank=2)]
    if draft.ours or draft.table.ours:
        return found
    return [meaning for meaning in found if _fits(draft, name, meaning)]


def _of_device(draft: Draft, name: str) -> str:
    """Whether a column names machines, or where on one a model ran."""
    words = {plain_word(cell).split(":")[0] for cell in draft.looked_at(name)}
    others = any(
        "device_name" in {m.field for m in meanings(n)} for n in draft.table.columns if n != name
    )
    return "device" if others or (words and words <= _PLACES) else "device_name"


def _fits(draft: Draft, name: str, meaning: Meaning) -> bool:
    cells = [
        cell for cell in draft.looked_at(name) if not is_missing(cell) and failure_of(cell) is None
    ]
    kind = FIELDS[meaning.field]
    if kind is str:
        numeric = sum(amount(cell) is not None for cell in cells)
        return meaning.field != "backend" or numeric * 2 <= len(cells)
    if kind not in (int, float):
        return False
    comma = draft.table.decimal_comma
    if meaning.field == "input_size":
        return bool(cells) and all(side_of(cell, decimal_comma=comma) is not None for cell in cells)
    if meaning.rank > 1 and not (meaning.kind == "count" or meaning.field == "latency_calls"):
        return True
    return all(amount(cell, decimal_comma=comma) is not None for cell in cells)


def take_statuses(draft: Draft) -> None:
    """Take the columns that say how it went."""
    for name in draft.free:
        cells = draft.looked_at(name)
        word = plain(name)
        if not cells or word not in _STATES | _MESSAGES:
            continue
        if word in _MESSAGES or all(is_done(c) or failure_of(c) or is_missing(c) for c in cells):
            draft.statuses.append(name)


def side_of(cell: object, *, decimal_comma: bool = False) -> int | None:
    """Height and width of `224`, `224x224` or `(1, 3, 224, 224)`; None where they differ."""
    found = amount(cell, decimal_comma=decimal_comma)
    if found is not None:
        is_side = found.unit is None or found.unit.kind == "pixels"
        whole = found.value == found.value.to_integral_value() and 0 < found.value < _LONGEST_SIDE
        return int(found.value) if whole and is_side else None
    shape = _SHAPE.fullmatch(cell) if isinstance(cell, str) else None
    if shape is None or shape["height"] != shape["width"]:
        return None
    return int(shape["width"]) or None
