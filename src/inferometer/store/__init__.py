"""Keeps runs, records and raw observations in a database, and moves them in and out of files.

It does not know how anything is measured, analysed or shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inferometer.store.address import Address, Place, place_from

if TYPE_CHECKING:
    from inferometer.store.damage import Tell
    from inferometer.store.database import Store

__all__ = ["Address", "Place", "Store", "open_store", "place_from"]


def open_store(path: str | Place, *, create: bool = True, tell: Tell | None = None) -> Store:
    """Open a results database.

    Args:
        path: the file; or the address of a database of PostgreSQL that several machines share,
            `postgresql://USER@HOST/DATABASE`.
        create: make the store where there is none. A file that is there is then also checked from
            end to end, since whoever may create a store means to write into it. Without it,
            nothing is written before something is stored.
        tell: is given a sentence for each kind of row that is damaged and was passed over; by
            default, that is a warning of Python (`inferometer.store.damage.StoreWarning`).

    Raises:
        StoreError: the file or server cannot be opened, or is not a results database, or is
            damaged, or was written by a newer version. It was not changed.
        MissingExtraError: it is on a server, and psycopg is not installed.
    """
    # The database library is loaded here, so that `inferometer --help` does not wait for it.
    from inferometer.store.damage import warn
    from inferometer.store.database import Store

    place = place_from(path)
    if isinstance(place, Address):
        from inferometer.store.postgres.engine import open_database as open_server

        return Store(open_server(place, create=create), tell=tell or warn)
    from inferometer.store.sqlite.engine import open_database

    return Store(open_database(place, create=create), tell=tell or warn)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the signature that Python asks for
    """Load `Store` when it is first named."""
    if name == "Store":
        from inferometer.store.database import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
