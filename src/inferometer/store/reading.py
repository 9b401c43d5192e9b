"""Rows of a table, as they stand in the file: nothing is believed of them, and none hides others.

Cells come as they are, without the types of the schema: text may stand where a number should. Where
pages of a table are damaged, it is read from both its ends, up to the damage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from inferometer.store.damage import Damage
from inferometer.store.engine import Database
from inferometer.store.explained import ERRORS, is_damage

Row = Mapping[str, Any]
NO_CONDITION: Mapping[str, str] = {}
_ROW = "_rowid_"
_SLACK = 1 << 20


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


class _EndlessError(Exception):
    """More was read than the file holds."""


def read(
    database: Database,
    connection: sa.Connection,
    table: sa.Table,
    where: Mapping[str, str] = NO_CONDITION,
    *,
    only: tuple[str, ...] = (),
) -> Rows:
    """Rows of a table.

    Args:
        database: the open file.
        connection: to it.
        table: the table to read.
        where: columns and the values that they must have.
        only: names of the columns to read; all by default.

    Raises:
        StoreError: the file is in use, or the disk reports an error.
    """
    layout = database.layout
    problem = layout.problems.get(table.name)
    if problem:
        return Rows(broken=Damage(table=table.name, place="", problem=problem))
    if table.name not in layout.columns:
        return Rows()  # nothing was created in the file yet
    columns = [
        (sa.type_coerce(c, sa.types.NullType()) if layout.has(c) else sa.null()).label(c.name)
        for c in table.c
        if not only or c.name in only
    ]
    same = [table.c[name] == value for name, value in where.items()]
    rows = Rows()
    try:
        rows.found += _each(database, connection, sa.select(*columns).where(*same))
    except (*ERRORS, _EndlessError) as error:
        if not isinstance(error, _EndlessError) and not is_damage(error):
            raise
        return _from_both_ends(database, connection, table, columns, where)
    return rows


def _each(database: Database, connection: sa.Connection, statement: sa.Executable) -> Iterator[Row]:
    """Row by row, so that those before a damaged page are not lost with it."""
    left = 2 * database.size() + _SLACK
    result = connection.execute(statement)
    try:
        while (row := result.fetchone()) is not None:
            left -= sum(len(cell) if isinstance(cell, str | bytes) else 1 for cell in row)
            if left < 0:
                raise _EndlessError
            yield dict(row._mapping)  # noqa: SLF001 - the name is public in spite of it
    finally:
        result.close()


def _from_both_ends(
    database: Database,
    connection: sa.Connection,
    table: sa.Table,
    columns: list[Any],
    where: Mapping[str, str],
) -> Rows:
    """The rows before the first damaged page and those after the last, without any index."""
    number: sa.ColumnClause[Any] = sa.literal_column(_ROW)
    # A function of the column, so that no index is used: it may be what is damaged.
    same = [sa.func.coalesce(table.c[name], "") == value for name, value in where.items()]
    statement = sa.select(*columns, number.label(_ROW)).select_from(table).where(*same)
    rows = Rows()
    seen: set[object] = set()
    for order in (number.asc(), number.desc()):
        try:
            for row in _each(database, connection, statement.order_by(order)):
                if row[_ROW] in seen:
                    break
                seen.add(row[_ROW])
                rows.found.append(row)
        except (*ERRORS, _EndlessError) as error:
            if not isinstance(error, _EndlessError) and not is_damage(error):
                raise
    rows.broken = Damage(table=table.name, place="", problem="some of its pages cannot be read")
    return rows
