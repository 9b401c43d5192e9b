"""`inferometer audit`: what differs between the sides of a comparison."""

from __future__ import annotations

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.store.address import Place


@click.command()
@click.argument("run", default="latest")
@store_option
@json_option
def audit(*, run: str, store_path: Place, json_path: str | None) -> None:
    """Check whether comparisons between variants of a model are fair, and say what else differs.

    Looks at threads that really ran, inputs, weights, processor instructions, fallbacks, fidelity
    and disturbances.

    RUN is the id of a run, the first characters of one, `latest`, or `latest~1` for the one
    before [default: latest].

    \b
    Example:
      inferometer audit
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.analysis.audit import audit as look
    from inferometer.analysis.audit import to_json

    with open_existing(store_path) as store:
        found = store.run(run)
        audits = look(found, store.records(found.id))
    if json_path is not None:
        write_json(to_json(audits), json_path)
    if json_path != "-":
        from inferometer.report.terminal.audit import print_audits

        print_audits(audits)
