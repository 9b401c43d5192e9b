"""`inferometer export`: a run's records as a file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from inferometer.cli.options import open_existing, store_option


@click.command()
@click.argument("reference", metavar="RUN")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("json", "csv", "parquet")),
    required=True,
    help="JSON: an array of objects. CSV and Parquet: a row for each workload.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=Path("-"),
    help="File; without it, standard output.",
)
@store_option
def export(*, reference: str, file_format: str, output: Path, store_path: Path) -> None:
    """Write a run's records: one flat row for each workload, SI units in the names.

    RUN is an id, a unique beginning of one, or `latest`.
    """
    from inferometer.store.transfer import FORMATS, write_whole

    to_stdout = output == Path("-")
    if to_stdout and file_format == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal; name a file with -o PATH")
    with open_existing(store_path) as store:
        content = FORMATS[file_format](store.records(store.run(reference).id))
    if to_stdout:
        click.echo(content, nl=False)
    else:
        write_whole(content, output)
