"""`inferometer run`: measure a study."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.flags import estimate_option, meter_option, root_option
from inferometer.cli.layout import Sectioned
from inferometer.cli.options import json_option, store_option, tell_damage, write_json
from inferometer.cli.parameters import NAMES, study_options
from inferometer.cli.starting import (
    INTERRUPTED,
    announce,
    check_resumable,
    own_sizes,
    study_named,
)
from inferometer.core.options import AXES, PROCEDURE
from inferometer.core.procedure import clash
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.store.address import Place, store_flag

if TYPE_CHECKING:
    from inferometer.core.sweep import Study
    from inferometer.runner import EnergyOptions, Options
    from inferometer.store import Store

DEFAULT_STUDY = "lab"
ENERGY = (("--no-energy",), ("--meter", "--power-log", "--mark"))
"""No energy, or energy from what the user names."""

MOST_CELLS = 1000
"""Patterns of --only; each is held against every cell of the run."""


@click.command(cls=Sectioned)
@click.argument("study", required=False)
@study_options()
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[RUN]",
    help="Go on with RUN: measure only what is missing [default: the latest run of this study with "
    "these flags].",
)
@click.option(
    "--only",
    type=NAMES,
    multiple=True,
    metavar="CELLS",
    help="With --resume: measure these workloads again, by MODEL:SIZE/BATCH, of which parts may be "
    "left out: resnet18, resnet18:224/8 or :448/16.",
)
@click.option("--retry-failed", is_flag=True, help="With --resume: try failed workloads again.")
@root_option
@study_options("roofline")
@click.option("--no-energy", is_flag=True, help="Do not measure energy.")
@meter_option
@click.option(
    "--power-log",
    metavar="FILE",
    help="Take energy from this log, which a power meter writes during the run "
    "(docs/how-to/files.md lists formats).",
)
@estimate_option
@click.option(
    "--mark",
    type=click.Path(path_type=Path, dir_okay=False),
    help="For a power meter whose log you get later: write to this CSV when work and idling began "
    "and ended; `inferometer energy attach` adds the log.",
)
@study_options("energy_window")
@click.option("-y", "--yes", is_flag=True, help="Begin without asking, also where it takes long.")
@store_option
@json_option
def run(
    *,
    study: str | None,
    resume: str | None,
    retry_failed: bool,
    only: tuple[list[str], ...],
    no_energy: bool,
    meters: tuple[str, ...],
    power_log: str | None,
    allow_estimate: bool,
    mark: Path | None,
    root: Path,
    yes: bool,
    store_path: Place,
    json_path: str | None,
    **flags: Any,  # noqa: ANN401 - the axes and limits of a study
) -> int:
    """Measure the models of STUDY, or those of --models.

    STUDY is a built-in study (lab, taste) or a YAML file [default: lab]. Flags replace what it
    says.

    \b
    Examples:
      inferometer run taste                       two models in half a minute
      inferometer run --models resnet18,unet --batch 1,8 --size 224
      inferometer run --models net.py:build --preset quick
      inferometer run study.yaml --budget 30m

    Ctrl-C keeps what is done, and `inferometer run --resume` goes on from there.

    Exit status: 0 done; 1 some workloads failed, or --meter gave no energy of one; 2 bad input; 130
    interrupted.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.runner import EnergyOptions, Options, check
    from inferometer.store import open_store

    if study is None and _is_study(resume):
        study, resume = resume, ""
    if (retry_failed or only) and resume is None:
        raise click.UsageError(f"{'--only' if only else '--retry-failed'} goes with --resume")
    given = {name: value for name, value in flags.items() if value is not None}
    energy = EnergyOptions(
        wanted=not no_energy,
        meters=meters,
        power_log=power_log,
        allow_estimate=allow_estimate,
        mark=mark,
    )
    asked = {
        "--no-energy": no_energy,
        "--meter": bool(meters),
        "--power-log": power_log is not None,
        "--mark": mark is not None,
    }
    if problem := clash(ENERGY, [flag for flag, is_given in asked.items() if is_given]):
        raise click.UsageError(problem)
    alone = study is None and set(given) <= {"budget_s"}  # what is resumed says which study it is
    if only and not resume and alone:
        resume = "latest"
    options = Options(
        resume=resume,
        retry_failed=retry_failed,
        only=_cells(only),
        energy=energy,
        root=root.resolve(),
    )
    is_usual = study is None and "models" not in given  # nobody said what to measure
    wanted = None
    if resume is None or not alone:
        wanted = study_of_flags(study, given)
        check(wanted)  # before a store is made for it
        if is_usual and resume is None:
            announce(wanted, begins=yes)
    _check_meters(energy)
    create = resume is None or (not resume and not is_usual)
    with _interruptible(), open_store(store_path, create=create, tell=tell_damage) as store:
        if wanted is None:
            before = _to_resume(store, resume or "")
            wanted, options = _study_of(before, given), replace(options, resume=before.id)
        elif resume == "":
            check_resumable(wanted, store, begins=not is_usual)
        done = _measure(wanted, store, options)
        records = store.records(done.id, with_rounds=wanted.procedure.pair)
    flag = store_flag(store_path)
    status = _show(done, records, flag, json_path=json_path, only=options.only)
    return status or _told_of_meters(energy.named, records)


