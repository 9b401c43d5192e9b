"""`inferometer cache`: what was prepared of models, and how to be rid of it."""

from __future__ import annotations

from pathlib import Path

import click

from inferometer.cli.options import json_option, write_json
from inferometer.cli.parameters import within
from inferometer.core.units import byte_count


@click.command()
@click.option("--clear", is_flag=True, help="Remove everything.")
@click.option(
    "--limit",
    type=within("cache_bytes", "SIZE"),
    help="Remove those that were used longest ago, until the rest takes at most this, such as 5GB.",
)
@json_option
def cache(*, clear: bool, limit: int | None, json_path: str | None) -> None:
    """List the converted models that are kept, or remove some.

    Models are converted again when they are needed. The variable INFEROMETER_CACHE names another
    folder.

    \b
    Examples:
      inferometer cache
      inferometer cache --limit 5GB
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.host.artifacts import ArtifactCache
    from inferometer.runner.preparation import artifacts_folder

    if clear and limit is not None:
        raise click.UsageError("--clear removes everything: leave --limit out")
    kept = ArtifactCache(artifacts_folder())
    most = 0 if clear else limit
    removed = [] if most is None else kept.shrink(most)
    entries = kept.entries()
    held = sum(one.size_bytes for one in entries)
    found = {
        "folder": str(kept.folder),
        "bytes": held,
        "entries": [_row(one.path, one.size_bytes) for one in entries],
        "removed": [_row(one.path, one.size_bytes) for one in removed],
    }
    if json_path is not None:
        write_json(found, json_path)
    if json_path == "-":
        return
    for one in entries:
        click.echo(f"{byte_count(one.size_bytes):>10}  {one.path.name}")
    if removed:
        click.echo(f"removed {len(removed)}: {byte_count(sum(one.size_bytes for one in removed))}")
    click.echo(f"{len(entries)} kept, {byte_count(held)}, in {kept.folder}")


def _row(path: Path, size_bytes: int) -> dict[str, object]:
    return {"name": path.name, "bytes": size_bytes}
