"""A SQLite file as a database: opening, locking, versions, and errors in words.

Why it is done so is in docs/decisions/003-store.md.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown
from inferometer.store import migrations
from inferometer.store.protocol import NO_CONDITION, Rows, Where
from inferometer.store.sqlite.explained import ERRORS, explained, in_words
from inferometer.store.sqlite.guard import Layout, harden, layout_of, limit_steps
from inferometer.store.sqlite.place import is_writable, place_of
from inferometer.store.sqlite.reading import counted, read

APPLICATION_ID = int.from_bytes(b"infm", "big")
"""Marks our files in the header of the database."""

BUSY_TIMEOUT_S = 30.0
"""How long to wait for another process that writes."""

_WRITES = "inferometer_writes"
_PROBES = 3

EMPTY = Layout(columns={}, problems={})
"""Of a file in which nothing was created yet."""


@dataclass(kw_only=True)
class SqliteDatabase:
    """An open file: see `store.protocol.Database`.

    Attributes:
        place: the file, as it was given.
        file: the file, with links followed.
        engine: its connections.
        layout: its tables, as they are.
        prepared: whether it was made sure that it may be written.
    """

    place: Path
    file: Path
    engine: sa.Engine
    layout: Layout
    prepared: bool = False

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the database and changes nothing.

        Raises:
            StoreError: it cannot be read.
        """
        with explained(self.place), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is alone in writing; what it did is on the disk when it ends.

        Raises:
            StoreError: it cannot be written. Nothing of the transaction was kept.
        """
        with explained(self.place):
            if not self.prepared:
                self._prepare()
            with (
                self.engine.connect().execution_options(**{_WRITES: True}) as connection,
                connection.begin(),
            ):
                yield connection

    def read(
        self,
        connection: sa.Connection,
        table: sa.Table,
        where: Where = NO_CONDITION,
        *,
        only: tuple[str, ...] = (),
    ) -> Rows:
        """Rows of a table, as far as the file is whole."""
        return read(self.file, self.layout, connection, table, where, only=only)

    def counted(
        self, connection: sa.Connection, columns: tuple[sa.Column[Any], ...], where: Where
    ) -> list[tuple[Any, ...]] | None:
        """How often each combination of values occurs; None where that cannot be told at once."""
        return counted(self.layout, connection, columns, where)

    def keep(self, run_id: str) -> bool:  # noqa: ARG002 - what the protocol asks
        """Nothing: no other machine can open the file meanwhile."""
        return True

    def let_go(self, run_id: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _prepare(self) -> None:
        """Check the file from end to end, and bring it to this version, before it is written.

        Raises:
            StoreError: it is damaged, or something in it would run meanwhile. It was not changed.
        """
        if self.file.exists() and self.file.stat().st_size:
            with closing(connect(self.file, "mode=ro")) as connection:
                check_whole(self.place, connection)
        if problem := self.layout.why_not_written():
            raise in_words(self.place, f"malformed: {problem}")
        if is_writable(self.file):
            _use_write_ahead_log(self.engine)
        self.prepared = True
        try:
            _upgrade(self)
        except BaseException:
            self.prepared = False
            raise
        with closing(connect(self.file, quiet(self.file))) as connection:
            self.layout = layout_of(connection)


def open_database(path: Path, *, create: bool) -> SqliteDatabase:
    """Open a file; where it may be created, bring it to this version.

    Raises:
        StoreError: see `inferometer.store.open_store`.
    """
    file = place_of(path, create=create)
    with explained(path):
        layout, whole = _check_content(path, file)
        query = "mode=rwc" if create else "mode=rw"
        if not is_writable(file) or not (whole or create):
            # What must not be written to is not opened to be written either: SQLite would move
            # what stands in a log into the file, be it another file's log.
            query = quiet(file)
        engine = make_engine(file, query)
        sa.event.listen(engine, "begin", _begin)
        database = SqliteDatabase(place=path, file=file, engine=engine, layout=layout)
        try:
            if create and is_writable(file):
                database._prepare()  # noqa: SLF001 - it makes itself ready
            elif create:
                _upgrade(database)
        except BaseException:
            database.close()
            raise
    return database


def make_engine(file: Path, query: str) -> sa.Engine:
    """Connections to a file, in which no statement goes on for ever."""
    engine = sa.create_engine(
        "sqlite+pysqlite://",
        creator=partial(connect, file, query),
        poolclass=sa.QueuePool,
        json_serializer=partial(json.dumps, separators=(",", ":"), allow_nan=False),
    )
    sa.event.listen(engine, "before_cursor_execute", partial(_before_each, file))
    return engine


def check_whole(path: Path, connection: sqlite3.Connection) -> None:
    """Look at every page of a file.

    Raises:
        StoreError: it is damaged.
    """
    (problem,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if problem != "ok":
        raise in_words(path, f"malformed: {problem}")


def _check_content(path: Path, file: Path) -> tuple[Layout, bool]:
    """Make sure that the file is ours before anything may write to it.

    Returns:
        Its tables, and whether SQLite may be trusted to tidy up behind itself.
    """
    if not file.exists() or file.stat().st_size == 0:
        return EMPTY, True
    version, layout = probe(path, file)
    if version > len(migrations.MIGRATIONS):
        raise _newer(path, version)
    return layout, not _has_log(file) or _is_whole(path, file)


def _is_whole(path: Path, file: Path) -> bool:
    """Whether a file is whole together with the log that lies beside it."""
    try:
        with closing(connect(file, "mode=ro")) as connection:
            check_whole(path, connection)
    except (StoreError, *ERRORS):
        return False
    return True


def probe(path: Path, file: Path) -> tuple[int, Layout]:
    """The version of one of our files and its tables; 0 where nothing was created in it yet.

    Reading without locks may meet a file that another process is just writing, and find it
    damaged; a file that is damaged still is so at the next look.

    Raises:
        StoreError: it is not one of ours.
    """
    for attempt in range(_PROBES):
        try:
            with closing(connect(file, quiet(file))) as connection:
                (application,) = connection.execute("PRAGMA application_id").fetchone()
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                layout = layout_of(connection) if objects else EMPTY
            break
        except ERRORS:
            if attempt == _PROBES - 1:
                raise
            time.sleep(0.01)
    untouched = application == 0 and version == 0 and objects == 0
    if application != APPLICATION_ID and not untouched:
        raise StoreError(
            f"{shown(path)}: a database of another program; give another file with --store"
        )
    return int(version), layout


def quiet(file: Path) -> str:
    """Read the file and leave nothing beside it, unless somebody has it open or left a log.

    Without a log nobody has the file open, and its bytes are all there is. That also lets it be
    read in a folder, or on a medium, that may not be written to.
    """
    return "mode=ro" if _has_log(file) else "mode=ro&immutable=1"


def _has_log(file: Path) -> bool:
    log, index = (file.with_name(file.name + suffix) for suffix in ("-wal", "-shm"))
    return index.exists() or (log.exists() and log.stat().st_size > 0)


def connect(file: Path, query: str) -> sqlite3.Connection:
    """A connection to a file, in which nothing runs on for ever."""
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(file))}?{query}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        # SQLAlchemy says when a transaction begins (see `_begin`), the driver must not.
        isolation_level=None,
        # The pool gives a connection to one thread at a time.
        check_same_thread=False,
    )
    try:
        harden(connection, file)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _before_each(file: Path, connection: sa.Connection, *_: object) -> None:
    driver: Any = connection.connection.driver_connection
    limit_steps(driver, file)


def _begin(connection: sa.Connection) -> None:
    """A writer takes the lock at once: one that read first could not wait for it."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_write_ahead_log(engine: sa.Engine) -> None:
    """Readers then do not stop the writer, and a transaction costs one flush of the disk.

    Raises:
        StoreError: the file system cannot do it.
    """
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        mode = _patiently(lambda: cursor.execute("PRAGMA journal_mode").fetchone()[0])
        if mode != "wal":
            mode = _patiently(lambda: cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0])
    if mode != "wal":
        raise sqlite3.OperationalError("disk I/O error: no write-ahead log on this file system")


def _patiently(action: Callable[[], str]) -> str:
    """Changing the mode does not wait for a lock by itself."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _upgrade(database: SqliteDatabase) -> None:
    """Apply the steps that a file lacks, all or none; a second process waits, and finds it done."""
    wanted = len(migrations.MIGRATIONS)
    with database.reading() as connection:
        if _version(connection) == wanted:
            return
    with database.writing() as connection:
        version = _version(connection)
        if version > wanted:
            raise _newer(database.place, version)
        for step in migrations.MIGRATIONS[version:]:
            step(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {wanted}")


def _version(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _newer(path: Path, version: int) -> StoreError:
    return StoreError(
        f"{shown(path)}: written by a newer inferometer (its format is {version}, this one reads "
        f"{len(migrations.MIGRATIONS)}); upgrade with pip install --upgrade inferometer"
    )
