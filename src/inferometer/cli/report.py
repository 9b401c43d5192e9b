"""`inferometer report`: a lab report with plots, as a page and as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import open_existing, store_option

if TYPE_CHECKING:
    from inferometer.analysis.findings import Findings
    from inferometer.report.sources import RunRecords


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for report.html, report.md, results.csv and plots/.",
)
@store_option
def report(*, runs: tuple[str, ...], out: Path, store_path: Path) -> None:
    """Write a lab report of each RUN, all in one: a page, Markdown, CSV and plots.

    The page (report.html) is one file that needs no network.

    RUN is an id, the beginning of one, or `latest`, which is also what is taken without RUN.
    """
    from inferometer.report import plots
    from inferometer.report.html import engine
    from inferometer.report.sources import RunRecords
    from inferometer.report.write import write_report

    with open_existing(store_path) as store:
        found = {run.id: run for run in map(store.run, runs or ("latest",))}
        chosen = [
            RunRecords(run=run, records=tuple(store.records(run.id, with_rounds=True)))
            for run in found.values()
        ]
    written = write_report(chosen, out, _findings(chosen))
    for absent in (plots.missing(), engine.missing()):
        if absent is not None:
            click.echo(f"Warning: a part of the report is missing: {absent}", err=True)
    for path in written:
        click.echo(path)


def _findings(chosen: Sequence[RunRecords]) -> Findings | None:
    """What an analysis finds in the runs; None where they have no records."""
    from inferometer.analysis.analyse import analyse_runs
    from inferometer.report.sources import all_records

    records = all_records(chosen)
    return analyse_runs([one.run for one in chosen], records) if records else None
