"""Addresses of stores on a server: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.

Imports nothing that takes time: the command line reads addresses before it does anything.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from inferometer.core.errors import StoreError

SCHEMES = ("postgresql", "postgres")
"""What libpq accepts."""
FORM = "postgresql://USER@HOST:PORT/DATABASE"

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_PARTS = re.compile(r"(?:([^:/?@]*)(?::[^/?@]*)?(@))?([^/?@]*(?:/[^?@]*)?)(?:\?([^@]*))?")
"""User, @, hosts with the database, parameters. A password between user and @ is not kept."""
_SECRET = re.compile(r"pass|secret|token", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """A database on a server.

    As text it is without its password, so that no message, log or command to copy holds that.

    Attributes:
        url: the whole of it, for libpq alone.
    """

    url: str = field(repr=False)

    @property
    def is_clear(self) -> bool:
        """Whether it can be told where its password ends.

        Where not, what libpq takes for the host may be a part of the password, and its messages
        would show that.
        """
        return _PARTS.fullmatch(self.url.partition("://")[2]) is not None

    def __str__(self) -> str:
        """The address without what is secret."""
        scheme, _, rest = self.url.partition("://")
        parts = _PARTS.fullmatch(rest)
        if parts is None:
            return f"{scheme}://…"
        user, at, base, query = (part or "" for part in parts.groups())
        kept = "&".join(one for one in query.split("&") if not _is_secret(one))
        return f"{scheme}://{user}{at}{base}{'?' if kept else ''}{kept}"


Place: TypeAlias = Path | Address
"""Where a store is: a file, or a database on a server."""

DEFAULT_STORE = "inferometer.db"
STORE_VARIABLE = "INFEROMETER_STORE"
"""What the environment may call the store of every command by."""


def store_flag(place: Place) -> str:
    """` --store PLACE`, for the end of a command to copy; empty for the store of every command."""
    is_usual = str(place) == os.environ.get(STORE_VARIABLE, DEFAULT_STORE)
    return "" if is_usual else f" --store {shlex.quote(str(place))}"


def place_from(text: str | Path | Address) -> Place:
    """A file, or an address where text is written like one.

    Raises:
        StoreError: it is an address of what no store can be on.
    """
    if not isinstance(text, str):
        return text
    found = _URL.fullmatch(text)
    if found is None:
        return Path(text)
    if found[1].lower() not in SCHEMES:
        raise StoreError(f"{found[1]}://…: a store is a file, or a database of PostgreSQL: {FORM}")
    return Address(text)


def _is_secret(parameter: str) -> bool:
    return bool(_SECRET.search(unquote(parameter.partition("=")[0])))
