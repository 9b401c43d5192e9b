"""A schema of a PostgreSQL database as a store: connections, locks and versions.

Why it is done so is in docs/decisions/027-postgresql.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import TextLoader

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown
from inferometer.store import migrations, schema
from inferometer.store.address import Address
from inferometer.store.postgres.explained import RIGHTS, explained, unreadable
from inferometer.store.postgres.keeping import Keeper
from inferometer.store.protocol import NO_CONDITION, Row, Rows, Where

SCHEMA = "inferometer"
WAIT_S = 30
"""How long to wait for another process that writes."""
_DEFAULTS = {
    "application_name": "inferometer",
    "connect_timeout": "10",
    # A machine that is gone is noticed within a minute or two, in both directions.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""Parameters of libpq that the address may replace."""
_WRITING = int.from_bytes(b"infm", "big")
"""The lock of whoever writes."""

_COLUMNS = sa.text(
    "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind = 'r' AND a.attnum > 0 "
    "AND NOT a.attisdropped"
)
_ACCESS = sa.text(
    "SELECT current_setting('server_encoding'), "
    "coalesce(has_schema_privilege(to_regnamespace(:schema)::oid, 'USAGE'), true)"
)
_FORMAT = sa.Table("format", sa.MetaData(), sa.Column("version", sa.Integer, nullable=False))

Columns = frozenset[tuple[str, str]]
"""Tables of the schema and their columns."""


