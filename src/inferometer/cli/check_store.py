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
    """Check every page and row of a results database for damage; nothing is changed.

    This also works for files that other commands refuse.

    \b
    Example:
      inferometer check-store --store results.db

    The JSON is an object with `whole`, and the lists `tables` and `damages`.

    Exit status: 0 no damage; 1 something is damaged; 2 not a results database.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
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
    whole = {one.table: one.whole for one in found.tables}
    if not whole.get("runs") or not whole.get("records"):
        yield f"{name} is damaged, and no record can be got out: take an earlier copy of the file."
        return
    yield f"{name} is damaged; nothing was changed."
    yield "Keep a copy. An export passes over what is damaged:"
    yield "  inferometer export RUN --format json -o FILE"
    yield "  inferometer import FILE --store NEW"
