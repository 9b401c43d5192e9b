"""`inferometer show`: a run as a table."""

from __future__ import annotations

from pathlib import Path

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json


@click.command()
@click.argument("run", default="latest")
@store_option
@json_option
def show(*, run: str, store_path: Path, json_path: str | None) -> None:
    """Show RUN as a table, and why each figure can be trusted or not.

    RUN is an id, the beginning of one, or `latest`.

    The JSON is an array with an object for each workload.
    """
    from inferometer.figures.joint import completed

    with open_existing(store_path) as store:
        found = store.run(run)
        records = completed(found, store.records(found.id, with_rounds=True))
    if json_path is not None:
        write_json([record.row() for record in records], json_path)
    if json_path == "-":
        return
    from inferometer.report.terminal.table import print_run

    print_run(found, records, causes=True)
