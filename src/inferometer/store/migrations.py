"""How a database of an older version becomes one of this version, step by step.

Step n makes version n. A step that was released is never changed; a new one goes to the end.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from inferometer.store import schema


def create_tables(connection: Connection) -> None:
    """Version 1: the first tables.

    While there is one version, its tables are those of `schema.py`. The step that makes version 2
    comes with a frozen copy of them here; a test that pins the tables of version 1 sees to it.
    """
    schema.metadata.create_all(connection, checkfirst=False)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (create_tables,)
