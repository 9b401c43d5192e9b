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
    """Read the log of a power meter, and add its energy to a run.

    \b
    Examples:
      inferometer energy read meter.csv
      inferometer run study.yaml --mark windows.csv
      inferometer energy attach --power-log meter.csv
    """  # noqa: D301 - \b is click's sign to leave the lines as they are


def _log_options(function: Function) -> Function:
    """What the user says about a log; `log://FILE?power=…` says the same."""
    for option in (
        click.option(
            "--scope",
            metavar="NAME",
            help="What the meter measures: wall, board_input, gpu … [default: wall].",
        ),
        click.option(
            "--interval",
            "interval_s",
            type=within("log_interval", "TIME"),
            help="For a log without times: time between its rows, such as 1s.",
        ),
        click.option(
            "--column",
            metavar="NAME",
            help="Column that holds the power, where the log has several; NAME+NAME adds them up.",
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
    """Show what the log FILE holds.

    That is its format, its power, and what was assumed of it.

    FILE may have options: log://FILE?power=NAME&unit=mW&interval=1s (docs/how-to/files.md).

    \b
    Example:
      inferometer energy read meter.csv --column "Power (W)"

    The JSON is an object.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
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
    help="The meter's log, in any format that docs/how-to/files.md lists.",
)
@_log_options
@click.option(
    "--offset",
    type=OFFSET,
    default=AUTO,
    show_default=True,
    help="Seconds to add to the log's times; auto finds them from when the load began and ended.",
)
@click.option(
    "--gain",
    type=within("gain", "SHARE"),
    help="Largest relative error of the meter, such as 1%, which widens the intervals.",
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
    """Add energy to RUN from the log of a power meter.

    RUN was measured with `inferometer run --mark FILE`, so that it is known when work and idling
    began and ended. RUN is the id of a run, the first characters of one, or `latest` [default:
    latest].

    \b
    Example:
      inferometer energy attach 3fa9 --power-log meter.csv

    The JSON is a list with an object for each workload.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.meters.energy.logs.reading import read_log
    from inferometer.report.document.energy import attached_lines
    from inferometer.report.terminal.output import Output, say
    from inferometer.runner.phases.energy.attach import attach as join

    log = read_log(power_log, scope=scope, gain=gain, column=column, interval_s=interval_s)
    with open_existing(store_path) as store:
        found = join(store, store.run(run).id, log, offset_s=offset)
    if json_path is not None:
        write_json([record.row() for record in found.records], json_path)
    if json_path != "-":
        console = Output(highlight=False)
        for line in attached_lines(found.records, found.offset_s, found.offset_u_s, found.notes):
            say(console, line)