@dataclass(kw_only=True)
class PostgresDatabase:
    """An open schema: see `store.protocol.Database`.

    Attributes:
        place: its address.
        engine: its connections.
        keeper: keeps runs from processes of other machines.
        columns: those that it has; a store of an older version lacks some.
        prepared: whether it was brought to this version.
    """

    place: Address
    engine: sa.Engine
    keeper: Keeper
    columns: Columns = field(default=frozenset())
    prepared: bool = False

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        snapshot = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        with explained(self.place), snapshot.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is alone in writing; the server has what it did when it ends."""
        if not self.prepared:
            self.prepare()
        with explained(self.place):
            self.keeper.renew()
            with self._alone() as connection:
                yield connection

    def read(
        self,
        connection: sa.Connection,
        table: sa.Table,
        where: Where = NO_CONDITION,
        *,
        only: tuple[str, ...] = (),
    ) -> Rows:
        """Rows of a table, as they stand there."""
        if not any(name == table.name for name, _ in self.columns):
            return Rows()  # of an older version
        columns = [
            (sa.type_coerce(c, sa.types.NullType()) if self._has(c) else sa.null()).label(c.name)
            for c in table.c
            if not only or c.name in only
        ]
        same = [table.c[name] == value for name, value in where.items()]
        found = connection.execute(sa.select(*columns).select_from(table).where(*same))
        rows: list[Row] = [dict(row) for row in found.mappings()]
        return Rows(found=rows)

    def counted(
        self, connection: sa.Connection, columns: tuple[sa.Column[Any], ...], where: Where
    ) -> list[tuple[Any, ...]] | None:
        """How often each combination of values occurs."""
        table = columns[0].table
        same = [table.c[name] == value for name, value in where.items()]
        statement = sa.select(*columns, sa.func.count()).where(*same).group_by(*columns)
        return [tuple(row) for row in connection.execute(statement)]

    def keep(self, run_id: str) -> bool:
        """Keep a run from processes of other machines, while this one is connected."""
        with explained(self.place):
            return self.keeper.keep(run_id)

    def let_go(self, run_id: str) -> None:
        """Give up a run that was kept."""
        with explained(self.place):
            self.keeper.let_go(run_id)

    def close(self) -> None:
        """Close every connection."""
        self.keeper.close()
        self.engine.dispose()

    def look(self, *, create: bool) -> None:
        """See what is there, and change nothing.

        Raises:
            StoreError: it is no store, or one of a newer version, or there is none and none may be
                made.
        """
        with self.reading() as connection:
            encoding, is_open = connection.execute(_ACCESS, {"schema": SCHEMA}).one()
            if encoding != "UTF8":
                raise self._refused(f"its encoding is {encoding}; make one with createdb -E UTF8")
            if not is_open:
                raise self._refused(f"the server grants no right to its schema {SCHEMA}{RIGHTS}")
            self.columns = _columns(connection)
            version = _version(connection, self.columns)
        if version is None and self.columns:
            raise self._refused(f"its schema {SCHEMA} is of another program; give another database")
        if version is None and not create:
            raise self._refused(
                "no results database yet; measure with `inferometer run` first, or say where it "
                "is with --store"
            )
        if version is not None and version > len(migrations.MIGRATIONS):
            raise self._newer(version)

    def prepare(self) -> None:
        """Make the tables, or bring them to this version; of two processes the second waits."""
        wanted = len(migrations.MIGRATIONS)
        with self.reading() as connection:
            self.columns = _columns(connection)
            is_ready = _version(connection, self.columns) == wanted
        if not is_ready:
            with explained(self.place), self._alone() as connection:
                self._upgrade(connection, wanted)
                self.columns = _columns(connection)
        self.prepared = True

    def _upgrade(self, connection: sa.Connection, wanted: int) -> None:
        version = _version(connection, _columns(connection))
        if version is not None and version > wanted:
            raise self._newer(version)
        if version is None:
            _create(connection)
        for step in migrations.MIGRATIONS[wanted if version is None else version :]:
            step(connection)
        connection.execute(_FORMAT.update().values(version=wanted))

    @contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        with self.engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITING)))
            yield connection

    def _has(self, column: sa.Column[Any]) -> bool:
        return (column.table.name, column.name) in self.columns

    def _refused(self, why: str) -> StoreError:
        return StoreError(f"{shown(self.place)}: {why}")

    def _newer(self, version: int) -> StoreError:
        return self._refused(
            f"written by a newer inferometer (its format is {version}, this one reads "
            f"{len(migrations.MIGRATIONS)}); upgrade with pip install --upgrade inferometer"
        )


def open_database(address: Address, *, create: bool) -> PostgresDatabase:
    """Open a store on a server; where it may be created, bring it to this version.

    Raises:
        StoreError: see `inferometer.store.open_store`.
    """
    if not address.is_clear:
        raise unreadable(address)
    try:
        given = conninfo_to_dict(address.url)
    except (psycopg.ProgrammingError, UnicodeError):
        raise unreadable(address) from None
    connect = partial(_connect, {**_DEFAULTS, **given, "client_encoding": "UTF8"})
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_pre_ping=True,
        json_serializer=partial(json.dumps, separators=(",", ":"), allow_nan=False),
    )
    database = PostgresDatabase(place=address, engine=engine, keeper=Keeper(address, connect))
    try:
        database.look(create=create)
        if create:
            database.prepare()
    except BaseException:
        database.close()
        raise
    return database


def _connect(parameters: dict[str, Any]) -> psycopg.Connection[Any]:
    """A connection that is ours: JSON comes as the text that it is, and nothing waits for ever."""
    connection = psycopg.connect(**parameters, autocommit=True)
    connection.adapters.register_loader("json", TextLoader)
    try:
        connection.execute(
            f"SET search_path = {SCHEMA}; SET lock_timeout = {round(WAIT_S * 1000)}; "
            "SET idle_in_transaction_session_timeout = '5min'".encode()
        )
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection


def _columns(connection: sa.Connection) -> Columns:
    found = connection.execute(_COLUMNS, {"schema": SCHEMA})
    return frozenset((str(table), str(column)) for table, column in found)


def _version(connection: sa.Connection, columns: Columns) -> int | None:
    """The version of the store; None where there is none."""
    if (_FORMAT.name, "version") not in columns:
        return None
    return int(connection.execute(sa.select(_FORMAT.c.version)).scalar_one())


def _create(connection: sa.Connection) -> None:
    """The tables as `schema` has them now."""
    present = sa.select(sa.func.to_regnamespace(SCHEMA))
    if connection.execute(present).scalar_one() is None:
        connection.execute(sa.schema.CreateSchema(SCHEMA))
    schema.metadata.create_all(connection, checkfirst=False)
    _FORMAT.create(connection, checkfirst=False)
    connection.execute(_FORMAT.insert().values(version=len(migrations.MIGRATIONS)))
