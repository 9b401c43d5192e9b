"""`inferometer energy`: joins the log of any power meter to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.cli.parameters import AUTO, OFFSET, within


@click.group()
def energy() -> None:
    """Join what a power meter logged to a run."""


@energy.command()
@click.argument("run", default="latest")
@click.option(
    "--power-log",
    required=True,
    metavar="FILE",
    help="CSV with times and watts (or volts and amps); csv://FILE?power=NAME names a column.",
)
@click.option(
    "--offset",
    type=OFFSET,
    default=AUTO,
    show_default=True,
    help="What to add to the log's times; auto fits it by the steps of the load.",
)
@click.option("--scope", help="What the meter covers: wall, board_input, module_input, … [wall].")
@click.option(
    "--gain", type=within("gain", "SHARE"), help="Largest relative error of the meter, such as 1%."
)
@store_option
@json_option
def attach(
    *,
    run: str,
    power_log: str,
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
    from inferometer.meters.energy.logs.csv_log import read_log
    from inferometer.report.document.energy import attached_lines
    from inferometer.runner.phases.energy.attach import attach as join

    log = read_log(power_log, scope=scope, gain=gain)
    with open_existing(store_path) as store:
        found = join(store, store.run(run).id, log, offset_s=offset)
    if json_path is not None:
        write_json([record.row() for record in found.records], json_path)
    if json_path != "-":
        for line in attached_lines(found.records, found.offset_s, found.offset_u_s, found.notes):
            click.echo(line)
