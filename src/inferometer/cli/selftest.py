"""`inferometer selftest`: measures what is known, and says how far off the instrument is."""

from __future__ import annotations

from dataclasses import asdict

import click

from inferometer.cli.options import json_option, write_json

FAILED = 1


@click.command()
@json_option
def selftest(*, json_path: str | None) -> int:
    """Measure workloads of known latency, memory and size on this device.

    Prints how far the instrument is off, with its interval, what it adds to a call, and how quiet
    the device is; takes about half a minute. Exit status: 0 nothing is off; 1 something is.
    """
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
