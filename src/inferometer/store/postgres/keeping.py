"""Runs that a process keeps from others of any machine: locks of a session, which end with it.

A lock is held by the server for a connection. It goes when the process ends, however it ends, and
when its machine does not answer any more; no clock is compared for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from inferometer.core.errors import StoreError
from inferometer.core.shown import shown
from inferometer.store.address import Address

_CLASS = int.from_bytes(b"run ", "big")
_HALF = 1 << 31


class Keeper:
    """Keeps runs by a connection of its own.

    Args:
        address: of the store, for messages.
        connect: makes a connection.
    """

    def __init__(self, address: Address, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._address = address
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._kept: set[str] = set()

    def keep(self, run_id: str) -> bool:
        """Keep a run; False where another session has it."""
        self.renew()
        if run_id not in self._kept and self._asked("pg_try_advisory_lock", run_id):
            self._kept.add(run_id)
        return run_id in self._kept

    def let_go(self, run_id: str) -> None:
        """Give a run up."""
        if run_id in self._kept:
            self._kept.remove(run_id)
            self._asked("pg_advisory_unlock", run_id)

    def renew(self) -> None:
        """See that what was kept still is, as after a restart of the server.

        Raises:
            StoreError: somebody else took it meanwhile.
        """
        if not self._kept or self._is_connected():
            return
        self.close()
        kept, self._kept = self._kept, set()
        for run_id in sorted(kept):
            if not self.keep(run_id):
                raise StoreError(
                    f"{shown(self._address)}: the connection was lost, and another process has "
                    f"begun to measure run {run_id} since"
                )

    def close(self) -> None:
        """Give everything up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_connected(self) -> bool:
        try:
            return self._connection is not None and bool(self._connection.execute("SELECT 1"))
        except psycopg.OperationalError:
            return False

    def _asked(self, function: str, run_id: str) -> bool:
        if self._connection is None:
            self._connection = self._connect()
            self._connection.autocommit = True
        key = int(run_id, 16) - _HALF
        found = self._connection.execute(f"SELECT {function}(%s::int, %s::int)", (_CLASS, key))
        row = found.fetchone()
        return row is not None and bool(row[0])
