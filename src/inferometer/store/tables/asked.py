"""What the user says of a table: `--map`, `--constant` and the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from inferometer.core.errors import ImportFileError
from inferometer.core.record import Value
from inferometer.core.shown import shown
from inferometer.store.tables.cells import parse
from inferometer.store.tables.names import Meaning, meanings

AXIS = "axis"
IGNORE = "ignore"
AUTO = "auto"
_PAIR = re.compile(r",(?=\s*[A-Za-z][\w.]*\s*=)")
_EXAMPLE = "such as latency_ms=COLUMN or model=COLUMN"


@dataclass(frozen=True, kw_only=True)
class Told:
    """A column whose meaning the user gives.

    Attributes:
        left: what stands on the left, for people.
        meaning: the field and the unit; None for an axis, and for a column to leave out.
        column: the column, as the user calls it.
    """

    left: str
    meaning: Meaning | None
    column: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user asks of an import.

    Attributes:
        told: columns whose meaning is given.
        auto: whether to take what would be guessed.
        constants: fields of every row.
        study: name of the study; empty for the file's own.
        reader: name of the reader; empty for the one that knows the file.
        table: which table of a file with several, from 1; None for the only one.
    """

    told: tuple[Told, ...] = ()
    auto: bool = False
    constants: tuple[tuple[str, Value], ...] = ()
    study: str = ""
    reader: str = ""
    table: int | None = None


def asked(
    *,
    mapping: Sequence[str] = (),
    constant: Sequence[str] = (),
    study: str | None = None,
    device: str | None = None,
    reader: str | None = None,
    table: int | None = None,
) -> Asked:
    """Read what the user says.

    Args:
        mapping: texts of `--map`: `auto`, or pairs with commas between them.
        constant: texts of `--constant`: a pair each.
        study: name of the study.
        device: name of the device, in place of what the file says.
        reader: name of a reader.
        table: which table of a file.

    Raises:
        ImportFileError: a name is empty, a pair is none, or its left side is no field.
    """
    for name, given in (("study", study), ("device", device)):
        if given is not None and not given.strip():
            raise ImportFileError(f"{name}: an empty name; give one, or leave it out")
    pairs = [part for text in mapping if text.strip() != AUTO for part in _PAIR.split(text)]
    constants = dict(_constant(text) for text in constant)
    if device is not None:
        constants["device_name"] = device
    return Asked(
        told=tuple(_told(pair) for pair in pairs),
        auto=any(text.strip() == AUTO for text in mapping),
        constants=tuple(constants.items()),
        study=study or "",
        reader=reader or "",
        table=table,
    )


def _told(pair: str) -> Told:
    left, column = _split(pair, "--map")
    if left in (AXIS, IGNORE):
        return Told(left=left, meaning=None, column=column)
    return Told(left=left, meaning=meaning_of(left, "--map"), column=column)


def _constant(text: str) -> tuple[str, Value]:
    left, value = _split(text, "--constant")
    meaning = meaning_of(left, "--constant")
    factor = meaning.unit.factor if meaning.unit else Decimal(1)
    try:
        found = parse(meaning.field, value, factor=factor, decimal_comma=False, kind=meaning.kind)
    except ValueError as error:
        raise ImportFileError(f"--constant: {shown(left)}: {shown(repr(value))} {error}") from None
    if found is None:
        raise ImportFileError(f"--constant: {shown(left)}: no value; leave it out")
    return meaning.field, found


def _split(pair: str, option: str) -> tuple[str, str]:
    left, sign, right = pair.partition("=")
    left, right = left.strip(), right.strip().removeprefix('"').removesuffix('"')
    if not sign or not left or not right:
        raise ImportFileError(f"{option}: {shown(pair)!r} is not a pair {_EXAMPLE}")
    return left, right


def meaning_of(left: str, option: str = "--map") -> Meaning:
    """The surest meaning of a left side.

    Args:
        left: what stands there, such as `latency_ms`.
        option: where it stands, for messages.

    Raises:
        ImportFileError: it is none.
    """
    if left in NAMED:
        return Meaning(field=NAMED[left])
    found = meanings(left) or meanings(left, ours=True)
    if not found or found[0].field in _NOT_TO_GIVE:
        raise ImportFileError(
            f"{option}: {shown(left)!r} is not a field of a record; give one {_EXAMPLE}, "
            f"{AXIS}=COLUMN or {IGNORE}=COLUMN"
        )
    return found[0]


NAMED = {"device": "device_name", "target": "device"}
"""A table's device is a machine; where on it a model ran is `target`."""
_NOT_TO_GIVE = frozenset({"workload", "origin", "run_id", "cause_codes", "pending"})
