"""Keeps runs, records and raw observations in a database, and moves them in and out of files.

It does not know how anything is measured, analysed or shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferometer.store.damage import Tell
    from inferometer.store.database import Store

__all__ = ["Store", "open_store"]


def open_store(path: str | Path, *, create: bool = True, tell: Tell | None = None) -> Store:
    """Open a results database.

    Args:
        path: the file.
        create: make the file where there is none. A file that is there is then also checked from
            end to end, since whoever may create a store means to write into it. Without it,
            nothing is written before something is stored.
        tell: is given a sentence for each kind of row that is damaged and was passed over; by
            default, that is a warning of Python (`inferometer.store.damage.StoreWarning`).

    Raises:
        StoreError: the file cannot be opened, or is not a results database, or is damaged, or was
            written by a newer version. It was not changed.
    """
    # The database library is loaded here, so that `inferometer --help` does not wait for it.
    from inferometer.store.damage import warn
    from inferometer.store.database import Store
    from inferometer.store.engine import open_database

    return Store(open_database(Path(path), create=create), tell=tell or warn)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the signature that Python asks for
    """Load `Store` when it is first named."""
    if name == "Store":
        from inferometer.store.database import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
