"""`inferometer check-store`: what of a results database is whole, and what is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.options import json_option, store_option, write_json
from inferometer.core.shown import shown
from inferometer.store.address import Place

if TYPE_CHECKING:
    from inferometer.store.inspection import Inspection

DAMAGED = 1
MOST_LISTED = 20
"""Lines of damage; the JSON has all."""


@click.command("check-store")
@store_option
@json_option
def check_store(*, store_path: Place, json_path: str | None) -> int:
    """Say what of a results database is whole, and what is damaged; change nothing.

    Every page, reference and row is looked at. This works for files too that other commands refuse.

    The JSON is an object with `whole`, and the lists `tables` and `damages`.

    Exit status: 0 all is whole; 1 something is damaged; 2 it is no results database.
    """
    from inferometer.store.inspection import inspect

    found = inspect(store_path)
    if json_path is not None:
        write_json(_json(found), json_path)
    if json_path != "-":
        click.echo("\n".join(_lines(found, store_path)))
    return DAMAGED if found.damages else 0


def _json(found: Inspection) -> dict[str, Any]:
    return {
        "whole": not found.damages,
        "tables": [asdict(one) for one in found.tables],
        "damages": [asdict(one) for one in found.damages],
    }


def _lines(found: Inspection, place: Place) -> Iterator[str]:
    name = shown(place)
    if found.tables:
        yield f"{'table':<8}  {'whole':>9}  {'damaged':>9}"
        for one in found.tables:
            yield f"{one.table:<8}  {one.whole:>9,}  {one.damaged:>9,}"
        yield ""
    for damage in found.damages[:MOST_LISTED]:
        yield f"{damage.table}: {damage.sentence}"
    more = len(found.damages) - MOST_LISTED
    if more > 0:
        yield f"… and {more:,} more; --json lists all of them"
    if not found.damages:
        yield f"{name} is whole."
        return
    yield f"{name} is damaged; nothing was changed. {_way_out(found)}"


def _way_out(found: Inspection) -> str:
    """What to do, in a sentence."""
    whole = {one.table: one.whole for one in found.tables}
    if not whole.get("runs") or not whole.get("records"):
        return "No record can be got out of it: take an earlier copy of the file."
    return (
        "Keep a copy; get whole records out with inferometer export RUN --format json -o FILE, "
        "which passes over what is damaged, and inferometer import FILE --store NEW."
    )
