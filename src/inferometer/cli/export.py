"""`inferometer export`: a run's records as a file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from inferometer.cli.options import STANDARD_OUTPUT, TARGET, open_existing, store_option
from inferometer.cli.screen import put_bytes
from inferometer.core.filenames import write_whole


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
    type=TARGET,
    default=STANDARD_OUTPUT,
    metavar="PATH|-",
    help="File; without it, standard output.",
)
@store_option
def export(*, reference: str, file_format: str, output: str, store_path: Path) -> None:
    """Write a run's records: one flat row for each workload, SI units in the names.

    RUN is an id, a unique beginning of one, or `latest`. In a CSV, text that a spreadsheet would
    take for a formula has a ' before it, which `import` removes; on a terminal, characters that
    would act on it are shown as escapes.
    """
    from inferometer.store.transfer import FORMATS

    is_text = file_format != "parquet"
    to_stdout = output == STANDARD_OUTPUT
    if to_stdout and not is_text and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal; name a file with -o PATH")
    with open_existing(store_path) as store:
        content = FORMATS[file_format](store.records(store.run(reference).id))
    if to_stdout:
        put_bytes(content, is_text=is_text)
    else:
        write_whole(content, output)
