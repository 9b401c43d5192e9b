"""`inferometer show`: a run as a table."""

from __future__ import annotations

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.store.address import Place, store_flag


@click.command()
@click.argument("run", default="latest")
@click.option("--plot", is_flag=True, help="Also draw latency and throughput as bars of text.")
@store_option
@json_option
def show(*, run: str, plot: bool, store_path: Place, json_path: str | None) -> None:
    """Show RUN as a table, with the reason where a figure cannot be trusted.

    RUN is the id of a run, the first characters of one, `latest`, or `latest~1` for the one
    before [default: latest].

    \b
    Examples:
      inferometer show
      inferometer show 3fa9 --plot

    The JSON is a list with an object for each workload.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.figures.reading import records_of

    with open_existing(store_path) as store:
        found = store.run(run)
        records = records_of(store, found)
    if json_path is not None:
        write_json([record.row() for record in records], json_path)
    if json_path == "-":
        return
    from inferometer.report.document.sources import RunRecords
    from inferometer.report.terminal.closing import print_closing
    from inferometer.report.terminal.table import print_run

    print_run(found, records, causes=True, worth=False)
    if plot:
        from inferometer.report.terminal.bars import print_plots

        print_plots(records)
    print_closing([RunRecords(run=found, records=tuple(records))], store_flag(store_path))
