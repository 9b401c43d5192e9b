"""`inferometer energy`: reads the log of any power meter, and joins it to a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.cli.parameters import AUTO, OFFSET, within

Function = TypeVar("Function", bound=Callable[..., Any])


@click.group()
def energy() -> None:
    """Read what a power meter logged, and join it to a run."""


def _log_options(function: Function) -> Function:
    """What the user says about a log; `log://FILE?power=…` says the same."""
    for option in (
        click.option("--scope", help="What the meter covers: wall, board_input, gpu, … [wall]."),
        click.option(
            "--interval",
            "interval_s",
            type=within("log_interval", "TIME"),
            help="How far the rows of a log without times are apart, such as 1s.",
        ),
        click.option(
            "--column",
            metavar="NAME",
            help="The power, where several may be; NAME+NAME adds them up.",
        ),
    ):
        function = option(function)
    return function


@energy.command()
@click.argument("file")
@_log_options
@json_option
def read(
    *,
    file: str,
    column: str | None,
    interval_s: float | None,
    scope: Any,  # noqa: ANN401 - `describe_log` says which there are
    json_path: str | None,
) -> None:
    """Say what the log FILE holds: its format, its power, and what was assumed.

    FILE may be log://FILE?power=NAME&unit=mW&interval=1s, too: docs/how-to/files.md.

    The JSON is an object.
    """
    from inferometer.meters.energy.logs.reading import describe_log
    from inferometer.report.document.power_log import log_lines

    found = describe_log(file, scope=scope, column=column, interval_s=interval_s)
    if json_path is not None:
        write_json(asdict(found), json_path)
    if json_path != "-":
        for line in log_lines(found):
            click.echo(line)


@energy.command()
@click.argument("run", default="latest")
@click.option(
    "--power-log",
    required=True,
    metavar="FILE",
    help="The log of a meter, in any format of docs/how-to/files.md.",
)
@_log_options
@click.option(
    "--offset",
    type=OFFSET,
    default=AUTO,
    show_default=True,
    help="What to add to the log's times; auto fits it by the steps of the load.",
)
@click.option(
    "--gain", type=within("gain", "SHARE"), help="Largest relative error of the meter, such as 1%."
)
@store_option
@json_option
def attach(
    *,
    run: str,
    power_log: str,
    column: str | None,
    interval_s: float | None,
    offset: float | None,
    scope: Any,  # noqa: ANN401 - `read_log` says which there are
    gain: float | None,
    store_path: Path,
    json_path: str | None,
) -> None:
    """Add the energy of a meter's log to RUN, whose windows `run --mark` has made.

    RUN is an id, the beginning of one, or `latest`.

    The JSON is an array with an object for each workload.
    """
    from inferometer.meters.energy.logs.reading import read_log
    from inferometer.report.document.energy import attached_lines
    from inferometer.runner.phases.energy.attach import attach as join

    log = read_log(power_log, scope=scope, gain=gain, column=column, interval_s=interval_s)
    with open_existing(store_path) as store:
        found = join(store, store.run(run).id, log, offset_s=offset)
    if json_path is not None:
        write_json([record.row() for record in found.records], json_path)
    if json_path != "-":
        for line in attached_lines(found.records, found.offset_s, found.offset_u_s, found.notes):
            click.echo(line)
