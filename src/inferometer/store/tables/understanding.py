"""What the columns of a table mean: which field each fills, in which unit, and why one may say so.

Each column gets the meanings that its name allows; of these its cells leave some; of several
columns for a field the surest name is taken (`matching`). A unit comes from the name, from the
cells, or from what figures say of each other (`finding_units`). What is then open is asked for: a
refusal names the `--map` that one would guess, and `--map auto` takes it (`guessing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inferometer.core.record import Value
from inferometer.store.tables.asked import Asked
from inferometer.store.tables.draft import Column, Draft, is_export
from inferometer.store.tables.finding_units import find_units
from inferometer.store.tables.guessing import check_enough, find_model
from inferometer.store.tables.matching import take_known, take_named, take_statuses, take_told
from inferometer.store.tables.table import Table


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """What the columns of a table mean.

    Attributes:
        ours: whether it is an export of ours, of which nothing needs to be said.
        known: by field.
        constants: fields that have one value in all rows.
        statuses: columns that say how it went.
        axes: columns that the user made axes.
        unknown: names of those that mean nothing here, in the file's order.
        silent: names of columns that the user leaves out.
        notes: what was deduced or left out and why, in sentences.
        warnings: what contradicts itself, in sentences.
    """

    ours: bool
    known: Mapping[str, Column]
    constants: Mapping[str, Value] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def understand(table: Table, file: str, asked: Asked) -> Understanding:
    """Say what the columns of a table mean.

    Args:
        table: the table.
        file: its name, for messages.
        asked: what the user says.

    Raises:
        ImportFileError: two columns are the same, `model` or every figure is missing, or nothing
            tells a unit; the message says what one would guess.
    """
    constants = dict(asked.constants)
    ours = is_export(table.columns)
    draft = Draft(table=table, file=file, asked=asked, ours=ours, constants=constants)
    take_told(draft)  # each step takes of what those before it left
    take_known(draft)
    take_named(draft)
    if not ours:
        take_statuses(draft)
        find_units(draft)
        find_model(draft)
    check_enough(draft)
    return Understanding(
        ours=ours,
        known=draft.known,
        constants={name: value for name, value in constants.items() if name not in draft.known},
        statuses=tuple(draft.statuses),
        axes=tuple(draft.axes),
        unknown=tuple(draft.free),
        silent=tuple(draft.silent),
        notes=tuple(draft.notes),
        warnings=tuple(draft.warnings),
    )
