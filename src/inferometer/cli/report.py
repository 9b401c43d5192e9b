"""`inferometer report`: a lab report with plots, as a page and as text."""

from __future__ import annotations

from pathlib import Path

import click

from inferometer.cli.options import FOLDER, open_existing, store_option
from inferometer.cli.parameters import Parsed, parse_price
from inferometer.store.address import Place


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "-o",
    "--output",
    "out",
    type=FOLDER,
    required=True,
    metavar="DIR",
    help="Folder for report.html, report.md, results.csv, study.yaml and plots/.",
)
@click.option(
    "--price",
    "prices",
    type=Parsed("NAME=PRICE", parse_price),
    multiple=True,
    help="Price of a device, for the speed per price of several; once for each.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@store_option
def report(
    *,
    runs: tuple[str, ...],
    out: Path,
    prices: tuple[tuple[str, float], ...],
    opens: bool,
    store_path: Place,
) -> None:
    """Write a lab report of each RUN, all in one: a page, Markdown, CSV and plots.

    Runs on several devices are also set beside each other: ratios, order, speed per watt and core.

    The page (report.html) is one file that needs no network.

    RUN is an id, the beginning of one, or `latest`, which is also what is taken without RUN.
    """
    from inferometer.figures.joint import completed
    from inferometer.report.document.sources import RunRecords
    from inferometer.report.html import engine
    from inferometer.report.plots import choice as plots
    from inferometer.report.write import checked_folder, write_report

    out = checked_folder(out)  # before the minutes that drawing may take
    with open_existing(store_path) as store:
        found = {run.id: run for run in map(store.run, runs or ("latest",))}
        chosen = [
            RunRecords(
                run=run, records=tuple(completed(run, store.records(run.id, with_rounds=True)))
            )
            for run in found.values()
        ]
    written = write_report(chosen, out, prices=dict(prices))
    for absent in (plots.missing(), engine.missing()):
        if absent is not None:
            click.echo(f"Warning: a part of the report is missing: {absent}", err=True)
    for path in written:
        click.echo(path)
    if opens and click.launch(str(written[0])):
        click.echo(f"Warning: no browser could be started: open {written[0]} in one", err=True)
