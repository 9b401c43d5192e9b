"""`inferometer runs`: what is in a store."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.core.record import Status
from inferometer.core.run import Run
from inferometer.core.shown import shown
from inferometer.store.address import Place

_WIDTH = 80
_GAP = "  "
_HEADER = ("run", "when", "study", "device", "ok/failed/skipped", "state")
_SHORTENED = (2, 3)
"""Columns that give way where a line would be too long: study and device."""

_STATUSES: tuple[Status, ...] = ("ok", "failed", "skipped")


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """A run, and how many of its workloads have each status."""

    run: Run
    outcomes: dict[str, int]

    @property
    def state(self) -> str:
        """Whether it was imported, or else whether anything is left to do."""
        if self.run.origin == "imported":
            return "imported"
        return "unfinished" if self.run.finished_at is None else "finished"

    @property
    def planned(self) -> int:
        """Workloads of the study, or more where further ones were measured."""
        return max(self.run.planned, sum(self.outcomes.values()))

    def to_json(self) -> dict[str, Any]:
        run = self.run
        return {
            "run_id": run.id,
            "study": run.study,
            "device_name": run.device_name,
            "origin": run.origin,
            "state": self.state,
            "planned": self.planned,
            **self.outcomes,
            "created_at": run.created_at,
            "finished_at": run.finished_at,
        }

    def cells(self) -> tuple[str, ...]:
        run = self.run
        done = "/".join(str(self.outcomes[status]) for status in _STATUSES)
        return (
            run.id,
            f"{datetime.fromtimestamp(run.created_at).astimezone():%Y-%m-%d %H:%M}",
            run.study,
            run.device_name,
            f"{done} of {self.planned}",
            self.state,
        )


@click.command()
@store_option
@json_option
def runs(*, store_path: Place, json_path: str | None) -> None:
    """List the runs in a results database, the latest first.

    \b
    Examples:
      inferometer runs
      inferometer runs --store results.db
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    with open_existing(store_path) as store:
        outcomes = store.all_outcomes()
        listed = [_Listed(run=run, outcomes=_of(outcomes, run)) for run in store.runs()]
        damaged = bool(store.damaged)
    if json_path is not None:
        write_json([entry.to_json() for entry in listed], json_path)
    if json_path == "-":
        return
    if not listed:
        none = "no run in it can be read" if damaged else "it holds no runs yet"
        click.echo(f"{shown(store_path)}: {none}; measure with inferometer run")
        return
    click.echo("\n".join(_table([_HEADER, *(entry.cells() for entry in listed)])))


def _of(outcomes: Mapping[str, Mapping[str, int]], run: Run) -> dict[str, int]:
    counted = outcomes.get(run.id, {})
    return {status: counted.get(status, 0) for status in _STATUSES}


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Lines that fit the terminal, as long as the columns that are kept whole allow it."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    spare = _width() - len(_GAP) * (len(widths) - 1) - sum(widths)
    while spare < 0:
        widest = max(_SHORTENED, key=widths.__getitem__)
        if widths[widest] <= len(_HEADER[widest]):
            break
        widths[widest] -= 1
        spare += 1
    return [
        _GAP.join(
            _short(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width() -> int:
    """Characters of a line: those of the terminal, where there is one and it has more than 80."""
    return max(_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDTH


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
