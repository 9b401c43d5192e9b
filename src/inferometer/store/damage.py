"""What is damaged in a database, and how somebody is told of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown
from inferometer.store.address import Place

Tell = Callable[[str], None]
"""Passes a sentence on to whoever reads."""

WAY_OUT = "`inferometer check-store` lists what is damaged"


class StoreWarning(UserWarning, StoreError):  # noqa: N818 - what Python calls a warning
    """A part of a results database is damaged and was passed over.

    Whoever makes Python raise its warnings gets an error of ours.
    """


def warn(sentence: str) -> None:
    """Tell it as a warning of Python."""
    warnings.warn(sentence, StoreWarning, stacklevel=2)


@dataclass(frozen=True, kw_only=True)
class Damage:
    """Something that cannot be read.

    Attributes:
        table: where it is.
        place: which row, for people; empty where the table as such is meant.
        problem: what is wrong with it, in the middle of a sentence.
    """

    table: str
    place: str
    problem: str

    @property
    def sentence(self) -> str:
        """Place and problem."""
        return ": ".join(shown(part) for part in (self.place, self.problem) if part)


class Damages:
    """Gathers what is damaged, and tells each thing once.

    Args:
        place: of the database, for messages.
        tell: is given a sentence for all that is new in a table.
    """

    def __init__(self, place: Place, tell: Tell) -> None:
        self._place = place
        self._tell = tell
        self._known: dict[Damage, None] = {}

    @property
    def known(self) -> tuple[Damage, ...]:
        """All that was met so far."""
        return tuple(self._known)

    def add(self, found: Iterable[Damage]) -> None:
        """Tell what is new, all of a table in one sentence."""
        new = [one for one in dict.fromkeys(found) if one not in self._known]
        self._known.update(dict.fromkeys(new))
        for table in dict.fromkeys(one.table for one in new):
            rows = [one for one in new if one.table == table and one.place]
            for one in new:
                if one.table == table and not one.place:
                    self._tell(self._of_table(one))
            if rows:
                self._tell(self._of_rows(rows))

    def replaced(self, place: str) -> None:
        """Tell that a damaged row has given way to a new one."""
        self._tell(f"{shown(self._place)}: {shown(place)} was damaged; a new one is in its place")

    def _of_table(self, one: Damage) -> str:
        return (
            f"{shown(self._place)}: the table {one.table} is damaged: {one.sentence}; what can be "
            f"read of it was, and {WAY_OUT}"
        )

    def _of_rows(self, rows: list[Damage]) -> str:
        first = rows[0]
        what = f"{first.place} is damaged and was passed over ({shown(first.problem)})"
        if len(rows) > 1:
            what = (
                f"{len(rows):,} damaged rows of the table {first.table} were passed over, such as "
                f"{shown(first.place)} ({shown(first.problem)})"
            )
        return f"{shown(self._place)}: {what}; {WAY_OUT}"
