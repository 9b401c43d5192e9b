"""`inferometer selftest`: measures what is known, and says how far off the instrument is."""

from __future__ import annotations

from dataclasses import asdict

import click

from inferometer.cli.options import json_option, write_json

FAILED = 1


@click.command()
@json_option
def selftest(*, json_path: str | None) -> int:
    """Check the instrument: measure workloads whose latency, memory and size are known.

    Prints by how much the figures are wrong, what the instrument adds to a call, and how quiet the
    device is. Takes about half a minute.

    \b
    Example:
      inferometer selftest

    Exit status: 0 all figures are right; 1 some are not.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.report.terminal.selftest import lines
    from inferometer.runner.selftest.run import selftest as measure

    found = measure(lambda doing: click.echo(f"{doing} …", err=True))
    if json_path != "-":  # first: should the file fail, half a minute's work is shown yet
        for line in lines(found):
            click.echo(line)
    if json_path is not None:
        data = {
            "ok": not found.off,
            "wall_s": found.wall_s,
            "checks": [asdict(check) for check in found.checks],
        }
        write_json(data, json_path)
    return FAILED if found.off else 0
