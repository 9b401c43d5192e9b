"""Options and helpers that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from inferometer.core.errors import WorkloadError
    from inferometer.store import Store

Function = TypeVar("Function", bound=Callable[..., Any])

DEFAULT_STORE = "inferometer.db"


def store_option(function: Function) -> Function:
    """`--store PATH`, by default `INFEROMETER_STORE` or `inferometer.db` in the current folder."""
    return click.option(
        "--store",
        "store_path",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="INFEROMETER_STORE",
        default=DEFAULT_STORE,
        show_default=True,
        help="Results database.",
    )(function)


def json_option(function: Function) -> Function:
    """`--json PATH|-`."""
    return click.option(
        "--json", "json_path", metavar="PATH|-", help="Write JSON to a file, or to standard output."
    )(function)


def open_existing(path: Path) -> Store:
    """Open a results database to read it.

    Raises:
        StoreError: there is none, or it is not one of ours.
    """
    from inferometer.store import open_store

    return open_store(path, create=False)


def write_json(data: object, path: str) -> None:
    """Write JSON to a file, or to standard output where the path is `-`.

    Raises:
        InputError: the file cannot be written.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    if path == "-":
        click.echo(text)
        return
    from inferometer.store.transfer import write_whole

    write_whole(f"{text}\n".encode(), Path(path))


def told(error: WorkloadError, model: str) -> str:
    """A failure of a model in a message: which model, what happened, and what was said."""
    from inferometer.report.marks import MEANINGS

    what = "" if error.kind in ("unsupported", "bad_model") else f"{MEANINGS[error.kind]}: "
    name = PurePath(model.partition("?")[0]).name
    who = "" if name in str(error) else f"{model}: "
    return f"{who}{what}{error}"
