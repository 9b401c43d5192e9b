"""Rows of a table, as they stand in the file: nothing is believed of them, and none hides others.

Cells come as they are, without the types of the schema: text may stand where a number should. Where
pages of a table are damaged, it is read from both its ends, up to the damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from inferometer.store.damage import Damage
from inferometer.store.protocol import NO_CONDITION, Row, Rows, Where
from inferometer.store.sqlite.explained import ERRORS, is_damage
from inferometer.store.sqlite.guard import Layout, size_of

_ROW = "_rowid_"
_SLACK = 1 << 20
_SIZED = (str, bytes)


class _EndlessError(Exception):
    """More was read than the file holds."""


def read(
    file: Path,
    layout: Layout,
    connection: sa.Connection,
    table: sa.Table,
    where: Where = NO_CONDITION,
    *,
    only: tuple[str, ...] = (),
) -> Rows:
    """Rows of a table.

    Args:
        file: the database.
        layout: its tables, as they are.
        connection: to it.
        table: the table to read.
        where: columns and the values that they must have.
        only: names of the columns to read; all by default.

    Raises:
        StoreError: the file is in use, or the disk reports an error.
    """
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
        rows.found += _each(file, connection, sa.select(*columns).where(*same))
    except (*ERRORS, _EndlessError) as error:
        if not isinstance(error, _EndlessError) and not is_damage(error):
            raise
        return _from_both_ends(file, connection, table, columns, where)
    return rows


def counted(
    layout: Layout, connection: sa.Connection, columns: tuple[sa.Column[Any], ...], where: Where
) -> list[tuple[Any, ...]] | None:
    """How often each combination of values occurs; None where that cannot be told at once.

    Args:
        layout: the tables of the file, as they are.
        connection: to it.
        columns: of one table.
        where: columns of that table and the values that they must have.
    """
    table = columns[0].table
    if not all(map(layout.has, columns)):
        return None
    same = [table.c[name] == value for name, value in where.items()]
    raw = [sa.type_coerce(column, sa.types.NullType()) for column in columns]
    statement = sa.select(*raw, sa.func.count()).where(*same).group_by(*columns)
    try:
        return [tuple(row) for row in connection.execute(statement)]
    except ERRORS as error:
        if not is_damage(error):
            raise
        return None


def _each(file: Path, connection: sa.Connection, statement: sa.Executable) -> Iterator[Row]:
    """Row by row, so that those before a damaged page are not lost with it."""
    left = 2 * size_of(file) + _SLACK
    result = connection.execute(statement)
    try:
        while (row := result.fetchone()) is not None:
            left -= sum([len(cell) if isinstance(cell, _SIZED) else 1 for cell in row])
            if left < 0:
                raise _EndlessError
            yield dict(row._mapping)  # noqa: SLF001 - the name is public in spite of it
    finally:
        result.close()


def _from_both_ends(
    file: Path,
    connection: sa.Connection,
    table: sa.Table,
    columns: list[Any],
    where: Where,
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
            for row in _each(file, connection, statement.order_by(order)):
                if row[_ROW] in seen:
                    break
                seen.add(row[_ROW])
                rows.found.append(row)
        except (*ERRORS, _EndlessError) as error:
            if not isinstance(error, _EndlessError) and not is_damage(error):
                raise
    rows.broken = Damage(table=table.name, place="", problem="some of its pages cannot be read")
    return rows
