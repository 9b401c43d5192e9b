"""Errors of SQLite → sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown

DAMAGED = (
    "{path}: the file is damaged ({error}); `inferometer check-store` says what of it is whole; "
    "use a copy of it, or another --store"
)
_IN_WORDS = (
    ("locked", "{path}: another program is writing to it and has not let go; stop it, or wait"),
    ("is full", "{path}: no space is left for it; make room. What it held before is kept"),
    ("readonly", "{path}: it, or its folder, may not be written to"),
    ("malformed", DAMAGED),
    ("interrupted", DAMAGED.replace("{error}", "what it holds has no end")),
    ("too big", DAMAGED),
    ("not a database", "{path}: not a results database; give another file with --store"),
    ("unable to open", "{path}: it cannot be opened; check that it and its folder may be used"),
    ("disk i/o", "{path}: the disk reports an error ({error}). What it held before is kept"),
    ("foreign key", "{path}: it holds no such run"),
    ("unique", "{path}: stored before, and raw data are never replaced ({error})"),
)
ERRORS = (sa.exc.DBAPIError, sqlite3.Error, UnicodeDecodeError)
"""What the database raises; the last where it quotes the file in a message of its own."""

_OF_THE_MOMENT = ("locked", "busy", "is full", "readonly", "unable to open", "disk i/o")
"""Errors that say nothing of what the file holds."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of the database into sentences.

    Raises:
        StoreError: instead of an error of the database.
    """
    try:
        yield
    except ERRORS as error:
        raise in_words(path, error) from error


def in_words(path: Path, error: object) -> StoreError:
    """An error of the database, as a sentence about the file."""
    if isinstance(error, UnicodeDecodeError):
        error = "malformed: text that is not UTF-8"
    if isinstance(error, sa.exc.DBAPIError):
        error = error.orig or error  # without the statement
    said = shown(" ".join(str(error).split()))
    for sign, sentence in _IN_WORDS:
        if sign in said.lower():
            return StoreError(sentence.format(path=shown(path), error=said))
    return StoreError(f"{shown(path)}: the database answers: {said}")


def is_damage(error: BaseException) -> bool:
    """Whether an error of the database says that the file is damaged, not that it is in use."""
    said = str(error).lower()
    return not any(sign in said for sign in _OF_THE_MOMENT)
