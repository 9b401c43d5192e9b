"""`inferometer import`: a file's records into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import store_option, tell_damage
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from inferometer.core.run import Run
    from inferometer.store.importing import Imported, ImportedRun


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--study", metavar="NAME", help="Name of the study; else the file's own, or its name."
)
@click.option("--device", metavar="NAME", help="Name of the device, whatever the file says.")
@store_option
def import_(*, file: Path, study: str | None, device: str | None, store_path: Path) -> None:
    """Read an export, or a table of somebody's measurements, into a store.

    A table (CSV, JSON or Parquet) needs a column `model` and one with a figure, such as
    `latency_s`; each device in it becomes a run. Other names are understood too, such as `device`,
    `batch`, `size`, `params`, `Latency (ms)`, `std`, `energy_mj`; what is not is named. Of a table
    that is no export, the verdicts are `unknown`: there are no observations behind its figures.
    """
    from inferometer.store import open_store
    from inferometer.store.importing import read_runs

    found = read_runs(file, study=study, device=device)
    _warn(file, found)
    with open_store(store_path, tell=tell_damage) as store:
        stored = store.import_runs((part.run, part.records) for part in found.runs)
    for part, run in zip(found.runs, stored, strict=True):
        _tell(part, run)


def _warn(file: Path, found: Imported) -> None:
    from inferometer.store.columns import listed

    for sentence in found.assumed:
        click.echo(f"Note: {shown(file)}: {sentence}", err=True)
    if found.ignored:
        names = listed(found.ignored)
        name = shown(file)
        click.echo(f"Warning: {name}: these columns were not understood: {names}", err=True)


def _tell(part: ImportedRun, stored: Run) -> None:
    count = len(part.records)
    click.echo(
        f"{stored.id}: {count} {'record' if count == 1 else 'records'} of "
        f"{shown(stored.device_name)}"
    )
    if part.run.id not in ("", stored.id):
        before = shown(part.run.id)
        click.echo(
            f"Note: the run was called {before} in the file; here it is {stored.id}", err=True
        )
