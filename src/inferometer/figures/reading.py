"""Records out of a store with the figures of the joint fit; rounds are read only where needed.

Rounds are most of a store. Where a run was fitted when it ended, its records say all that tables
and comparisons of it show.
"""

from __future__ import annotations

from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.figures.joint import completed, has_joint, is_beyond_fit, joined_across
from inferometer.store import Store


def records_of(store: Store, run: Run) -> list[Record]:
    """Records of a run; with their rounds where no joint fit was stored, and one can be made."""
    records = store.records(run.id)
    if any(map(has_joint, records)) or is_beyond_fit(run, records):
        return records
    return completed(run, store.records(run.id, with_rounds=True))


def records_across(store: Store, one: Run, other: Run) -> tuple[list[Record], list[Record]]:
    """Records of two runs, read together where they may share a device and an hour."""
    if one.device_name != other.device_name:
        return records_of(store, one), records_of(store, other)
    sides = ((run, store.records(run.id, with_rounds=True)) for run in (one, other))
    return joined_across(*sides)
