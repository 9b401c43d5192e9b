"""`inferometer import` of a bundle: a whole run, under its own id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import tell_damage
from inferometer.core.shown import shown
from inferometer.store.address import Place

if TYPE_CHECKING:
    from inferometer.store.bundle import Bundle
    from inferometer.store.bundle.merging import Merge


def import_bundle(file: Path, store_path: Place, *, partial: bool) -> None:
    """Add to a store what a bundle holds and it does not.

    Raises:
        ImportFileError: it cannot be read, or the store has another run of its id.
        StoreError: the store cannot be written.
    """
    from inferometer.fleet.binary import is_log, read_log
    from inferometer.runner.imported import take_in
    from inferometer.store import open_store
    from inferometer.store.bundle import read_bundle_file

    bundle = read_log(file) if is_log(file) else read_bundle_file(file, partial=partial)
    for note in bundle.notes:
        click.echo(f"Note: {shown(file)}: {note}", err=True)
    with open_store(store_path, tell=tell_damage) as store:
        found = take_in(store, bundle)
    click.echo(told(bundle, found))


def told(bundle: Bundle, found: Merge) -> str:
    """What came of an import, in a line."""
    run = bundle.run
    begin = f"{run.id}: {shown(run.study)} on {shown(run.device_name)}"
    if found.is_nothing:
        return f"{begin}: nothing new"
    counts = {"record": len(found.records), "round": len(found.rounds)}
    parts = [f"{count:,} {what}{'' if count == 1 else 's'}" for what, count in counts.items()]
    left = run.finished_at is None and found.run.finished_at is None
    unfinished = "; the run is unfinished" if left else ""
    return f"{begin}: {' and '.join(parts)}{'' if found.is_new else ' more'}{unfinished}"
