"""Options and helpers that several commands share."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import click

from inferometer.cli.screen import put_bytes
from inferometer.core.errors import FAULT
from inferometer.core.filenames import FileProblemError, expanded, reason_of, write_whole
from inferometer.core.jsontext import json_bytes
from inferometer.core.shown import shown
from inferometer.store.address import (
    DEFAULT_STORE,
    STORE_VARIABLE,
    Address,
    Place,
    place_from,
)

if TYPE_CHECKING:
    from inferometer.core.errors import WorkloadError
    from inferometer.store import Store

Function = TypeVar("Function", bound=Callable[..., Any])


class Target(click.ParamType[str]):
    """A file to write, `-` for standard output; one that cannot work is refused at once.

    What is found out before minutes of measuring loses nothing.
    """

    name = "path"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002 - click's own signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> str:
        """Check the place.

        Raises:
            FileProblemError: it cannot be written.
        """
        if str(value) != STANDARD_OUTPUT:
            check_target(value)
        return value


class Folder(click.ParamType[Path]):
    """A folder, which need not be there yet."""

    name = "folder"

    def convert(
        self,
        value: str | Path,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Refuse an empty name, which would be the folder that one is in."""
        if not str(value):
            self.fail("an empty name; give a folder, such as . for this one", param, ctx)
        return expanded(value)


class StorePlace(click.Path):
    """A results database: a file, or an address on a server."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401
        """Refuse an empty name, which would be the folder that one is in.

        Raises:
            StoreError: it is an address of what no store can be on.
        """
        if not str(value):
            self.fail("an empty name; give a file", param, ctx)
        place = place_from(value)
        return place if isinstance(place, Address) else super().convert(value, param, ctx)


STANDARD_OUTPUT = "-"
TARGET = Target()
FOLDER = Folder()


def check_target(name: str | Path) -> None:
    """Refuse a file that cannot be written, as far as that can be told without writing it.

    Raises:
        FileProblemError: why it cannot be.
    """
    if not str(name):
        raise FileProblemError("''", "an empty name; give a file")
    try:
        file = Path(os.path.realpath(expanded(name)))
        found = _found(file)
    except (OSError, ValueError) as error:
        raise FileProblemError(name, f"it cannot be written: {reason_of(error)}") from error
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise FileProblemError(name, "it cannot be written: a folder, not a file")
    if found is None and not file.parent.is_dir():
        raise FileProblemError(name, "it cannot be written: its folder does not exist")
    if not os.access(file if found is not None else file.parent, os.W_OK):
        raise FileProblemError(name, "it cannot be written: no permission, or a read-only disk")


def _found(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except FileNotFoundError:
        return None


def store_option(function: Function) -> Function:
    """`--store PATH`, by default `INFEROMETER_STORE` or `inferometer.db` in the current folder."""
    return click.option(
        "--store",
        "store_path",
        type=StorePlace(path_type=Path, dir_okay=False),
        envvar=STORE_VARIABLE,
        default=DEFAULT_STORE,
        show_default=True,
        help="Results database: a file, or postgresql://USER@HOST/DATABASE. The variable "
        "INFEROMETER_STORE sets another default.",
    )(function)


def json_option(function: Function) -> Function:
    """`--json PATH|-`."""
    return click.option(
        "--json",
        "json_path",
        type=TARGET,
        metavar="PATH|-",
        help="Write the results as JSON to a file, or to standard output (-).",
    )(function)


def open_existing(path: Place) -> Store:
    """Open a results database to read it.

    Raises:
        StoreError: there is none, or it is not one of ours.
    """
    from inferometer.store import open_store

    return open_store(path, create=False, tell=tell_damage)


def tell_damage(sentence: str) -> None:
    """Warn of damaged rows of a store; what is shown goes to standard output without them."""
    click.echo(f"Warning: {sentence}", err=True)


def write_json(data: object, path: str) -> None:
    """Write JSON to a file, or to standard output where the path is `-`.

    Raises:
        InputError: the file cannot be written.
    """
    is_out = path == STANDARD_OUTPUT
    content = json_bytes(data, is_ascii=is_out and not _is_unicode(sys.stdout.encoding))
    if is_out:
        put_bytes(content, is_text=True)
    else:
        write_whole(content, path)


def _is_unicode(encoding: str | None) -> bool:
    return (encoding or "utf").lower().startswith("utf")


def told(error: WorkloadError, model: str) -> str:
    """A failure of a model in a message: which model, what happened, and what was said."""
    from inferometer.report.document.marks import MEANINGS

    is_plain = error.kind in ("unsupported", "bad_model") or str(error).startswith(FAULT)
    what = "" if is_plain else f"{MEANINGS[error.kind]}: "
    name = PurePath(model.partition("?")[0]).name
    who = "" if name in str(error) else f"{shown(model)}: "
    return f"{who}{what}{error}"
