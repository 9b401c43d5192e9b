"""`inferometer export`: a run's records as a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import STANDARD_OUTPUT, TARGET, open_existing, store_option
from inferometer.cli.screen import put_bytes
from inferometer.core.filenames import write_whole
from inferometer.store.address import Place

if TYPE_CHECKING:
    from inferometer.store import Store


@click.command()
@click.argument("reference", metavar="RUN")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("json", "csv", "parquet")),
    help="Format of the records: json is a list of objects, csv and parquet have a row for each "
    "workload.",
)
@click.option(
    "--bundle",
    is_flag=True,
    help="Instead of --format: the whole run with all observations, for `inferometer import`; "
    "compressed where the file's name ends in .gz.",
)
@click.option(
    "-o",
    "--output",
    type=TARGET,
    default=STANDARD_OUTPUT,
    show_default=True,
    metavar="PATH|-",
    help="File to write, or - for standard output.",
)
@store_option
def export(
    *, reference: str, file_format: str | None, bundle: bool, output: str, store_path: Place
) -> None:
    """Write the records of RUN, a row for each workload, or the whole run as one file.

    RUN is the id of a run, the first characters of one, `latest`, or `latest~1`.

    \b
    Examples:
      inferometer export latest --format csv -o results.csv
      inferometer export latest --bundle -o run.json.gz

    In CSV, a text that a spreadsheet would take for a formula gets a ' before it, which
    `inferometer import` removes.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    if bundle == (file_format is not None):
        raise click.UsageError("give either --format json, csv or parquet, or --bundle")
    to_stdout = output == STANDARD_OUTPUT
    is_text = file_format != "parquet"
    if to_stdout and not is_text and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal; name a file with -o PATH")
    with open_existing(store_path) as store:
        content = _content(store, reference, file_format, compressed=output.endswith(".gz"))
    if to_stdout:
        put_bytes(content, is_text=is_text)
    else:
        write_whole(content, output)


def _content(store: Store, reference: str, file_format: str | None, *, compressed: bool) -> bytes:
    """The file: of a format, or the bundle."""
    if file_format is None:
        from inferometer.store.bundle import bundle_bytes, bundle_of

        return bundle_bytes(bundle_of(store, reference), compressed=compressed)
    from inferometer.store.transfer import FORMATS

    return FORMATS[file_format](store.records(store.run(reference).id))
