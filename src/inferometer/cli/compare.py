"""`inferometer compare`: which of two is faster, and how sure that is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from inferometer.analysis.matching import AXES
from inferometer.cli.flags import gate_options
from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.cli.parameters import within
from inferometer.store.address import Place

if TYPE_CHECKING:
    from inferometer.analysis.compare import Comparison
    from inferometer.analysis.matching import Matching
    from inferometer.core.record import Record
    from inferometer.core.run import Run
    from inferometer.figures.accuracy import PassOf
    from inferometer.store import Store

SLOWER = 1
DEVICE = "device_name"
"""What runs of several devices are compared by."""


@click.command()
@click.argument("baseline", metavar="[BASE]", default="latest")
@click.argument("contender", metavar="[CONTENDER]", required=False)
@click.argument("more", metavar="[RUN]...", nargs=-1)
@click.option(
    "--by",
    type=click.Choice([*AXES, DEVICE]),
    help="Compare workloads of one run that differ only in this; device_name: compare the devices "
    "of several runs.",
)
@click.option(
    "--run", "run_id", metavar="RUN", help="With --by and names: the run [default: latest]."
)
@click.option(
    "--zone",
    type=within("zone"),
    default="1%",
    show_default=True,
    help="Smallest difference in latency that matters to you; where the whole interval is smaller, "
    "the verdict is `equivalent`.",
)
@gate_options
@click.option(
    "--margin",
    type=within("margin"),
    default="1%",
    show_default=True,
    help="Smallest loss of accuracy that matters to you, in the unit of its metric.",
)
@store_option
@json_option
def compare(
    *,
    baseline: str,
    contender: str | None,
    more: tuple[str, ...],
    by: str | None,
    run_id: str | None,
    zone: float,
    fail_slower: float | None,
    undecided: str,
    margin: float,
    store_path: Place,
    json_path: str | None,
) -> int:
    """Compare runs, or workloads within a run: ratio, interval and verdict for each.

    \b
    Examples:
      inferometer compare latest~1 latest             the last two runs
      inferometer compare latest                      both sides of a --pair run
      inferometer compare latest --by model           all models with the first
      inferometer compare unet resnet18 --by model    two models of the latest run
      inferometer compare 3fa9 77b0 --by device_name  two devices

    BASE and CONTENDER are ids of runs, the first characters of one, `latest`, or `latest~1` for the
    one before; with --by, they may be names as the tables show them.

    Exit status: 0 done; 1 --fail-slower failed; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.analysis.compare import compare as analyse
    from inferometer.analysis.compare import with_accuracies

    if run_id is not None and by is None:
        raise click.UsageError("--run goes with --by")
    if more and by != DEVICE:
        raise click.UsageError(f"more than two runs go with --by {DEVICE}")
    with open_existing(store_path) as store:
        if by == DEVICE:
            matching = _across_devices(store, (baseline, contender, *more), run_id)
        else:
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
    from inferometer.figures.reading import records_across

    if by is None and contender is not None:
        runs = [
            _run(store, reference, (baseline, contender)) for reference in (baseline, contender)
        ]
        if runs[0].id == runs[1].id:
            raise click.UsageError("both are the same run; compare within it with --by model")
        return match_runs(*records_across(store, *runs))
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


def _run(store: Store, reference: str, both: Sequence[str]) -> Run:
    """A run to compare.

    Raises:
        StoreError: there is none; where the two are models, the message says how to compare these.
    """
    from inferometer.analysis.grid import short_names
    from inferometer.core.errors import StoreError

    try:
        return store.run(reference)
    except StoreError:
        records = store.records(store.run("latest").id)
        models = short_names(list({one.workload.variant.model for one in records}))
        if not {*both} <= {*models, *models.values()}:
            raise
        names = " ".join(map(shlex.quote, both))
        raise StoreError(
            f"{names} are models of the latest run; compare them with: "
            f"inferometer compare {names} --by model"
        ) from None


def _across_devices(store: Store, references: Sequence[str | None], run_id: str | None) -> Matching:
    """The workloads of the first run's device with those of each other device."""
    from inferometer.analysis.confounders import confounders, in_a_line
    from inferometer.analysis.devices import devices_of, match_devices
    from inferometer.figures.reading import records_of

    if run_id is not None:
        raise click.UsageError(f"with --by {DEVICE}, give the runs themselves, without --run")
    runs = {run.id: run for run in (store.run(one) for one in references if one is not None)}
    devices = devices_of([(run, records_of(store, run)) for run in runs.values()])
    matching = match_devices(devices)
    others = tuple(in_a_line(one) for one in confounders(devices))
    return replace(matching, notes=(*matching.notes, *others))


def _passes(store: Store, matching: Matching) -> PassOf:
    """What gives the passes over labelled data behind the matched records."""
    from inferometer.figures.accuracy import passes_of

    sides = [one for match in matching.matches for one in (match.baseline, match.contender)]
    runs = {str(one.run.get("run_id")) for one in sides if one.number("accuracy") is not None}
    return passes_of({run: store.evaluations(run) for run in runs})


def _records(store: Store, reference: str) -> list[Record]:
    """Records of a run, with what all of its rounds say together."""
    from inferometer.figures.reading import records_of

    return records_of(store, store.run(reference))


def _gate(
    found: list[Comparison], matching: Matching, limit: float | None, *, undecided: bool
) -> int:
    """The exit status, with a sentence that says why; 0 where no limit was given.

    A control that is slower tells of the machine, and fails nothing.
    """
    if limit is None:
        return 0
    from inferometer.analysis.gate import gate
    from inferometer.report.document.comparison import gate_sentence

    judged = [one for one in found if not one.match.baseline.workload.is_control]
    gated = gate(judged, matching.missing, limit)
    click.echo(gate_sentence(gated, undecided=undecided), err=True)
    return 0 if gated.passes(undecided=undecided) else SLOWER
