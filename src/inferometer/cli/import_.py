"""`inferometer import`: a file's records into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.cli.import_bundle import import_bundle
from inferometer.cli.options import store_option, tell_damage
from inferometer.cli.parameters import within
from inferometer.core.filenames import check_file
from inferometer.core.shown import shown
from inferometer.store.address import Place

if TYPE_CHECKING:
    from inferometer.core.run import Run
    from inferometer.store.tables.asked import Asked
    from inferometer.store.tables.importing import ImportedRun


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="FIELD=COLUMN,…|auto",
    help="What the columns are, such as latency_ms=infer_step_time,model=name; axis=COLUMN makes a "
    "column an option of the model, ignore=COLUMN leaves it out; auto takes what the message "
    "would propose.",
)
@click.option(
    "--constant",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Value that holds for all rows, such as batch_size=1; may be given several times.",
)
@click.option(
    "--as",
    "reader",
    metavar="READER",
    help="Tool that wrote the file, such as timm [default: recognised].",
)
@click.option(
    "--table",
    type=within("table", "N"),
    help="Which table of a text that holds several, such as 2.",
)
@click.option(
    "--dry-run", is_flag=True, help="Only show how the file is understood; store nothing."
)
@click.option(
    "--study",
    metavar="NAME",
    help="Name of the study [default: that in the file, or the file's name].",
)
@click.option("--device", metavar="NAME", help="Name of the device [default: that in the file].")
@click.option(
    "--partial", is_flag=True, help="For a bundle that was cut off: read the lines that are whole."
)
@store_option
def import_(
    *,
    file: Path,
    mapping: tuple[str, ...],
    constant: tuple[str, ...],
    reader: str | None,
    table: int | None,
    dry_run: bool,
    study: str | None,
    device: str | None,
    partial: bool,
    store_path: Place,
) -> None:
    """Read FILE into the results database: a bundle, an export, or a table of measurements.

    \b
    Examples:
      inferometer import run.json.gz
      inferometer import results.csv --dry-run
      inferometer import results.csv --map latency_ms=time,model=net

    A bundle (of `inferometer export --bundle`, or from a board: results.json, results.log) is a
    whole run, which keeps its id; importing it again adds nothing.

    A table (CSV, TSV, Markdown, JSON, Parquet, or the output of a benchmark tool) needs a column
    with models and one with a figure; each device in it becomes a run. How its columns were
    understood is printed first. A unit is never guessed silently: the message has the `--map` to
    use. Other people's tables have no observations, so that the verdict of each figure is
    `unknown`.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.fleet.binary import is_log
    from inferometer.store.bundle import is_bundle
    from inferometer.store.tables.asked import asked

    check_file(file)
    if is_bundle(file) or is_log(file):
        given = (study, device, reader, table, *mapping, *constant)
        if any(one is not None for one in given) or dry_run:
            raise click.UsageError(
                "a bundle says itself which study and device it is of, and what it holds"
            )
        import_bundle(file, store_path, partial=partial)
        return
    if partial:
        raise click.UsageError(f"--partial goes with a bundle, and {shown(file)} is none")
    wanted = asked(
        mapping=mapping, constant=constant, study=study, device=device, reader=reader, table=table
    )
    _import_table(file, wanted, store_path, dry_run=dry_run)


def _import_table(file: Path, wanted: Asked, store_path: Place, *, dry_run: bool) -> None:
    """Say what was understood of a table, and store it."""
    from inferometer.stats.intervals import independent_mean_interval
    from inferometer.store import open_store
    from inferometer.store.tables.importing import read_runs
    from inferometer.store.tables.told import told

    found = read_runs(file, wanted, interval=independent_mean_interval)
    for line in told(file, found):
        click.echo(line, err=True)
    if dry_run:
        for part in found.runs:
            click.echo(f"would be stored: {_count(part)} of {shown(part.run.device_name)}")
        return
    with open_store(store_path, tell=tell_damage) as store:
        stored = store.import_runs((part.run, part.records) for part in found.runs)
    for part, run in zip(found.runs, stored, strict=True):
        _tell(file, part, run)


def _count(part: ImportedRun) -> str:
    count = len(part.records)
    return f"{count} {'record' if count == 1 else 'records'}"


def _tell(file: Path, part: ImportedRun, stored: Run) -> None:
    click.echo(f"{stored.id}: {_count(part)} of {shown(stored.device_name)}")
    if part.run.id not in ("", stored.id):
        before = shown(part.run.id)
        click.echo(
            f"Note: {shown(file)}: the run was called {before} in the file; here it is {stored.id}",
            err=True,
        )
