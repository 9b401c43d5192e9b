"""What many devices are doing, while they do it: rows in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from inferometer.report.document import marks
from inferometer.report.terminal.live import LEAST_INTERVAL_S, PLAIN_INTERVAL_S, Errors

ROWS = 30
"""Devices that are shown at a time: those that were heard of last."""


class FleetScreen(Protocol):
    """Somebody who shows devices at work."""

    def device(self, name: str, done: int, planned: int, state: str) -> None:
        """Show how far a device is."""
        ...

    def note(self, message: str) -> None:
        """Show a sentence, for good."""
        ...


@contextmanager
def fleet_screen(console: Console | None = None) -> Iterator[FleetScreen]:
    """A screen for as long as the context lasts.

    Args:
        console: where to show it; standard error by default.
    """
    console = console or Errors(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield FleetLines(console)
        return
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        yield FleetDisplay(live)


class FleetLines:
    """A plain line for each sentence, and for a device twice a minute and at its end."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._told: dict[str, tuple[float, str]] = {}

    def device(self, name: str, done: int, planned: int, state: str) -> None:
        """Print a line, where there is news and the last one is old enough."""
        line = f"{marks.plain(name)}: {done} of {planned}, {state}"
        at, before = self._told.get(name, (float("-inf"), ""))
        is_over = state not in ("running", "waiting")
        if line == before or (self._clock() - at < PLAIN_INTERVAL_S and not is_over):
            return
        self._told[name] = self._clock(), line
        self._console.print(Text(line), soft_wrap=True)

    def note(self, message: str) -> None:
        """Print a sentence."""
        self._console.print(Text(f"note: {marks.plain(message)}"), soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class _Row:
    done: int
    planned: int
    state: str


class FleetDisplay:
    """A row for each device; sentences are printed above, for good."""

    def __init__(self, live: Live, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._clock = clock
        self._drawn_at = float("-inf")
        self._rows: dict[str, _Row] = {}

    def device(self, name: str, done: int, planned: int, state: str) -> None:
        """Take in how far a device is, and draw if the last drawing is old enough."""
        self._rows.pop(name, None)
        self._rows[name] = _Row(done=done, planned=planned, state=state)
        if self._clock() - self._drawn_at >= LEAST_INTERVAL_S:
            self._drawn_at = self._clock()
            self._live.update(self.render(), refresh=True)

    def note(self, message: str) -> None:
        """Print a sentence."""
        self._live.console.print(Text(f"note: {marks.plain(message)}"))

    def render(self) -> Table:
        """The display as it stands."""
        table = Table.grid(padding=(0, 1))
        for name, row in sorted(list(self._rows.items())[-ROWS:]):
            total = max(row.planned, 1)
            table.add_row(
                Text(marks.plain(name), no_wrap=True, overflow="ellipsis"),
                ProgressBar(total=total, completed=min(row.done, total), width=30),
                Text(f"{row.done} of {row.planned}"),
                Text(row.state),
            )
        return table
