"""`inferometer analyze`: what a run says to what was expected of it, and what in it is odd."""

from __future__ import annotations

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.store.address import Place, store_flag


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--hypothesis",
    "hypotheses",
    multiple=True,
    metavar="TEXT",
    help="Hypothesis to test instead of the study's, such as 'resnet18 is faster than unet'; may "
    "be given several times.",
)
@store_option
@json_option
def analyze(
    *, run: str, hypotheses: tuple[str, ...], store_path: Place, json_path: str | None
) -> None:
    """Test the hypotheses of RUN's study, find anomalies, and fit how latency grows.

    RUN is the id of a run, the first characters of one, `latest`, or `latest~1` for the one
    before [default: latest].

    \b
    Examples:
      inferometer analyze
      inferometer analyze --hypothesis "resnet18 is faster than unet"

    docs/how-to/study-files.md lists the forms of hypotheses. The JSON is an object with the lists
    `hypotheses`, `anomalies`, `scaling` and `operators`.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.analysis.analyse import analyse_runs
    from inferometer.analysis.grid import build
    from inferometer.figures.joint import completed

    texts = _checked(hypotheses)
    with open_existing(store_path) as store:
        found = store.run(run)
        records = completed(found, store.records(found.id, with_rounds=True))
    findings = analyse_runs(build(records), [found], texts)
    if json_path is not None:
        write_json(findings.to_json(), json_path)
    if json_path != "-":
        from inferometer.report.document.findings import print_findings

        print_findings(findings, store_flag(store_path))


def _checked(hypotheses: tuple[str, ...]) -> list[str]:
    """Hypotheses from the command line.

    Raises:
        UsageError: one cannot be read.
    """
    from inferometer.study.hypotheses import parse_hypothesis

    try:
        return [parse_hypothesis(text).text for text in hypotheses]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
