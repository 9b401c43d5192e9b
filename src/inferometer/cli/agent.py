"""`inferometer agent`: a study as one file, for a board that barely runs Python."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.layout import Sectioned
from inferometer.cli.options import STANDARD_OUTPUT, TARGET
from inferometer.cli.parameters import study_options
from inferometer.cli.run import study_of_flags
from inferometer.cli.screen import put_bytes
from inferometer.core.filenames import write_whole
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from inferometer.core.sweep import Study

DEFAULT = "agent.py"
SCRIPT = "agent.sh"


@click.command(cls=Sectioned)
@click.argument("study", required=False)
@study_options()
@click.option("--no-energy", is_flag=True, help="Do not measure energy.")
@study_options("energy_window")
@click.option(
    "--binary",
    metavar="PATH",
    help="For a board without Python: path there of TFLite's benchmark_model or of benchncnn, "
    "which a shell script then runs.",
)
@click.option(
    "-o",
    "--output",
    type=TARGET,
    metavar="PATH|-",
    help="File to write, or - for standard output "
    f"[default: {DEFAULT}, or {SCRIPT} with --binary].",
)
def agent(
    *,
    study: str | None,
    no_energy: bool,
    binary: str | None,
    output: str | None,
    **flags: Any,  # noqa: ANN401 - the axes and limits of a study
) -> None:
    """Write STUDY as one file that measures it on a small board, without inferometer there.

    STUDY is a built-in study (lab, taste) or a YAML file [default: lab]. Flags replace what it
    says, as in `inferometer run`.

    \b
    Examples:
      inferometer agent study.yaml                here: writes agent.py
      python3 agent.py                            on the board: measures
      inferometer import results.json             here: the file from the board

    The board needs Python 3.6 or newer and the runtime that the study names.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    given = {name: value for name, value in flags.items() if value is not None}
    wanted = study_of_flags(study, given)
    if binary is None:
        from inferometer.fleet.agent import agent_file

        content, name = agent_file(wanted, energy=not no_energy), DEFAULT
        _warn(wanted)
    else:
        from inferometer.fleet.binary import script_file

        if {"blocks", "batches", "sizes"} & given.keys():
            raise click.UsageError("--binary runs files as they are: leave out --batch and --size")
        content, name = script_file(wanted, binary), SCRIPT
    _write(content, output or name, is_script=binary is not None)


def _warn(study: Study) -> None:
    """Say what the agent will not measure, and which files it needs beside it."""
    from inferometer.fleet.agent import needed_files, refusals

    refused = refusals(study.workloads())
    if refused:
        why = next(iter(refused.values()))
        count = f"{len(refused)} of {len(study.workloads())} workloads"
        click.echo(f"Warning: {count} will fail on the board: {why}", err=True)
    for file in needed_files(study.sweep.models):
        click.echo(f"Copy beside it: {shown(file['path'])}", err=True)


def _write(content: bytes, output: str, *, is_script: bool) -> None:
    if output == STANDARD_OUTPUT:
        put_bytes(content, is_text=True)
        return
    write_whole(content, output)
    program = "sh" if is_script else "python3"
    name, results = Path(output).name, "results.log" if is_script else "results.json"
    click.echo(
        f"Wrote {shown(output)}. On the board: {program} {shown(name)}; then here: inferometer "
        f"import {results}",
        file=sys.stderr,
    )
