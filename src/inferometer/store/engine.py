"""A SQLite file as a database: opening, locking, versions, and errors in words.

All that is particular to SQLite is in this file; another database would stand beside it. Why it is
done so is in docs/decisions/003-store.md.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from inferometer.core.errors import StoreError
from inferometer.store import migrations

APPLICATION_ID = int.from_bytes(b"infm", "big")
"""Marks our files in the header of the database."""

BUSY_TIMEOUT_S = 30.0
"""How long to wait for another process that writes."""

_WRITES = "inferometer_writes"
_PROBES = 3

_IN_WORDS = (
    ("locked", "{path}: another program is writing to it and has not let go; stop it, or wait"),
    ("is full", "{path}: no space is left for it; make room. What it held before is kept"),
    ("readonly", "{path}: it, or its folder, may not be written to"),
    ("malformed", "{path}: the file is damaged ({error}); use a copy of it, or another --store"),
    ("not a database", "{path}: not a results database; give another file with --store"),
    ("unable to open", "{path}: it cannot be opened; check that it and its folder may be used"),
    ("disk i/o", "{path}: the disk reports an error ({error}). What it held before is kept"),
    ("foreign key", "{path}: it holds no such run"),
    ("unique", "{path}: stored before, and raw data are never replaced ({error})"),
)


@dataclass(frozen=True, kw_only=True)
class Database:
    """An open database.

    Attributes:
        path: the file, as it was given.
        engine: its connections.
    """

    path: Path
    engine: sa.Engine

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the database and changes nothing.

        Raises:
            StoreError: it cannot be read.
        """
        with explained(self.path), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is alone in writing; what it did is on the disk when it ends.

        Raises:
            StoreError: it cannot be written. Nothing of the transaction was kept.
        """
        with (
            explained(self.path),
            self.engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(path: Path, *, create: bool) -> Database:
    """Open a file, and bring it to this version.

    Raises:
        StoreError: see `inferometer.store.open_store`.
    """
    file = path.resolve()
    _check_place(path, file, create=create)
    writable = _is_writable(file)
    with explained(path):
        _check_content(path, file, thorough=create and writable)
        uri = _uri(file, "mode=rwc" if create else "mode=rw") if writable else _quiet_uri(file)
        engine = sa.create_engine(
            "sqlite+pysqlite://",
            creator=partial(_connect, uri),
            poolclass=sa.QueuePool,
            json_serializer=partial(json.dumps, separators=(",", ":"), allow_nan=False),
        )
        sa.event.listen(engine, "begin", _begin)
        database = Database(path=path, engine=engine)
        try:
            if writable:
                _use_write_ahead_log(engine)
            _upgrade(database)
        except BaseException:
            database.close()
            raise
    return database


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of the database into sentences.

    Raises:
        StoreError: instead of an error of the database.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _in_words(path, str(error.orig)) from error
    except sqlite3.Error as error:
        raise _in_words(path, str(error)) from error


def _in_words(path: Path, error: str) -> StoreError:
    for sign, sentence in _IN_WORDS:
        if sign in error.lower():
            return StoreError(sentence.format(path=path, error=error))
    return StoreError(f"{path}: the database answers: {error}")


def _check_place(path: Path, file: Path, *, create: bool) -> None:
    """Say what is wrong with the path before SQLite says it less clearly."""
    try:
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not create:
            raise StoreError(
                f"{path}: no such results database; measure with `inferometer run` first, "
                "or say where it is with --store"
            ) from None
        if not file.parent.is_dir():
            raise StoreError(f"{path}: there is no folder {path.parent}; create it") from None
        if not os.access(file.parent, os.W_OK):
            raise StoreError(f"{path}: the folder {path.parent} may not be written to") from None
        return
    except OSError as error:
        raise StoreError(f"{path}: it cannot be reached: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        raise StoreError(f"{path}: {kind}; a results database is a file")
    if not os.access(file, os.R_OK):
        raise StoreError(f"{path}: you may not read it")


def _is_writable(file: Path) -> bool:
    """Whether the file may be written: SQLite needs its folder too, for its log."""
    return os.access(file.parent, os.W_OK) and (not file.exists() or os.access(file, os.W_OK))


def _check_content(path: Path, file: Path, *, thorough: bool) -> None:
    """Make sure that the file is ours and whole before anything may write to it."""
    if not file.exists() or file.stat().st_size == 0:
        return
    version = _probe(path, file)
    if version > len(migrations.MIGRATIONS):
        raise _newer(path, version)
    if thorough:
        with closing(_connect(_uri(file, "mode=ro"))) as connection:
            (problem,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if problem != "ok":
            raise _in_words(path, f"malformed: {' '.join(str(problem).split())}")


def _probe(path: Path, file: Path) -> int:
    """The schema version of one of our files; 0 for one in which nothing was created yet.

    Reading without locks may meet a file that another process is just writing, and find it
    damaged; a file that is damaged still is so at the next look.
    """
    for attempt in range(_PROBES):
        try:
            with closing(_connect(_quiet_uri(file))) as connection:
                (application,) = connection.execute("PRAGMA application_id").fetchone()
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            break
        except sqlite3.DatabaseError:
            if attempt == _PROBES - 1:
                raise
            time.sleep(0.01)
    untouched = application == 0 and version == 0 and objects == 0
    if application != APPLICATION_ID and not untouched:
        raise StoreError(f"{path}: a database of another program; give another file with --store")
    return int(version)


def _quiet_uri(file: Path) -> str:
    """Read the file and leave nothing beside it, unless somebody has it open or left a log.

    Without a log nobody has the file open, and its bytes are all there is. That also lets it be
    read in a folder, or on a medium, that may not be written to.
    """
    log, index = (file.with_name(file.name + suffix) for suffix in ("-wal", "-shm"))
    in_use = index.exists() or (log.exists() and log.stat().st_size > 0)
    return _uri(file, "mode=ro" if in_use else "mode=ro&immutable=1")


def _uri(file: Path, query: str) -> str:
    return f"file:{quote(os.fsencode(file))}?{query}"


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        # SQLAlchemy says when a transaction begins (see `_begin`), the driver must not.
        isolation_level=None,
        # The pool gives a connection to one thread at a time.
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


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


def _upgrade(database: Database) -> None:
    """Apply the steps that a file lacks, all or none; a second process waits, and finds it done."""
    wanted = len(migrations.MIGRATIONS)
    with database.reading() as connection:
        if _version(connection) == wanted:
            return
    with database.writing() as connection:
        version = _version(connection)
        if version > wanted:
            raise _newer(database.path, version)
        for step in migrations.MIGRATIONS[version:]:
            step(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {wanted}")


def _version(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _newer(path: Path, version: int) -> StoreError:
    return StoreError(
        f"{path}: written by a newer inferometer (its format is {version}, this one reads "
        f"{len(migrations.MIGRATIONS)}); upgrade with pip install --upgrade inferometer"
    )
