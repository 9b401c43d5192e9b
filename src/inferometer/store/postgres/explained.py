"""Errors of PostgreSQL → sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown
from inferometer.store.address import FORM, Address

ERRORS = (sa.exc.DBAPIError, psycopg.Error, UnicodeEncodeError)
"""What the database and its driver raise; the last where text is halves of characters."""

RIGHTS = "; ask who runs it (in the documentation: A shared store)"
_NO_RIGHT = "{name}: the server grants no right to do this ({said})" + RIGHTS
_BY_STATE = {
    "23503": "{name}: it holds no such run",
    "23505": "{name}: stored before, and raw data are never replaced ({said})",
    "25006": "{name}: it may not be written to: the server, or this user, can only read",
    "42501": _NO_RIGHT,
    "53100": "{name}: the server has no space left. What it held before is kept",
    "55P03": "{name}: another program is writing to it and has not let go; stop it, or wait",
    "22P05": "{name}: its encoding is not UTF-8, and cannot hold a name in this run",
}
_BY_SIGN = (
    ("password", "{name}: the server refuses the user or the password ({said}); see PGPASSWORD"),
    ("pg_hba.conf", "{name}: the server lets nobody in from here this way ({said})"),
    ("role ", "{name}: the server knows no such user ({said})"),
    ("database ", "{name}: there is no such database ({said}); make it with createdb"),
    ("nul (0x00)", "{name}: a name in this run holds the character NUL, which PostgreSQL cannot"),
    ("surrogates", "{name}: a name in this run is no text, which PostgreSQL cannot hold"),
    ("permission denied", _NO_RIGHT),
)


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """Turn errors of the database into sentences.

    Raises:
        StoreError: instead of an error of the database.
    """
    try:
        yield
    except ERRORS as error:
        raise in_words(address, error) from error


def in_words(address: Address, error: Exception) -> StoreError:
    """An error of the database, as a sentence about the store."""
    if isinstance(error, sa.exc.DBAPIError) and isinstance(error.orig, Exception):
        error = error.orig  # without the statement and what it was given
    said, name = _said(error), shown(address)
    template = _BY_STATE.get(getattr(error, "sqlstate", None) or "")
    for sign, sentence in _BY_SIGN:
        if template is None and sign in said.lower():
            template = sentence
    if template is None and isinstance(error, psycopg.OperationalError):
        template = (
            "{name}: the server cannot be reached ({said}); check the address, and that it runs"
        )
    return StoreError(
        (template or "{name}: the server answers: {said}").format(name=name, said=said)
    )


def unreadable(address: Address) -> StoreError:
    """That an address is none; its words may hold a password and are not repeated."""
    return StoreError(
        f"{shown(address)}: this address cannot be read; write it as {FORM}, with other signs in "
        "a name or password as %40 for @, and parameters that libpq knows"
    )


def _said(error: Exception) -> str:
    """What the server said first; details may hold what was to be stored."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return shown(error.diag.message_primary)
    return shown(" ".join(str(error).split()))
