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
    help="Folder to write to: report.html, report.md, results.csv, study.yaml and plots/.",
)
@click.option(
    "--price",
    "prices",
    type=Parsed("NAME=PRICE", parse_price),
    multiple=True,
    help="Price of a device, such as 'Pi 5=95', to compare speed per price; give one for each.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser afterwards.")
@store_option
def report(
    *,
    runs: tuple[str, ...],
    out: Path,
    prices: tuple[tuple[str, float], ...],
    opens: bool,
    store_path: Place,
) -> None:
    """Write a lab report of one or several RUNs: a page, Markdown, CSV and plots.

    RUN is the id of a run, the first characters of one, `latest`, or `latest~1` for the one
    before [default: latest].

    \b
    Examples:
      inferometer report -o report --open
      inferometer report 3fa9 77b0 -o both        two devices, side by side

    The page, report.html, is one file that needs no network. Runs on several devices are also
    compared: ratios, order, speed per watt and per core.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
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
