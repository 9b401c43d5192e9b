"""Writes down when windows began and ended, for a meter that logs by itself."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from inferometer.core.errors import InputError
from inferometer.core.filenames import expanded, reason_of, why_not_made
from inferometer.core.record import Phase, Round
from inferometer.core.shown import shown
from inferometer.core.workload import Workload
from inferometer.runner.phases.energy.windows import rest_window, work_window
from inferometer.store.spreadsheet import neutralised

HEADER = ("kind", "workload", "inputs", "start_unix_s", "end_unix_s", "start", "end")
KINDS: dict[Phase, str] = {"idle": "rest", "warmup": "warm-up", "energy": "work"}


class Marks:
    """A CSV file that grows by one line for each window, at once.

    Args:
        path: where; it is created, and must not exist.

    Raises:
        InputError: the file exists, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path = expanded(path)
        try:
            if path.is_dir():
                raise IsADirectoryError
            self._file: TextIO = path.open("x", encoding="utf-8", newline="")
        except FileExistsError:
            raise InputError(
                f"{shown(path)}: the file exists; give --mark another name, so that no windows "
                "are lost"
            ) from None
        except OSError as error:
            raise InputError(f"{shown(path)}: cannot be written: {why_not_made(error)}") from error
        self._rows = csv.writer(self._file)
        try:
            self._add(HEADER)
        except InputError:
            self.close()
            with suppress(OSError):
                path.unlink()  # so that the next try may have the name
            raise

    def write(self, workload: Workload, done: Round) -> None:
        """Add the window of a round; Unix time and ISO 8601 in UTC.

        Raises:
            InputError: the disk takes no more.
        """
        window = rest_window(done) if done.phase == "idle" else None
        if done.phase == "energy":
            window = work_window(done, workload.batch_size)
        start_s = window.start_s if window else done.started_at
        ends = [
            s + v * done.calls_per_value for s, v in zip(done.starts_s, done.values_s, strict=True)
        ]
        end_s = window.end_s if window else done.started_at + ends[-1]
        inputs = window.inputs if window else 0
        times = (f"{start_s:.6f}", f"{end_s:.6f}", _iso(start_s), _iso(end_s))
        self._add((KINDS[done.phase], neutralised(workload.label), inputs, *times))

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # a line that a full disk refused is still in the buffer
            self._file.close()

    def _add(self, row: Iterable[object]) -> None:
        try:
            self._rows.writerow(row)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(
                f"{shown(self._path)}: cannot be written: {reason_of(error)}; mend that, and "
                "go on with run --resume and another file for --mark"
            ) from error


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, timezone.utc).isoformat(timespec="milliseconds")
