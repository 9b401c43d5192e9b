"""`inferometer compare`: which of two is faster, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.analysis.matching import AXES
from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.cli.parameters import within

if TYPE_CHECKING:
    from inferometer.analysis.compare import Comparison
    from inferometer.analysis.matching import Matching
    from inferometer.core.record import Record
    from inferometer.figures.accuracy import PassOf
    from inferometer.store import Store

SLOWER = 1


@click.command()
@click.argument("baseline", metavar="[BASE]", default="latest")
@click.argument("contender", metavar="[CONTENDER]", required=False)
@click.option(
    "--by",
    type=click.Choice(list(AXES)),
    help="Compare the workloads of one run that differ in this alone.",
)
@click.option("--run", "run_id", metavar="RUN", help="With --by and names: the run [latest].")
@click.option(
    "--zone",
    type=within("zone"),
    default="1%",
    show_default=True,
    help="Differences within this are of no interest.",
)
@click.option(
    "--fail-slower",
    type=within("fail_slower"),
    help="Exit with 1 where the contender is surely slower by more than this, such as 5%, or has "
    "no figure: where all of the interval of the ratio is beyond it.",
)
@click.option(
    "--undecided",
    type=click.Choice(["pass", "fail"]),
    default="pass",
    show_default=True,
    help="With --fail-slower: what a ratio counts as whose interval holds the limit.",
)
@click.option(
    "--margin",
    type=within("margin"),
    default="1%",
    show_default=True,
    help="Loss of accuracy to put up with, in the unit of its metric.",
)
@store_option
@json_option
def compare(
    *,
    baseline: str,
    contender: str | None,
    by: str | None,
    run_id: str | None,
    zone: float,
    fail_slower: float | None,
    undecided: str,
    margin: float,
    store_path: Path,
    json_path: str | None,
) -> int:
    """Compare two runs, or workloads within a run: ratio, interval and verdict for each.

    \b
    inferometer compare 3fa9 latest                   two runs
    inferometer compare latest --by model             all models with the first
    inferometer compare resnet18 unet --by model      two models of the latest run
    inferometer compare latest                        the two sides of a paired run

    Exit status: 0 done; 1 with --fail-slower, where that fails; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.analysis.compare import compare as analyse
    from inferometer.analysis.compare import with_accuracies

    if run_id is not None and by is None:
        raise click.UsageError("--run goes with --by")
    with open_existing(store_path) as store:
        matching = _matching(store, baseline, contender, by, run_id)
        passes = _passes(store, matching)
    found = analyse(matching, zone=zone)
    found = with_accuracies(found, passes, margin=margin)
    if json_path is not None:
        write_json([one.row() for one in found], json_path)
    if json_path != "-":
        from inferometer.report.terminal.table import print_comparisons

        print_comparisons(found, matching, zone=zone)
    return _gate(found, matching, fail_slower, undecided=undecided == "pass")


def _matching(
    store: Store, baseline: str, contender: str | None, by: str | None, run_id: str | None
) -> Matching:
    from inferometer.analysis.matching import axis_of_pair, match_runs, match_within
    from inferometer.figures.joint import joined_across

    if by is None and contender is not None:
        runs = [store.run(reference) for reference in (baseline, contender)]
        if runs[0].id == runs[1].id:
            raise click.UsageError("both are the same run; compare within it with --by model")
        one, other = ((run, store.records(run.id, with_rounds=True)) for run in runs)
        return match_runs(*joined_across(one, other))
    if by is None:
        records = _records(store, baseline)
        axis = axis_of_pair(records)
        if axis is None:
            raise click.UsageError(
                "give two runs, or --by model (backend, precision …) to compare within one"
            )
        return match_within(records, axis)
    if contender is not None or run_id is not None:
        records = _records(store, run_id or "latest")
        first = "" if contender is None and baseline == "latest" else baseline
        return match_within(records, by, baseline=first, contender=contender or "")
    return match_within(_records(store, baseline), by)


def _passes(store: Store, matching: Matching) -> PassOf:
    """What gives the passes over labelled data behind the matched records."""
    from inferometer.figures.accuracy import passes_of

    sides = [one for match in matching.matches for one in (match.baseline, match.contender)]
    runs = {str(one.run.get("run_id")) for one in sides if one.number("accuracy") is not None}
    return passes_of({run: store.evaluations(run) for run in runs})


def _records(store: Store, reference: str) -> list[Record]:
    """Records of a run, with what all of its rounds say together."""
    from inferometer.figures.joint import completed

    run = store.run(reference)
    return completed(run, store.records(run.id, with_rounds=True))


def _gate(
    found: list[Comparison], matching: Matching, limit: float | None, *, undecided: bool
) -> int:
    """The exit status, with a sentence that says why; 0 where no limit was given."""
    if limit is None:
        return 0
    from inferometer.analysis.gate import gate
    from inferometer.report.document.comparison import gate_sentence

    gated = gate(found, matching.missing, limit)
    click.echo(gate_sentence(gated, undecided=undecided), err=True)
    return 0 if gated.passes(undecided=undecided) else SLOWER
