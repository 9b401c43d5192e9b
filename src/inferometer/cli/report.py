"""`inferometer report`: a lab report with plots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import open_existing, store_option

if TYPE_CHECKING:
    from inferometer.core.run import Run
    from inferometer.report.sources import RunRecords
    from inferometer.store import Store


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for report.md, results.csv and plots/.",
)
@store_option
def report(*, runs: tuple[str, ...], out: Path, store_path: Path) -> None:
    """Write a lab report of each RUN, all in one: Markdown, CSV and plots.

    RUN is an id, the beginning of one, or `latest`, which is also what is taken without RUN.
    """
    from inferometer.report.plots import missing
    from inferometer.report.write import write_report

    with open_existing(store_path) as store:
        found = {run.id: run for run in map(store.run, runs or ("latest",))}
        chosen = [_read(store, run) for run in found.values()]
    written = write_report(chosen, out)
    absent = missing()
    if absent is not None:
        click.echo(f"Warning: the report has no plots: {absent}", err=True)
    for path in written:
        click.echo(path)


def _read(store: Store, run: Run) -> RunRecords:
    """A run and its records; with the raw observations where their course over time is shown."""
    from inferometer.report.sources import RunRecords

    found = RunRecords(run=run, records=tuple(store.records(run.id)))
    if found.study is None or found.study.procedure.sustain_s is None:
        return found
    return RunRecords(run=run, records=tuple(store.records(run.id, with_rounds=True)))
