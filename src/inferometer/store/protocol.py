"""What a store asks of its database: a file of SQLite, or a PostgreSQL server.

All that is particular to either is in `sqlite/` and `postgres/`; tables and statements are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa

from inferometer.store.address import Place
from inferometer.store.damage import Damage

Row = Mapping[str, Any]
Where = Mapping[str, str | int]
NO_CONDITION: Where = {}


@dataclass(kw_only=True)
class Rows:
    """What could be read of a table.

    Attributes:
        found: its rows, in no order that matters.
        broken: why there may be others; None where there are none.
    """

    found: list[Row] = field(default_factory=list)
    broken: Damage | None = None

    @property
    def damages(self) -> list[Damage]:
        """That the table is broken, or nothing."""
        return [] if self.broken is None else [self.broken]


class Database(Protocol):
    """An open database. Each method raises `StoreError` where it cannot be read or written."""

    @property
    def place(self) -> Place:
        """Where it is, as it was given; in messages without a password."""

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that sees one state of the database and changes nothing."""

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that is alone in writing; what it did is on the disk when it ends.

        Where it raises, nothing of it was kept.
        """

    def read(
        self,
        connection: sa.Connection,
        table: sa.Table,
        where: Where = NO_CONDITION,
        *,
        only: tuple[str, ...] = (),
    ) -> Rows:
        """Rows of a table, as they stand there: JSON is text, and nothing is believed.

        Args:
            connection: to the database.
            table: the table to read.
            where: columns and the values that they must have.
            only: names of the columns to read; all by default.
        """

    def counted(
        self, connection: sa.Connection, columns: tuple[sa.Column[Any], ...], where: Where
    ) -> list[tuple[Any, ...]] | None:
        """How often each combination of values of columns of one table occurs.

        Returns:
            The values with their count after them; None where only reading row by row can tell.
        """

    def keep(self, run_id: str) -> bool:
        """Keep a run from processes of other machines until it is let go or this process ends.

        Returns:
            Whether it is kept now; not where another process keeps it. Where no other machine can
            reach the database, there is nothing to keep.
        """

    def let_go(self, run_id: str) -> None:
        """Give up a run that was kept."""

    def close(self) -> None:
        """Close every connection."""