def _check_meters(energy: EnergyOptions) -> None:
    """Refuse what cannot be a meter before a store is made.

    Raises:
        MeterError: with what to write instead.
    """
    from inferometer.meters.energy.selection.kinds import OFF
    from inferometer.meters.energy.selection.named import check

    for one in energy.meters:
        if one.strip() != OFF:
            check(one.strip(), allow_estimate=energy.allow_estimate)


def _to_resume(store: Store, reference: str) -> Run:
    """The run that is named; without a name the latest that is unfinished, or else the latest.

    Raises:
        StoreError: there is none.
    """
    unfinished = (
        run for run in store.runs() if run.finished_at is None and run.origin != "imported"
    )
    return store.run(reference) if reference else next(unfinished, None) or store.run("latest")


def _is_study(resume: str | None) -> bool:
    """Whether what follows --resume is the study: `run --resume lab`."""
    from inferometer.study import builtin_studies

    if not resume:
        return False
    is_file = os.path.isfile(resume)  # noqa: PTH113 - a Path may not be made of any text
    return is_file or resume in {study.name for study in builtin_studies()}


def _cells(only: tuple[list[str], ...]) -> tuple[str, ...]:
    """The patterns of all --only, each once.

    Raises:
        click.UsageError: there are too many.
    """
    cells = tuple(dict.fromkeys(cell for cells in only for cell in cells))
    if len(cells) > MOST_CELLS:
        raise click.UsageError(f"--only takes {MOST_CELLS} cells at the most, not {len(cells)}")
    return cells


def study_of_flags(name: str | None, given: dict[str, Any]) -> Study:
    """The study that is named, or the usual one, with flags over it.

    Raises:
        StudyError: there is none of that name.
        click.UsageError: flags do not go together.
    """
    sizes = own_sizes(given) if name is None and "models" in given else {}
    return with_flags(study_named(name or DEFAULT_STUDY), {**sizes, **given})


def with_flags(study: Study, given: dict[str, Any]) -> Study:
    """A study in which flags replace what it says.

    Raises:
        click.UsageError: they do not go together.
    """
    from inferometer.study import override

    axes, procedure = (
        {one.field: given[one.field] for one in part if one.field in given}
        for part in (AXES, PROCEDURE)
    )
    try:
        return override(study, **axes, procedure=procedure)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _study_of(run: Run, given: dict[str, Any]) -> Study:
    """The study that a run is of, with the budget of this time."""
    from inferometer.core.sweep import Study

    study = Study.from_json(run.document)
    return replace(study, procedure=replace(study.procedure, budget_s=given.get("budget_s")))


def _measure(study: Study, store: Store, options: Options) -> Run:
    from inferometer.report.terminal.live import listener
    from inferometer.runner import run_study

    with listener() as show:
        return run_study(study, store, listener=show, options=options)


def _show(
    run: Run,
    records: list[Record],
    in_store: str,
    *,
    json_path: str | None,
    only: tuple[str, ...] = (),
) -> int:
    """Print a run; the exit status.

    Args:
        run: what was measured.
        records: its records.
        in_store: what commands to copy say of the store.
        json_path: where the records go as JSON; None for nowhere.
        only: the cells that were asked for.
    """
    from inferometer.report.document.sources import RunRecords
    from inferometer.report.terminal.closing import print_closing
    from inferometer.report.terminal.table import print_run

    resume_with = f"inferometer run --resume {run.id}{in_store}"
    if json_path != "-":
        print_run(run, records, worth=False)
        _show_pair(run, records)
        print_closing([RunRecords(run=run, records=tuple(records))], in_store)
    if json_path is not None:
        write_json([record.row() for record in records], json_path)
    if run.finished_at is None:
        click.echo(
            f"Interrupted. What is done is kept; continue with: {resume_with}"
            + " (and --only: what was not reached keeps its earlier figures)" * bool(only),
            err=True,
        )
        return INTERRUPTED
    measured = sum(record.status == "ok" for record in records)
    if any(record.failure and record.failure.kind == "budget" for record in records):
        click.echo(f"{measured} of {run.planned} measured; continue: {resume_with}", err=True)
    failed = any(record.status == "failed" for record in records)
    return 1 if failed or not measured else 0


def _told_of_meters(named: tuple[str, ...], records: list[Record]) -> int:
    """Say where a meter that the user named gave no energy; the exit status."""
    from inferometer.report.document.energy import withheld_lines

    lines = withheld_lines(named, records)
    for line in lines:
        click.echo(line, err=True)
    return 1 if lines else 0


def _show_pair(run: Run, records: list[Record]) -> None:
    """How the two sides of a paired run compare."""
    from inferometer.analysis.compare import compare
    from inferometer.analysis.matching import axis_of_pair, match_within
    from inferometer.report.terminal.table import print_comparisons
    from inferometer.stats.comparison import ZONE

    axis = axis_of_pair(records)
    if axis is not None and run.finished_at is not None:
        matching = match_within(records, axis)
        click.echo()
        print_comparisons(compare(matching), matching, zone=ZONE)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a polite kill end a run as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
